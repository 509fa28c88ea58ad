"""What is published without the folders of whoever made it, each path keeps its last part alone, and without the
passwords and keys that addresses in older runs may hold."""

from __future__ import annotations

import re
import shlex
from typing import Any

from lamina.runs.secrets_in_addresses import without_secrets

_STARTS = r"(?:~[\w.-]*|\.\.)?/(?![/\s])"
_MACHINE = re.compile(
    rf"""(?P<url>(?!file:)[a-z][a-z0-9+.-]*://[^\s,]*)
    |file://[^\n,]*
    |(?<![^\s:=,;'"(\[{{])(?P<path>{_STARTS}(?:(?!,(?:{_STARTS}|[a-z]+:))[^\n])*)""",
    re.IGNORECASE | re.VERBOSE,
)
"""A path begins a text or stands after a space or a mark (``scripted:/a/b.py``, ``--out=/a/b``), and goes on to the end
or to the next of a list: folders may have spaces and commas in their names. Addresses on the web are no paths."""


def without_paths(value: Any) -> Any:
    """``value`` (JSON data), where every path in a text or in a key that is absolute, at home or above this folder is
    its last part. Keys that become the same are numbered."""
    if isinstance(value, dict):
        found: dict[Any, Any] = {}
        for key, inner in value.items():
            found[unused(without_paths(key), found)] = without_paths(inner)
        return found
    if isinstance(value, list | tuple):
        return [without_paths(inner) for inner in value]
    return without_secrets(_MACHINE.sub(_last_part, value)) if isinstance(value, str) else value


def command_without_paths(command: str) -> str:
    """A line for a shell, word by word: ``lamina synth '/a b/tools.py'`` is ``lamina synth tools.py``."""
    try:
        words = shlex.split(command)
    except ValueError:  # no line for a shell
        return str(without_paths(command))
    return shlex.join(without_paths(words))


def unused(name: Any, taken: Any) -> Any:
    """``name``, or ``name (2)`` and so on where that is among ``taken`` already."""
    if name not in taken:
        return name
    number = 2
    while (found := f"{name} ({number})") in taken:
        number += 1
    return found


def _last_part(match: re.Match[str]) -> str:
    if match["url"]:
        return match[0]
    parts = [part for part in match[0].split("/") if part and part != "file:"]
    return parts[-1] if parts else match[0]
