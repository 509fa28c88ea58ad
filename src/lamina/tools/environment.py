"""The environment that a user's code gets: an allow-list, so that no key of the developer's leaks into it unless they
name it (``passing``)."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from lamina.errors import UserError

if TYPE_CHECKING:
    from lamina.tools.execution.secrets import Secrets

ALLOWED = ("PATH", "LANG", "LANGUAGE", "TZ", "TZDIR", "SYSTEMROOT", "VIRTUAL_ENV", "LD_LIBRARY_PATH")
PASSED = "LAMINA_PASSED_VARIABLES"
"""Holds the names, never a value, of what is passed, so that other processes of Lamina's that run tools know them."""
OURS = ("PYTHONPATH", "PYTHONHASHSEED", "PYTHONDONTWRITEBYTECODE", "PYTHONIOENCODING", "HOME", "TMPDIR", "LAMINA_NOW")
"""What tools find set by Lamina."""
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def allowed_environment(scratch: Path, passed: Sequence[str] | None = None) -> dict[str, str]:
    """``PATH``, language and time zone, the variables that are ``passed`` (None: those that are now), the way to import
    Lamina, and a home and temporary folder in ``scratch``. String hashing is fixed, so that a set prints alike in every
    run."""
    passed = passed_variables() if passed is None else passed
    kept = {k: v for k, v in os.environ.items() if k in ALLOWED or k in passed or k.startswith("LC_")}
    source = str(Path(__file__).resolve().parents[2])
    paths = [source, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    return {
        **kept,
        "PYTHONPATH": os.pathsep.join(dict.fromkeys(paths)),
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONIOENCODING": "utf-8",
        "HOME": str(scratch),
        "TMPDIR": str(scratch),
    }


@contextmanager
def passing(names: Sequence[str]) -> Iterator[None]:
    """In here the variables of these names reach the processes that import and run tools, with the values that they
    have then. Raises UserError for a name that is none, is not set, or is Lamina's to set."""
    for name in names:
        _check(name)
    before = os.environ.get(PASSED)
    os.environ[PASSED] = " ".join(dict.fromkeys([*passed_variables(), *names]))
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(PASSED, None)
        else:
            os.environ[PASSED] = before


def passed_variables() -> list[str]:
    return os.environ.get(PASSED, "").split()


def passed_secrets() -> Secrets:
    """The values of what is passed, to be taken out of all that comes back from a tool."""
    return secrets_of(passed_variables())


def secrets_of(names: Sequence[str]) -> Secrets:
    from lamina.tools.execution.secrets import Secrets

    values = [os.environ.get(name, "") for name in names]
    forms = (form for value in values for form in dict.fromkeys((value, value.strip())))
    return Secrets(forms, whole_words=True)


def withheld_mend(text: str) -> str:
    """What to do about a failure whose ``text`` names a variable that is set here and kept from tools; empty where it
    names none."""
    kept = {*ALLOWED, *OURS, *passed_variables()}
    names = [word for word in dict.fromkeys(_NAME.findall(text)) if len(word) > 1 and word in os.environ.keys() - kept]
    return f"{names[0]} is set, but tools do not see it: --env {names[0]} passes it on" if names else ""


def _check(name: str) -> None:
    """No error repeats more than a name: what follows ``=`` may be a key."""
    bare = name.partition("=")[0]
    if not _NAME.fullmatch(bare):
        raise UserError("--env wants the name of an environment variable, such as --env API_KEY")
    if bare != name:
        raise UserError(
            f"--env {bare}=… names a value too; export {bare} and give --env {bare}, so that no run keeps it"
        )
    if name in OURS:
        raise UserError(f"--env {name}: Lamina sets {name} for tools itself; give yours another name")
    if name not in os.environ:
        raise UserError(f"--env {name}: the variable is not set; export {name} first")
