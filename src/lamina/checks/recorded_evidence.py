"""What was said before a call of somebody else's row, for the mild grounding of ``hallucination``: may this value have
come from it? (Our choice.)"""

from __future__ import annotations

import math
import re
import unicodedata
from datetime import date
from typing import Any

from lamina.checks.abbreviations import inferred, named_otherwise, stands_for
from lamina.checks.evidence import numbers_in, plain
from lamina.checks.known_codes import code_said
from lamina.checks.moments import phrase_for
from lamina.checks.said_otherwise import (
    compact_date_said,
    date_beside_said,
    date_said,
    glossed,
    initials_said,
    listed_beside_said,
    number_said,
    one_of_a_range,
    span_said,
    time_said,
)
from lamina.trajectories.number_readings import to_float

_WORD = re.compile(r"[^\W_]+")
_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh",
             "twelfth")  # fmt: skip
_DATE = re.compile(r"\d{4}-\d\d-\d\d(?:[T ].*)?")
_OTHER_YEAR = re.compile(r"\b(?:last|previous|next|following) year")
_DATE_PARTS = re.compile(r"\b\d{4}-\d\d-(\d\d)\b")
_EDGE = re.compile(r"\b(?:end|start|beginning) of\b")
_OTHERS = re.compile(r"\b(?:others|other people|friends|colleagues)\b")
_DIGITS = re.compile(r"(?<!\d)\d{1,12}(?!\d)")
_DECIMALS = re.compile(r"(?<![\d.])\d{1,12}\.\d{1,12}(?![\d.])")
"""Also where a word makes more of it: "34.9 million" may be asked for in millions."""
_BELOW = re.compile(r"\b(?:less|fewer|lower) than (\d{1,6})\b")
_ABOVE = re.compile(r"\b(?:more|greater|higher) than (\d{1,6})\b")
_EMPTY_WORDS = frozenset(
    ("the", "of", "and", "in", "at", "to", "for", "from", "on", "an", "or", "with", "by", "is", "are", "com", "www",
     "http", "https")
)  # fmt: skip
_LASTS = re.compile(r"\b(?:nights?|days?)\b")
_INITIAL = re.compile(r"([a-z])(\d{1,2})")
_HEX_COLOUR = re.compile(r"#[0-9a-fA-F]{3,8}")
_PRONOUNS = {
    "female": frozenset(("she", "her", "woman", "women", "girl", "lady", "mother", "wife", "sister", "daughter")),
    "male": frozenset(("he", "his", "him", "man", "men", "boy", "father", "husband", "brother", "son")),
}
SHORT = 4
"""Letters: a word of fewer has to stand as a word of its own ("ca" is not said by "can")."""
_LARGEST_SHARE = 10
"""1000 %; larger numbers are no shares."""
_UNSAID = {
    0: frozenset(("no", "none", "zero", "nothing", "without", "free", "from", "start", "first", "off", "top", "null")),
    1: frozenset(
        (
            "a",
            "an",
            "one",
            "once",
            "single",
            "each",
            "every",
            "first",
            "per",
            "on",
            "another",
            "only",
            "yes",
            "next",
            "last",
            "top",
            "best",
            "highest",
            "lowest",
            "smallest",
            "largest",
            "latest",
            "newest",
            "oldest",
            "most",
            "second",
            "this",
            "my",
            "me",
        )
    ),
}
"""Words that say the smallest counts and a switch."""
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_RELATIVE = re.compile(
    r"\b(?:to(?:day|night|morrow)|yesterday|now|(?:mon|tues|wednes|thurs|fri|satur|sun)days?|(?:week|month|year|hour|minute)"
    r"s?|days?|weekend|(?:mor|eve)ning|afternoon|noon|midnight|christmas|easter|new year|birthday|\d ?[ap]m)\b"
)
AHEAD = 400
"""Days from the record's clock within which a word such as "Friday" may mean a date that ``moments`` doesn't read."""
_COLOURS = frozenset(
    ("black", "white", "red", "green", "blue", "yellow", "orange", "purple", "pink", "brown", "gray", "grey", "navy",
     "teal", "gold", "silver", "cyan", "magenta", "violet", "maroon", "beige", "turquoise", "colour", "color")
)  # fmt: skip


_YEAR = re.compile(r"(?:19|20)\d\d")
_MOMENTS = (time_said, span_said, compact_date_said, date_beside_said)


