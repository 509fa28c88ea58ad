"""Files of tools to read and to run."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from lamina.tools import Toolbox, read_tools

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write Python source into a file and say where it is."""

    def _write(source: str, name: str = "mine.py") -> Path:
        path = tmp_path / name
        path.write_text(textwrap.dedent(source), encoding="utf-8")
        return path

    return _write


@pytest.fixture
def read(write: Write) -> Callable[[str], Toolbox]:
    return lambda source: read_tools(write(source))
