"""``read_tools``: one entrance for every way in which tools are described.

A reader is a module or object with ``claims(path) -> bool`` and ``read(path) -> Toolbox``. A new kind of file
is one new module listed in ``BUILT_IN``; others bring theirs through the entry-point group ``lamina.tools``.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path
from typing import Protocol

from lamina.errors import ToolDefinitionError
from lamina.tools.tool import Toolbox

GROUP = "lamina.tools"
BUILT_IN = ("lamina.tools.python_functions", "lamina.tools.json_lists")


class Reader(Protocol):
    def claims(self, path: Path) -> bool: ...

    def read(self, path: Path) -> Toolbox: ...


def readers() -> Iterator[Reader]:
    """Installed readers first, so that one may be more specific than ours."""
    for entry in sorted(entry_points(group=GROUP), key=lambda e: e.name):
        yield entry.load()
    for name in BUILT_IN:
        yield importlib.import_module(name)


def read_tools(path: str | Path) -> Toolbox:
    """Read tools from a file: ``*.py`` (functions) or ``*.json`` (a list in OpenAI form).

    Raises ToolDefinitionError, one line that names file, line and mend, for whatever is wrong with it.
    """
    path = Path(path)
    if not path.exists():
        raise ToolDefinitionError("there is no such file", file=path, mend="check the path")
    if not path.is_file():
        raise ToolDefinitionError("this is not a file", file=path, mend="name the .py or .json file in it")
    for reader in readers():
        if reader.claims(path):
            return reader.read(path)
    mend = "give a .py file of functions or a .json list of tools"
    raise ToolDefinitionError("tools are not read from this kind of file", file=path, mend=mend)
