"""Where data that is no part of Lamina lies: a folder that was named, ``$LAMINA_DATA``, or ``shared/data`` in or beside
the working folder. It is read in place."""

from __future__ import annotations

import os
from pathlib import Path

from lamina.errors import InputError

VARIABLE = "LAMINA_DATA"


def find_folder(name: str, named: str | Path | None = None) -> Path:
    """The folder ``name`` of such data; ``named`` is that folder itself and has to exist. Raises InputError that says
    where was looked."""
    if named:
        if not Path(named).is_dir():
            raise InputError("there is no such folder", file=named, mend=f"name the folder {name}")
        return Path(named)
    above = os.environ.get(VARIABLE)
    places = [Path(above)] if above else [Path("shared/data"), Path("../shared/data")]
    for place in places:
        if (place / name).is_dir():
            return place / name
    what = f"the data {name} is not on this machine (looked in {', '.join(map(str, places))})"
    raise InputError(what, mend=f"name its folder with data=FOLDER, or the one it lies in with ${VARIABLE}")


def options_of(argument: str, *, first: str, known: tuple[str, ...]) -> dict[str, str]:
    """``VALUE,KEY=VALUE,…`` as a table; what has no key comes under ``first``. Raises InputError for other keys."""
    found: dict[str, str] = {}
    for part in filter(None, argument.split(",")):
        key, equals, value = part.partition("=")
        if not equals:
            key, value = first, part
        if key not in (first, *known) or key in found:
            keys = ", ".join(f"{k}=…" for k in known)
            raise InputError(f"{part!r} is no option of this environment", mend=f"known: {first.upper()}, {keys}")
        found[key] = value
    return found
