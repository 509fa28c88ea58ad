"""All the calls that stand in a text, as JSON or in Python's spelling, with other words around and between them."""

from __future__ import annotations

import re

from lamina.models.call_values import LIKE_A_CALL, SEVERAL, WORDS, Part, closed, part_of
from lamina.models.values_amid_text import effort_for, value_at
from lamina.tools import Toolbox

_START = re.compile(r"[\[{]")
_BROKEN = re.compile(r"\[\s{0,20}[\[{]|\{\s{0,20}[\"']")
"""How a value begins, and words in brackets do not."""
_SEPARATORS = " \n\r\t;,"
_SENTENCE_ENDS = (".", "!", "?", ";", ">")


def calls_amid(text: str, toolbox: Toolbox | None) -> Part:
    """Objects that follow each other are one answer; calls with words or arrays between them are taken together too,
    which costs confidence. A value that looks like a call and is none is a problem wherever it stands."""
    found = _Found(text)
    position, effort = 0, effort_for(text)
    unclosed = -1
    while (opened := _START.search(text, position)) is not None:
        start = opened.start()
        value, end, repairs = value_at(text, start)
        part = part_of(value, toolbox) if value is not None else None
        if part is not None:
            found.take(start, end, part, repairs, one=isinstance(value, dict))
            position = end
            continue
        if found.parts and found.adjoins(start) and (value or _BROKEN.match(text, start)):
            return Part([], f"the second call cannot be read: {text[start:][:80]!r}")
        if end < 0 and not found.parts and _BROKEN.match(text, start):
            return closed(text, start, toolbox)
        unclosed = start if end < 0 and unclosed < 0 else unclosed
        position = end if value is not None else start + 1
        effort -= 0 if value is not None else (end if end > 0 else len(text)) - start
        if effort < 0:
            return Part([], f"there are too many brackets that are no values: {text[start:][:80]!r}")
    if found.parts or found.refused():
        lost = found.unread()
        return Part([], f"one of the calls cannot be read: {lost[:80]!r}") if lost else found.together()
    if unclosed >= 0:
        return closed(text, unclosed, toolbox)
    return Part([], f"not a JSON array of calls: {text[:80]!r}")


class _Found:
    """What has been found in a text so far."""

    def __init__(self, text: str):
        self.parts: list[Part] = []
        self._text = text
        self._apart = self._arrays = False
        self._repairs: frozenset[str] = frozenset()
        self._end = 0
        self._empty: list[tuple[int, int]] = []
        self._spans: list[tuple[int, int]] = []

    def take(self, start: int, end: int, part: Part, repairs: frozenset[str], *, one: bool) -> None:
        if not part.rows:
            self._empty.append((start, end))
            return
        between = self._text[self._end : start]
        self._apart |= bool(between.strip(_SEPARATORS) if self.parts else between.strip())
        self._arrays |= not one
        self.parts.append(part)
        self._spans.append((start, end))
        self._repairs |= repairs | part.repairs
        self._end = end

    def adjoins(self, start: int) -> bool:
        """Whether an object follows one at once: it is meant to be a call."""
        between = self._text[self._end : start]
        return self._text[start] == "{" and not self._arrays and not between.strip(_SEPARATORS)

    def refused(self) -> bool:
        """Whether an empty list is the answer: it begins it, follows a colon or stands in a line of its own, or ends it
        after a sentence. Amid words it is a word."""
        for start, end in self._empty:
            before, after = self._text[:start].rstrip(" \t"), self._text[end:].strip(" \n\r\t.;,]}`")
            if not before.strip() or before.endswith((":", "\n")) or (not after and before.endswith(_SENTENCE_ENDS)):
                return True
        return False

    def unread(self) -> str:
        """From something on that looks like a call and was not read as one; empty where there is none."""
        position = 0
        for start, end in [*self._spans, (len(self._text), len(self._text))]:
            if like := LIKE_A_CALL.search(self._text, position, start):
                return self._text[like.start() :]
            position = end
        return ""

    def together(self) -> Part:
        rest = self._text[self._end :] if self.parts else self._text.replace("[]", "", 1)
        several = self._arrays and len(self.parts) > 1
        repairs = self._repairs | ({SEVERAL} if several or (self._apart and len(self.parts) > 1) else set())
        if self._apart or rest.strip(_SEPARATORS + "]}"):
            repairs |= {WORDS}
        return Part([row for part in self.parts for row in part.rows], None, repairs)
