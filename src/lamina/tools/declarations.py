"""What a module of functions declares of them beside their definitions: ``PURE``, ``CHANGES_THINGS`` and
``ERROR_RESULTS``. Read in the child process that imported the module."""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import Any

from lamina.tools.signatures import Flaw

PURE = "PURE"
CHANGES_THINGS = "CHANGES_THINGS"
ERROR_RESULTS = "ERROR_RESULTS"


@dataclass(frozen=True)
class Declared:
    """Of one function. ``pure``: its result follows from its arguments and the clock alone, and it leaves nothing
    behind. ``changes_things``: it changes something outside the sandbox. ``error_schema``: what of its results is an
    error."""

    pure: bool
    changes_things: bool
    error_schema: Any


def declared_of(name: str, module: ModuleType) -> Declared:
    """Raises Flaw for a declaration that is none, that names what is not there, or that contradicts another."""
    rules = getattr(module, ERROR_RESULTS, {})
    if not isinstance(rules, dict):
        mend = f'write {ERROR_RESULTS} = {{"find": {{"type": "null"}}}}'
        raise Flaw(f"{ERROR_RESULTS} is a {type(rules).__name__}, not a dictionary", mend)
    _refuse_unknown(ERROR_RESULTS, rules, module)
    pure = _says_of(name, module, PURE, example="area")
    changes = _says_of(name, module, CHANGES_THINGS, example="send_mail")
    if pure and changes:
        what = f"{PURE} says that {name} leaves nothing behind, {CHANGES_THINGS} that it changes something elsewhere"
        raise Flaw(what, "take it out of one of them")
    return Declared(pure, changes, rules.get(name))


def _says_of(name: str, module: ModuleType, declaration: str, example: str) -> bool:
    """Of all functions (``True``), or of those named."""
    said = getattr(module, declaration, False)
    if isinstance(said, bool):
        return said
    if not isinstance(said, set | frozenset | list | tuple):
        mend = f'write {declaration} = True, or the names: {declaration} = {{"{example}"}}'
        raise Flaw(f"{declaration} is a {type(said).__name__}", mend)
    _refuse_unknown(declaration, said, module)
    return name in said


def _refuse_unknown(declaration: str, names: Any, module: ModuleType) -> None:
    if unknown := [name for name in names if not hasattr(module, str(name))]:
        raise Flaw(f"{declaration} names {unknown[0]!r}, which is not there", "remove or define it")
