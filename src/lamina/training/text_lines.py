"""Lines of a file of answers or rejects."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from lamina.errors import InputError


def numbered_lines(file: Path) -> Iterator[tuple[int, str]]:
    """Those that are not empty, with their numbers from 1. Raises InputError where the file is no UTF-8."""
    try:
        text = file.read_text("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError("not UTF-8 text", file=file, mend="save it as UTF-8") from None
    return ((number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip())
