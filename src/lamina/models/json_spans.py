"""JSON values amid other text: where one ends, whether it is JSON, and what can be made of one that breaks off. Each
function passes over the text once."""

from __future__ import annotations

import json
import math
from collections import deque
from typing import Any, NoReturn

DEEPEST = 64
CUTS_TRIED = 16
_CLOSING = {"[": "]", "{": "}", "(": ")"}


def end_of_value(text: str, start: int, *, quotes: str = '"') -> int:
    """Where the bracket that opens at ``start`` is closed; -1 where it never is, or ``DEEPEST`` is passed. With
    ``'`` among ``quotes`` an apostrophe begins a string where a value can begin."""
    depth, quote, before = 0, "", ""
    position = start
    while position < len(text):
        c = text[position]
        if quote:
            if c == "\\":
                position += 1
            elif c == quote:
                quote = ""
        elif c in quotes and (c == '"' or before in "[{(,:="):
            quote = c
        elif c in _CLOSING:
            depth += 1
            if depth > DEEPEST:
                return -1
        elif c in "]})":
            depth -= 1
            if depth == 0:
                return position + 1
        if not c.isspace():
            before = c
        position += 1
    return -1


def load_value(text: str, *, line_breaks: bool = False) -> Any:
    """A list or an object that can be stored as JSON again; None for all else. Depth is bounded before parsing:
    nested brackets must not exhaust the stack. ``line_breaks``: also with raw line breaks in strings."""
    if text[:1] not in ("[", "{") or end_of_value(text, 0) != len(text):
        return None
    try:
        return storable_value(json.loads(text, parse_constant=_refuse, parse_float=finite, strict=not line_breaks))
    except (ValueError, RecursionError):
        return None


def storable_value(value: Any) -> Any:
    """The value as it is. Raises ValueError where JSON cannot hold it: half of a surrogate pair is no text."""
    json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    return value


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError("a number beyond what can be written")
    return number


def closings(text: str, start: int) -> list[str]:
    """Ways to end a value that begins at ``start`` and breaks off: all that is there with its string and brackets
    closed, then with one element after another left out from the end. Empty where it is nested too deeply."""
    found = _unclosed(text, start)
    if found is None:
        return []
    stack, quote, escaped, commas = found
    body = text[start:-1] if escaped else text[start:]
    whole = body + quote + "".join(reversed(stack))
    return [whole, *(text[start:at] + "".join(reversed(open_)) for at, open_ in reversed(commas))]


def open_brackets(text: str, start: int) -> int | None:
    """How many brackets a value that begins at ``start`` leaves open; None where a string or more than ``DEEPEST``
    are."""
    found = _unclosed(text, start)
    return len(found[0]) if found is not None and not found[1] else None


def _unclosed(text: str, start: int) -> tuple[list[str], str, bool, deque[tuple[int, tuple[str, ...]]]] | None:
    """What a value that breaks off lacks: its closing brackets and quote, whether an escape is half written, and its
    last commas with the brackets open there. None where brackets do not match, or too many are open."""
    stack: list[str] = []
    commas: deque[tuple[int, tuple[str, ...]]] = deque(maxlen=CUTS_TRIED)
    in_string = escaped = False
    for position in range(start, len(text)):
        c = text[position]
        if in_string:
            if escaped:
                escaped = False
            elif c == "\\":
                escaped = True
            else:
                in_string = c != '"'
        elif c == '"':
            in_string = True
        elif c in "[{":
            stack.append(_CLOSING[c])
            if len(stack) > DEEPEST:
                return None
        elif c in "]}":
            if not stack or stack.pop() != c:
                return None
        elif c == ",":
            commas.append((position, tuple(stack)))
    return stack, '"' if in_string else "", escaped, commas
