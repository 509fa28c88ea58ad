"""Java values: source text as an answer gives it (``"5L"``, ``new int[]{1, 2}``) to Python values, read as the
leaderboard reads them. Text that does not fit its type stays text. Nothing is evaluated, and time grows at most
with the square of a text's length, which the caller bounds."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

TYPES: dict[str, type] = {
    "byte": int,
    "short": int,
    "integer": int,
    "long": int,
    "float": float,
    "double": float,
    "boolean": bool,
    "char": str,
    "String": str,
    "any": str,
    "Array": list,
    "ArrayList": list,
    "HashMap": dict,
}
"""The leaderboard names Set, Hashtable, Queue and Stack too and converts none of them."""
COLLECTIONS = ("Array", "ArrayList")
"""Types whose elements have a type of their own."""

_WHOLE = re.compile(r"^-?\d+$")
_LONG = re.compile(r"^-?\d+[lL]$")
_DOUBLE = re.compile(r"^-?\d+(\.\d+)?([eE][+-]?\d+)?$")
_FLOAT = re.compile(r"^-?\d+(\.\d+)?([eE][+-]?\d+)?[fF]$")
_ARRAY = re.compile(r"new\s+\w+\[\]\s*\{(.*?)\}")
_AS_LIST = re.compile(r"new\s+ArrayList<\w*>\(Arrays\.asList\((.+?)\)\)")
_NEW_LIST = re.compile(r"new\s+ArrayList<\w*>\(\)")
_LIST_BODY = re.compile(r"new\s+ArrayList<\w*>\(\)\s*\{\{")
_ADD = re.compile(r"add\((.+?)\)")
_NEW_MAP = re.compile(r"new\s+HashMap<.*?>\s*\(\)", re.DOTALL)
_MAP_BODY = re.compile(r"new\s+HashMap<.*?>\s*\(\)\s*\{", re.DOTALL)


def java_value(text: str, kind: str, element: str | None = None) -> Any:
    """``text`` as a value of Java type ``kind`` (a key of ``TYPES``), ``element`` the type of what a collection
    holds. Raises KeyError for a type that is not converted."""
    return _READERS[kind](text, element)


def _integer(text: str, _: str | None) -> Any:
    return int(text) if _WHOLE.match(text) else text


def _long(text: str, _: str | None) -> Any:
    return int(text.rstrip("\n")[:-1]) if _LONG.match(text) else text


def _double(text: str, _: str | None) -> Any:
    return float(text) if _DOUBLE.match(text) else text


def _float(text: str, _: str | None) -> Any:
    return float(text.rstrip("\n")[:-1]) if _FLOAT.match(text) else text


def _boolean(text: str, _: str | None) -> Any:
    return {"true": True, "false": False}.get(text, text)


def _text(text: str, _: str | None) -> Any:
    return text


def _array(text: str, element: str | None) -> Any:
    found = _ARRAY.search(text)
    if found is None:
        return text
    return [_element(part.strip(), element) for part in found.group(1).split(",") if part.strip()]


def _array_list(text: str, element: str | None) -> Any:
    found = _AS_LIST.search(text)
    if found is not None:
        return [_unquoted(part.strip(), element) for part in found.group(1).split(",")]
    body = next(_list_bodies(text), None)
    if body is not None:
        return [_unquoted(part.strip(), element) for part in _ADD.findall(body)]
    return [] if _NEW_LIST.search(text) else text


def _list_bodies(text: str) -> Iterator[str]:
    """What stands between ``{{`` and ``}}``, at least one character, white space around it left out where there is
    other text."""
    for start in _LIST_BODY.finditer(text):
        begin = start.end()
        while begin < len(text) and text[begin].isspace():
            begin += 1
        end = text.find("}}", begin + 1)
        if end >= 0:
            yield text[begin:end].rstrip() or text[begin:end]
        elif begin > start.end() and text.startswith("}}", begin):
            yield text[begin - 1 : begin]


def _hash_map(text: str, _: str | None) -> Any:
    start = _MAP_BODY.search(text)
    if start is not None:
        begin = _after_space(text, start.end())
        if text.startswith("{", begin):
            begin = _after_space(text, begin + 1)
        end = text.find("}", begin)
        if end >= 0:
            return {key: _untyped(value.strip()) for key, value in _puts(text[begin:end])}
    return {} if _NEW_MAP.search(text) else text


def _after_space(text: str, position: int) -> int:
    while position < len(text) and text[position].isspace():
        position += 1
    return position


def _puts(body: str) -> Iterator[tuple[str, str]]:
    """Key and value of each ``put("key", value)``; neither spans lines."""
    position = 0
    while (start := body.find('put("', position)) >= 0:
        begin = start + len('put("')
        found = _put(body, begin)
        if found is None:
            position = start + 1
            continue
        key_end, value_begin, position = found
        yield body[begin:key_end], body[value_begin : position - 1]


def _put(body: str, begin: int) -> tuple[int, int, int] | None:
    """Where the key ends, the value begins, and the closing parenthesis is behind us."""
    if body.find(")", begin) < 0:
        return None
    line_end = _line_end(body, begin)
    key_end = body.find('",', begin, line_end)
    while key_end >= 0:
        value = _after_space(body, key_end + 2)
        close = body.find(")", value, _line_end(body, value))
        if close >= 0:
            return key_end, value, close + 1
        key_end = body.find('",', key_end + 1, line_end)
    return None


def _line_end(text: str, position: int) -> int:
    end = text.find("\n", position)
    return len(text) if end < 0 else end


def _element(text: str, kind: str | None) -> Any:
    return java_value(text, kind) if kind else _untyped(text)


def _unquoted(text: str, kind: str | None) -> Any:
    """Lists take the quotes off their strings and characters, whatever those are; arrays do not."""
    return text[1:-1] if kind in ("char", "String") else _element(text, kind)


def _untyped(text: str) -> Any:
    """A value whose type is not declared, by its looks."""
    if text in ("true", "false"):
        return text == "true"
    if text.startswith('"') and text.endswith('"'):
        return text[1:-1]
    if _LONG.match(text):
        return int(text[:-1])
    if _FLOAT.match(text):
        return float(text[:-1])
    for number in (int, float):
        try:
            return number(text)
        except ValueError:
            continue
    return text


_READERS: dict[str, Callable[[str, str | None], Any]] = {
    "byte": _integer,
    "short": _integer,
    "integer": _integer,
    "long": _long,
    "float": _float,
    "double": _double,
    "boolean": _boolean,
    "char": _text,
    "String": _text,
    "any": _text,
    "Array": _array,
    "ArrayList": _array_list,
    "HashMap": _hash_map,
}
