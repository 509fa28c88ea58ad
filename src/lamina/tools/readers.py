"""``read_tools``: one entrance for every way in which tools are described.

A reader is a module or object with ``claims(path) -> bool`` and ``read(path) -> Toolbox``. A new kind of file
is one new module listed in ``BUILT_IN``; others bring theirs through the entry-point group ``lamina.tools``.
"""

from __future__ import annotations

import glob
import importlib
from collections.abc import Iterator, Sequence
from importlib.metadata import entry_points
from pathlib import Path
from typing import Protocol

from lamina.errors import ToolDefinitionError
from lamina.tools.tool import Toolbox

GROUP = "lamina.tools"
BUILT_IN = (
    "lamina.tools.python_functions",
    "lamina.tools.python_packages",
    "lamina.tools.openapi",
    "lamina.tools.mcp_servers",
    "lamina.tools.json_lists",
)
MODULE = "module:"

Source = str | Path


class Reader(Protocol):
    def claims(self, path: Path) -> bool: ...

    def read(self, path: Path) -> Toolbox: ...


def readers() -> Iterator[Reader]:
    """Installed readers first, so that one may be more specific than ours."""
    for entry in sorted(entry_points(group=GROUP), key=lambda e: e.name):
        yield entry.load()
    for name in BUILT_IN:
        yield importlib.import_module(name)


def read_tools(source: Source | Sequence[Source]) -> Toolbox:
    """Read tools from a path, or from several as one toolbox (a name that is taken gets its file's before it).

    A path is a ``.py`` file of functions, a folder of Python (a package), an OpenAPI document (``.json``,
    ``.yaml``), a config with ``mcpServers``, a ``.json`` list of tools, or a pattern such as ``apis/*.yaml``;
    ``module:NAME`` is an installed module or package. What a source has that cannot be a tool is in
    ``Toolbox.remarks``.

    Raises ToolDefinitionError, one line that names file, line and mend, where nothing can be read of a path.
    """
    if isinstance(source, str | Path):
        paths = _expanded(source)
        if len(paths) == 1:
            return _read(paths[0])
        sources = paths
    else:
        sources = [path for each in source for path in _expanded(each)]
        if not sources:
            raise ToolDefinitionError("no path was given", mend="name a file of tools")
        if len(sources) == 1:
            return _read(sources[0])
    return _read_several(sources)


def where_of(source: Source) -> str:
    """The same for the same source, wherever it is named from: an absolute path, or ``module:NAME`` as it is."""
    return str(source) if str(source).startswith(MODULE) else str(Path(source).resolve())


def _read_several(paths: list[Path]) -> Toolbox:
    """Python modules among them are read function by function, as those of a package are."""
    from lamina.tools.combining import combined
    from lamina.tools.python_packages import read_modules

    boxes = []
    for path in paths:
        box = read_modules([path], path) if path.suffix == ".py" and path.is_file() else _read(path)
        boxes.append((path.stem, box))
    return combined(boxes, categories=True)


def _expanded(source: Source) -> list[Path]:
    """The paths that ``source`` stands for. Raises ToolDefinitionError for a pattern or module that is none."""
    text = str(source)
    if text.startswith(MODULE):
        return [_module(text.removeprefix(MODULE))]
    path = Path(source)
    if not path.exists() and glob.has_magic(text):
        found = [Path(p) for p in sorted(glob.glob(text, recursive=True))]
        if not found:
            raise ToolDefinitionError("no file fits this pattern", file=path, mend="check the path")
        return found
    return [path]


def _module(name: str) -> Path:
    """Where an installed module is, without importing it."""
    from importlib.machinery import PathFinder

    where: Sequence[str] | None = None
    spec = None
    for part in name.split("."):
        spec = PathFinder.find_spec(part, where)
        where = spec.submodule_search_locations if spec else None
        if spec is None:
            break
    if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
        raise ToolDefinitionError(f"there is no module {name!r} written in Python", mend="check the name")
    origin = Path(spec.origin)
    return origin.parent if origin.name == "__init__.py" else origin


def _read(path: Path) -> Toolbox:
    if not path.exists():
        raise ToolDefinitionError("there is no such file", file=path, mend="check the path")
    for reader in readers():
        if reader.claims(path):
            found = reader.read(path)
            own = [path] if path.is_file() else []
            return Toolbox(found, found.remarks, [*found.files, *own])
    if not path.is_file():
        what = "this is not a file, nor a folder with Python modules"
        raise ToolDefinitionError(what, file=path, mend="name the file in it")
    mend = "give a .py file of functions, an OpenAPI document, an MCP config or a .json list of tools"
    raise ToolDefinitionError("tools are not read from this kind of file", file=path, mend=mend)
