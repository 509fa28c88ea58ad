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
from lamina.tools.tool import Tool, Toolbox

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
    ``module:NAME`` is an installed module or package. Several of them may stand in one text with commas between them:
    each is read as if it were alone, and two tools of one name are an error. What a source has that cannot be a tool
    is in ``Toolbox.remarks``.

    Raises ToolDefinitionError, one line that names file, line and mend, where nothing can be read of a path.
    """
    if isinstance(source, str | Path):
        sources = sources_of(source)
        return _read_one(sources[0]) if len(sources) == 1 else _read_listed(sources)
    paths = [path for each in source for one in sources_of(each) for path in _expanded(one)]
    if not paths:
        raise ToolDefinitionError("no path was given", mend="name a file of tools")
    return _read(paths[0]) if len(paths) == 1 else _read_several(paths)


def sources_of(source: Source) -> list[str]:
    """What a text with commas names; a file or a pattern whose own name has commas is one source."""
    text = str(source)
    if "," not in text or Path(text).exists() or (glob.has_magic(text) and glob.glob(text, recursive=True)):
        return [text]
    named = [part.strip() for part in text.split(",") if part.strip()]
    if not named:
        raise ToolDefinitionError("no path was given", mend="name a file of tools")
    return named


def where_of(source: Source) -> str:
    """The same for the same source, wherever it is named from: absolute paths, and ``module:NAME`` as it is."""
    return ",".join(one if one.startswith(MODULE) else str(Path(one).resolve()) for one in sources_of(source))


def _read_one(source: str) -> Toolbox:
    """A module by its name is read function by function: nobody can edit what is installed."""
    paths = _expanded(source)
    if source.startswith(MODULE):
        from lamina.tools.python_packages import read_installed

        return read_installed(paths[0], source)
    return _read(paths[0]) if len(paths) == 1 else _read_several(paths)


def _read_listed(sources: list[str]) -> Toolbox:
    """Named one by one, so that none is renamed: which of two would keep its name is for the user to say."""
    from lamina.tools.combining import combined

    boxes = [(_expanded(source)[0].stem, _read_one(source)) for source in sources]
    owners: dict[str, tuple[str, Tool]] = {}
    for source, (_, box) in zip(sources, boxes, strict=True):
        for tool in box:
            first, before = owners.setdefault(tool.name, (source, tool))
            if first != source and (tool.target is None or tool.target != before.target):
                what = f"two functions are named {tool.name}, the first in {first}"
                mend = "rename or remove one; a folder or a pattern puts the file's name before it"
                raise ToolDefinitionError(what, file=source, mend=mend)
    return combined(boxes, categories=True)


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
