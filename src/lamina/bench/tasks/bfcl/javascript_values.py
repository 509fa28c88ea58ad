"""JavaScript values: source text as an answer gives it (``[1, 'a']``, ``{k: true}``) to Python values, read as the
leaderboard reads them. Text that does not fit its type stays text. Nothing is evaluated."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

TYPES: dict[str, type] = {
    "String": str,
    "integer": int,
    "float": float,
    "Bigint": int,
    "Boolean": bool,
    "dict": dict,
    "array": list,
    "any": str,
}
COLLECTIONS = ("array",)

_WHOLE = re.compile(r"^-?\d+$")
_DECIMAL = re.compile(r"^-?\d+(\.\d+)?$")
_BIG = re.compile(r"^-?\d+n$")
_ARRAY = re.compile(r"\[(.*?)\]|\bnew\s+Array\((.*?)\)")
_NEW_ARRAY = re.compile(r"new\s+Array\(")
_INNER = re.compile(r"\[(.*?)\]")
_OBJECT = re.compile(r"\{(.*?)\}")
_PAIR = re.compile(r"([^:]+):\s*(.*?)(?:,\s*(?=[^,]+:)|$)")


def javascript_value(text: str, kind: str, element: str | None = None) -> Any:
    """``text`` as a value of type ``kind`` (a key of ``TYPES``), ``element`` the type of what an array holds.
    Raises KeyError for a type that is not converted."""
    return _READERS[kind](text, element)


def _string(text: str, _: str | None) -> Any:
    quoted = any(text.startswith(quote) and text.endswith(quote) for quote in "\"'")
    return text[1:-1] if quoted else text


def _integer(text: str, _: str | None) -> Any:
    return int(text) if _WHOLE.match(text) else text


def _float(text: str, _: str | None) -> Any:
    return float(text) if _DECIMAL.match(text) else text


def _bigint(text: str, _: str | None) -> Any:
    return int(text[:-1]) if _BIG.match(text) else text


def _boolean(text: str, _: str | None) -> Any:
    return {"true": True, "false": False}.get(text, text)


def _text(text: str, _: str | None) -> Any:
    return text


def _array(text: str, element: str | None) -> Any:
    text = text.strip()
    end = _end_of_table(text)
    if end is not None:
        rows = [inner.strip() for inner in _INNER.findall(text[:end])]
        rows = [rows[0].removeprefix("["), *rows[1:]]
        return [[_untyped(part.strip()) for part in row.split(",")] for row in rows]
    found = _ARRAY.match(text)
    if found is None:
        return text
    body = (found.group(1) if found.group(1) is not None else found.group(2)).strip()
    parts = [part.strip() for part in body.split(",")] if body else []
    if not element:
        return [_untyped(part) for part in parts]
    try:
        return [javascript_value(part, element) for part in parts]
    except (KeyError, ValueError):
        return text


def _object(text: str, _: str | None) -> Any:
    text = text.strip()
    found = _OBJECT.match(text)
    if found is None:
        return text
    pairs = [(key.strip().strip("'\""), value.strip()) for key, value in _PAIR.findall(found.group(1))]
    return {key: _member(value) for key, value in pairs}


def _member(value: str) -> Any:
    if value.startswith("[") and value.endswith("]"):
        return _array(value, None)
    return _untyped(value.strip("'\""))


def _untyped(text: str) -> Any:
    """A value whose type is not declared, by its looks."""
    text = text.strip()
    if text in ("true", "false"):
        return text == "true"
    if any(text.startswith(quote) and text.endswith(quote) for quote in "\"'"):
        return text[1:-1]
    for number in (int, float):
        try:
            return number(text)
        except ValueError:
            continue
    return text


def _end_of_table(text: str) -> int | None:
    """Where an array of arrays ends, or None where the text does not begin with one.

    What is accepted is ``[`` or ``new Array(``, then groups ``[…]`` with commas between them, then the closing
    bracket; a group may hold anything but a line break, brackets included. Written out as a regular expression this
    takes time exponential in the number of groups when the end is missing, so the same search (the shortest first
    group that works, then as many groups as work) is made from right to left, once for each position."""
    opening = _NEW_ARRAY.match(text)
    close, begin = (")", opening.end()) if opening else ("]", 1)
    if not opening and not text.startswith("["):
        return None
    begin = _past_space(text, begin)
    if not text.startswith("[", begin):
        return None
    inside: list[int | None] = [None] * (len(text) + 2)  # the end, for a group that began before this position
    between: list[int | None] = [None] * (len(text) + 2)  # the end, when a group was closed just before it
    for at in range(len(text) - 1, begin, -1):
        c = text[at]
        if c.isspace():
            between[at] = between[at + 1]
        elif c == close:
            between[at] = at + 1
        if c == ",":
            group = _past_space(text, at + 1)
            between[at] = inside[group + 1] if text.startswith("[", group) else None
        if c == "]" and between[at + 1] is not None:
            inside[at] = between[at + 1]
        elif c != "\n":
            inside[at] = inside[at + 1]
    return inside[begin + 1]


def _past_space(text: str, position: int) -> int:
    while position < len(text) and text[position].isspace():
        position += 1
    return position


_READERS: dict[str, Callable[[str, str | None], Any]] = {
    "String": _string,
    "integer": _integer,
    "float": _float,
    "Bigint": _bigint,
    "Boolean": _boolean,
    "dict": _object,
    "array": _array,
    "any": _text,
}
