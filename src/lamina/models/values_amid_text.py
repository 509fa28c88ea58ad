"""Values and calls amid other words: the value at a place with what had to be repaired, and a text's outline, in which
nothing that stands inside a value can be mistaken for a mark."""

from __future__ import annotations

import re
from typing import Any

from lamina.models.escaped_values import escaped_spans
from lamina.models.json_spans import end_of_value, load_value
from lamina.models.python_calls import NAME, call_at, python_value
from lamina.models.tagged_parameters import tagged_spans

SPELLING, LINES = "values in Python's spelling", "raw line breaks in a text"
HIDDEN = "\x01"
_START = re.compile(rf"[\[{{]|{NAME.pattern}")
_MARK = re.compile(r"<|```|\[TOOL_CALLS\]|Action:")


def effort_for(text: str) -> int:
    """Characters that may be looked at in vain, which bounds the time."""
    return 4 * len(text) + 50_000


def value_at(text: str, start: int) -> tuple[Any, int, frozenset[str]]:
    """The value whose bracket opens at ``start``, where it ends (-1: it does not), and what was repaired."""
    end = end_of_value(text, start)
    value = load_value(text[start:end]) if end > 0 else None
    if value is not None:
        return value, end, frozenset()
    if end > 0 and (value := load_value(text[start:end], line_breaks=True)) is not None:
        return value, end, frozenset({LINES})
    apart = end_of_value(text, start, quotes="\"'")
    if apart > 0 and (value := python_value(text[start:apart])) is not None:
        return value, apart, frozenset({SPELLING})
    return None, end, frozenset()


def outline(text: str) -> str:
    """The text, as long as it is, with all that stands inside of values, Python calls, tagged parameters and escaped
    texts replaced: marks found in it are marks."""
    if not _MARK.search(text):
        return text
    pieces: list[str] = []
    position = 0
    for begin, end in sorted([*tagged_spans(text), *escaped_spans(text)]):
        if begin < position:  # one family's mark in a value of another's
            continue
        pieces.append(_hidden_values(text[position:begin]))
        pieces.append(HIDDEN * (end - begin))
        position = end
    return "".join(pieces) + _hidden_values(text[position:])


def _hidden_values(text: str) -> str:
    pieces: list[str] = []
    position = after = 0
    effort = effort_for(text)
    while effort > 0 and (found := _START.search(text, after)) is not None:
        start, opening = found.start(), found.end()
        if found[0] in "[{":
            value, end, _ = value_at(text, start)
            known = value is not None
        else:
            call = call_at(text, start)
            known, end = call is not None, call[1] if call else -1
        if known:
            pieces += [text[position:opening], HIDDEN * (end - 1 - opening)]
            position, after = end - 1, end
        else:
            effort -= (end if end > 0 else len(text)) - start
            after = opening
    return "".join(pieces) + text[position:]
