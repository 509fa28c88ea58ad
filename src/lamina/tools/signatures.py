"""Parameters of a user's function, as its schema and as the caller of its function see them.

Used by the process that describes a file and by the one that runs its calls, so both read a hint alike.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Optional, Union, get_args, get_origin, get_type_hints

SLOW_MEND = "move the slow work into a function, or try again where the machine was only busy"


class Flaw(Exception):
    """A function that cannot be a tool. Crosses the process border as plain fields."""

    late = False
    """Whether it is the time that was over."""

    def __init__(self, what: str, mend: str = "", *, line: int | None = None, file: str | None = None):
        super().__init__(what)
        self.what, self.mend, self.line, self.file = what, mend, line, file

    def as_json(self) -> dict[str, Any]:
        return {"what": self.what, "mend": self.mend, "line": self.line, "file": self.file, "late": self.late}


class TooSlow(Flaw):
    late = True


@dataclass(frozen=True)
class Parameter:
    """``hint`` may be ``Annotated``; ``default`` is ``inspect.Parameter.empty`` where there is none."""

    name: str
    hint: Any
    default: Any
    description: str = ""

    @property
    def required(self) -> bool:
        return self.default is inspect.Parameter.empty


def read_parameters(function: Callable[..., Any], name: str) -> list[Parameter]:
    """The parameters of ``function`` in order. Raises Flaw where one cannot be passed by keyword as JSON."""
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):  # a wrapper may collect it
        raise Flaw(f"{name}: it yields its results, and a tool gives one", "return a list")
    signature = inspect.signature(function)
    hints = _hints(function, name)
    for parameter in signature.parameters.values():
        _refuse_kind(parameter, name)
    bare = [p for p in signature.parameters if p not in hints]
    if bare:
        names = ", ".join(repr(p) for p in bare)
        some = "a type hint" if len(bare) == 1 else "type hints"
        raise Flaw(f"{name}: no type hint on {names}", f"add {some}, such as {bare[0]}: str")
    return [_read(p, hints[p.name], name) for p in signature.parameters.values()]


def _hints(function: Callable[..., Any], name: str) -> dict[str, Any]:
    try:
        return get_type_hints(inspect.unwrap(function), include_extras=True)
    except Exception as error:
        raise Flaw(f"{name}: a type hint cannot be resolved ({error})", "define or import the name") from None


def _refuse_kind(parameter: inspect.Parameter, name: str) -> None:
    if parameter.kind in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD):
        stars = "*" if parameter.kind is inspect.Parameter.VAR_POSITIONAL else "**"
        mend = f"name each argument, or take {parameter.name}: {'list' if stars == '*' else 'dict'}[…]"
        raise Flaw(f"{name}: {stars}{parameter.name} cannot be described to a model", mend)
    if parameter.kind is inspect.Parameter.POSITIONAL_ONLY:
        raise Flaw(f"{name}: {parameter.name!r} is positional-only", "calls go by keyword: remove the '/'")


def _read(parameter: inspect.Parameter, hint: Any, name: str) -> Parameter:
    if type(parameter.default).__name__ == "FieldInfo":
        mend = f"write {parameter.name}: Annotated[type, Field(…)] = value"
        raise Flaw(f"{name}: the default of {parameter.name!r} is a pydantic Field", mend)
    if parameter.default is None and not _allows_none(hint):
        hint = Optional[hint]  # noqa: UP045 -- `x: str = None` says it without saying it
    described = [m for m in getattr(hint, "__metadata__", ()) if isinstance(m, str)]
    return Parameter(parameter.name, hint, parameter.default, " ".join(described))


def _allows_none(hint: Any) -> bool:
    if hint is None or hint is type(None) or hint is Any:
        return True
    if get_origin(hint) is Annotated:
        return _allows_none(get_args(hint)[0])
    return _is_union(hint) and any(_allows_none(a) for a in get_args(hint))


def _is_union(hint: Any) -> bool:
    import types

    return get_origin(hint) in (Union, types.UnionType)
