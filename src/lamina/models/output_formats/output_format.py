"""What an output format is, and JSON text that stands in other text."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from lamina.trajectories.formats.reading.rows import parse_json

Calls = list[tuple[str, dict[str, Any]]]


@dataclass(frozen=True)
class OutputFormat:
    """``instruction`` tells a model how to write; ``encode`` writes calls so; ``parse`` reads them, and raises
    ValueError for a text that is not in this format. No calls (no function fits) have a text of their own."""

    name: str
    instruction: str
    encode: Callable[[Sequence[tuple[str, dict[str, Any]]]], str]
    parse: Callable[[str], Calls]


_UNPRINTABLE = re.compile(r"[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]")
NAME = r"[\w.\-]+"


def json_text(value: Any, without: str = "") -> str:
    """JSON on one line, readable, in which the characters ``without`` do not occur: within strings, where alone they
    can stand, they are written as escapes."""
    text = json.dumps(value, ensure_ascii=False)
    text = _UNPRINTABLE.sub(lambda found: f"\\u{ord(found.group()):04x}", text)
    for character in without:
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def value_at(text: str, start: int) -> tuple[Any, int]:
    """The JSON value that begins at ``start``, and where it ends. Raises ValueError."""
    try:
        return json.JSONDecoder().raw_decode(text, start)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def call_of(value: Any) -> tuple[str, dict[str, Any]]:
    """``{"name", "arguments"}`` and nothing else. Raises ValueError."""
    if not isinstance(value, dict) or not isinstance(value.get("name"), str):
        raise ValueError(f"not a call: {str(value)[:80]}")
    return value["name"], arguments_of(value.get("arguments", {}))


def arguments_of(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"arguments are no object: {str(value)[:80]}")
    return value


def read_json(text: str) -> Any:
    return parse_json(text.strip())


def key_text(name: str) -> str:
    """A name as it is where it is a plain word, else as JSON text."""
    return name if re.fullmatch(NAME, name, re.ASCII) else json_text(name)


def key_at(text: str, start: int) -> tuple[str, int]:
    """The name that begins at ``start``, plain or as JSON text, and where it ends. Raises ValueError."""
    if text[start : start + 1] == '"':
        value, end = value_at(text, start)
        return str(value), end
    found = re.compile(NAME, re.ASCII).match(text, start)
    if not found:
        raise ValueError(f"a name was expected: {text[start : start + 40]!r}")
    return found.group(), found.end()