class RecordedEvidence:
    """What was said before a call, prepared for look-ups."""

    def __init__(self, text: str, now: str | None = None):
        self.text, self.now = _bare(text), now
        self.folded = re.sub(r"[\W_]+", "", self.text)
        self.words = frozenset(_WORD.findall(self.text))
        self._numbers: set[float] | None = None

    @property
    def numbers(self) -> set[float]:
        if self._numbers is None:
            ordinals = [float(n) for n, word in enumerate(_ORDINALS, 1) if word in self.text]
            runs = [float(run) for run in (*_DIGITS.findall(self.text), *_DECIMALS.findall(self.text))]
            self._numbers = {round(abs(n), 6) for n in (*numbers_in(self.text), *ordinals, *runs)}
        return self._numbers

    def has(self, value: Any, told: str) -> bool:
        """``told``: what the parameter's own description says; a value it proposes is not invented."""
        if value is None or isinstance(value, bool):
            return True
        if isinstance(value, int | float):
            if "default" in told and str(value) in told:
                return True
            if not math.isfinite(to_float(value)):
                return str(value) in self.text
            if self._number(float(value)):
                return True
            if value in _UNSAID:
                return bool(_UNSAID[int(value)] & self.words) or not self.text.isascii()
            if number_said(abs(value), self.text, self.numbers) or listed_beside_said(value, told, self.words):
                return True
            return one_of_a_range(value, self.text) or compact_date_said(str(value), self.text, self.numbers)
        value = str(value)
        if self.now and _DATE.fullmatch(value):
            return self._day(value, self.now)
        if any(said(value, self.text, self.numbers) for said in _MOMENTS) or date_said(value, self.numbers):
            return True
        if not value.strip() or inferred(value) or self._words(_bare(value), told.casefold()):
            return True
        if _YEAR.fullmatch(value) and self._number(float(value)):
            return True
        return initials_said(value, self.text) or self._code(value) or glossed(value, told, self.text)

    def chooses(self, value: Any, schema: dict[str, Any]) -> bool:
        """A choice may be made without a word of it ("funny" for comedy), but not against one: another of the choices
        is named, and this one is not."""
        told = str(schema.get("description", ""))
        others = [str(other) for other in schema["enum"] if other != value and len(str(other)) > 2]
        named = named_otherwise(str(value), self.text, told)
        return inferred(value) or named or not any(named_otherwise(other, self.text) for other in others)

    def _code(self, value: str) -> bool:
        if _HEX_COLOUR.fullmatch(value):
            return bool(_COLOURS & self.words)
        if named_otherwise(value, self.text) or code_said(value, self.text):
            return True
        return stands_for(value, self.text, self.words)

    def _number(self, value: float) -> bool:
        """Said as it is, as a share (15 % is 0.15), as a part of something longer (a date, an id), or as the next one
        below or above a bound ("less than 5" is at most 4)."""
        value = abs(value)  # "I gave 40 away" is -40 added
        same = {value}
        if value <= _LARGEST_SHARE:
            same.add(value * 100)
        if value <= 100:
            same.add(value / 100)
        if value < 1:  # 50 mH are 0.05 H
            same |= {value * 1000, value * 1e6}
        if value.is_integer():
            if 1900 < value < 2100 and _OTHER_YEAR.search(self.text):
                same |= {value - 1, value + 1}
            if value > 1 and _OTHERS.search(self.text):  # "with three others" are four
                same.add(value - 1)
            if value in {float(n) - 1 for n in _BELOW.findall(self.text)}:
                return True
            if value in {float(n) + 1 for n in _ABOVE.findall(self.text)}:
                return True
        return bool({round(n, 6) for n in same} & self.numbers)

    def _words(self, value: str, told: str) -> bool:
        """At least half of the words, or the day of a date. A default that the description names needs no words."""
        if dated := _DATE_PARTS.search(value):
            return float(dated[1]) in self.numbers or bool(_EDGE.search(self.text)) or self._ends_a_stay(int(dated[1]))
        words = [w for w in _WORD.findall(value) if len(w) > 1 or w.isdecimal()]
        words = [w for w in words if w not in _EMPTY_WORDS] or words
        if not words or self._stands_there(value):
            return True
        if "default" in told and value in told:
            return True
        return 2 * sum(self._said(w) for w in words) >= len(words)

    def _stands_there(self, value: str) -> bool:
        """As it is, or with other marks between its letters; a short value as a word of its own."""
        folded = re.sub(r"[\W_]+", "", value)
        if len(folded) > SHORT:
            return value in self.text or folded in self.folded
        return re.search(rf"(?<![^\W_]){re.escape(value)}(?![^\W_])", self.text) is not None or folded in self.words

    def _day(self, value: str, now: str) -> bool:
        """A date at the clock: by a phrase that means it, by its day with its month, or by a word for a day near."""
        if value[:10] in self.text or phrase_for(value, plain(self.text), now):
            return True
        try:
            day, today = date.fromisoformat(value[:10]), date.fromisoformat(now[:10])
        except ValueError:
            return False
        if float(day.day) in self.numbers and self._month(day.month):
            return True
        return abs((day - today).days) <= AHEAD and _RELATIVE.search(self.text) is not None

    def _month(self, month: int) -> bool:
        return float(month) in self.numbers or any(word.startswith(_MONTHS[month - 1]) for word in self.words)

    def _ends_a_stay(self, day: int) -> bool:
        """Five nights from the 15th are over on the 20th."""
        lasts = _LASTS.search(self.text) is not None
        return lasts and any(float(n) in self.numbers and float(day - n) in self.numbers for n in range(1, day))

    def _said(self, word: str) -> bool:
        if word.isdecimal():
            return float(word) in self.numbers
        if word in _PRONOUNS:
            return word in self.words or bool(_PRONOUNS[word] & self.words)
        if (short := _INITIAL.fullmatch(word)) and float(short[2]) in self.numbers:  # the fourth quarter is Q4
            return any(len(w) > 1 and w.startswith(short[1]) for w in self.words)
        if not word.isascii():  # scripts without spaces, and endings of others
            pairs = [word[i : i + 2] for i in range(len(word) - 1)] or [word]
            return 2 * sum(pair in self.folded for pair in pairs) >= len(pairs)
        if len(word) < SHORT:
            return word in self.words
        return word in self.folded or any(said.startswith(_stem(word)) for said in self.words)


def _stem(word: str) -> str:
    """A word without its ending, so that ``running`` is found in ``run`` and ``libraries`` in ``library``."""
    if word.endswith("ing") and len(word) > 5:
        return word[:-3]
    return word if len(word) < 5 or any(c.isdigit() for c in word) else word[: max(4, len(word) - 3)]


def _bare(text: str) -> str:
    """Case and accents folded."""
    return "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))
