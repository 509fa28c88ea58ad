"""The text said before a call of somebody else's row: does it say these words, this day, these numbers? What
``recorded_evidence`` asks of it. (Our choice.)"""

from __future__ import annotations

import calendar
import re
from datetime import date

from lamina.checks.evidence import numbers_in, plain
from lamina.checks.moments import phrase_for
from lamina.checks.words_said import bare

_WORD = re.compile(r"[^\W_]+")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z][a-z])")
_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh",
             "twelfth")  # fmt: skip
_DATE_PARTS = re.compile(r"\b\d{4}-\d\d-(\d\d)\b")
_EDGE = re.compile(r"\b(?:end|start|beginning|(?:last|first) day) of\b")
_DIGITS = re.compile(r"(?<!\d)\d{1,12}(?!\d)")
_DECIMALS = re.compile(r"(?<![\d.])\d{1,12}\.\d{1,12}(?![\d.])")
"""Also where a word makes more of it: "34.9 million" may be asked for in millions."""
_EMPTY_WORDS = frozenset(
    ("the", "of", "and", "in", "at", "to", "for", "from", "on", "an", "or", "with", "by", "is", "are", "com",
     "www", "http", "https", "but", "have", "has", "had", "do", "does", "did", "will", "would", "can", "could",
     "should", "it", "its", "this", "that", "these", "those", "you", "we", "they", "he", "she", "my", "your",
     "our", "their", "me", "us", "them", "be", "been", "was", "were", "am", "as", "so", "if", "not", "out",
     "up", "about", "into", "there", "here", "just", "also", "than", "then")
)  # fmt: skip
"""They say nothing of what a value is about: half of the others decide."""
_SIGNS = {"%": ("percent", "percentage"), "$": ("dollar", "dollars")}
_LASTS = re.compile(r"\b(?:nights?|days?)\b")
_INITIAL = re.compile(r"([a-z])(\d{1,2})")
_PRONOUNS = {
    "female": frozenset(("she", "her", "woman", "women", "girl", "lady", "mother", "wife", "sister", "daughter")),
    "male": frozenset(("he", "his", "him", "man", "men", "boy", "father", "husband", "brother", "son")),
}
SHORT = 4
"""Letters: a word of fewer has to stand as a word of its own ("ca" is not said by "can")."""
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_RELATIVE = re.compile(
    r"\b(?:to(?:day|night|morrow)|yesterday|now|(?:mon|tues|wednes|thurs|fri|satur|sun)days?|(?:week|month|year|hour|minute)"
    r"s?|days?|weekend|(?:mor|eve)ning|afternoon|noon|midnight|christmas|easter|new year|birthday|\d ?[ap]m)\b"
)
AHEAD = 400
"""Days from the record's clock within which a word such as "Friday" may mean a date that ``moments`` doesn't read."""


class RecordedText:
    """Prepared for look-ups. ``now``: the record's clock."""

    def __init__(self, text: str, now: str | None = None):
        self.text, self.now = bare(text), now
        self.folded = re.sub(r"[\W_]+", "", self.text)
        signs = [name for sign, names in _SIGNS.items() if sign in text for name in names]
        self.words = frozenset([*_WORD.findall(self.text), *signs])
        self._by_clock = frozenset(_named_by(now))
        self._numbers: set[float] | None = None

    @property
    def numbers(self) -> set[float]:
        if self._numbers is None:
            ordinals = [float(n) for n, word in enumerate(_ORDINALS, 1) if word in self.text]
            runs = [float(run) for run in (*_DIGITS.findall(self.text), *_DECIMALS.findall(self.text))]
            self._numbers = {round(abs(n), 6) for n in (*numbers_in(self.text), *ordinals, *runs)}
        return self._numbers

    def says(self, value: str, told: str) -> bool:
        """At least half of the words, or the day of a date. A default that the description names needs no words."""
        value = bare(_CAMEL.sub(" ", value))
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

    def says_day(self, value: str, now: str) -> bool:
        """A date at the clock: by a phrase that means it, by its day with its month, or by a word for a day near; today
        by nothing at all."""
        if value[:10] in self.text or phrase_for(value, plain(self.text), now):
            return True
        try:
            day, today = date.fromisoformat(value[:10]), date.fromisoformat(now[:10])
        except ValueError:
            return False
        if day == today or (float(day.day) in self.numbers and self._month(day.month)):
            return True
        if _EDGE.search(self.text) and self._month(day.month) and _ends_or_begins_a_month(day):
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
        if len(word) < SHORT or word in self._by_clock:
            return word in self.words or word in self._by_clock
        return word in self.folded or any(said.startswith(_stem(word)) for said in self.words)


def _ends_or_begins_a_month(day: date) -> bool:
    return day.day in (1, calendar.monthrange(day.year, day.month)[1])


def _stem(word: str) -> str:
    """A word without its ending, so that ``running`` is found in ``run`` and ``libraries`` in ``library``."""
    if word.endswith("ing") and len(word) > 5:
        return word[:-3]
    return word if len(word) < 5 or any(c.isdigit() for c in word) else word[: max(4, len(word) - 3)]


def _named_by(now: str | None) -> list[str]:
    """The month and the weekday of the clock: "is it normally so hot?" asks about September in September."""
    try:
        day = date.fromisoformat(now[:10]) if now else None
    except ValueError:
        return []
    return [calendar.month_name[day.month].casefold(), calendar.day_name[day.weekday()].casefold()] if day else []
