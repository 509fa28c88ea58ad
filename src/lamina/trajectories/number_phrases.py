"""Numbers that take words: ``nine hundred and five``, ``one and a half million``, ``half a dozen``, ``minus 5``."""

from __future__ import annotations

import re
from typing import NamedTuple

from lamina.trajectories.number_words import FRACTIONS, ONES, ORDINALS, SCALES, TENS


class Reading(NamedTuple):
    """``sure``: who says this means a number and not, as with ``second`` or ``a third``, perhaps something else."""

    value: float
    words: str
    start: int
    end: int
    sure: bool = True

    def overlaps(self, other: Reading) -> bool:
        return self.start < other.end and other.start < self.end


class Word(NamedTuple):
    """A word of numbers, or digits (then with their value)."""

    text: str
    start: int
    end: int
    value: float | None = None


_COUNTS = {"couple": 2.0, "pair": 2.0, "dozen": 12.0}
_MINUS = frozenset(("minus", "negative"))
_OTHERS = frozenset(
    ("a", "an", "and", "of", "half", "quarter", "quarters", "third", "thirds", "point", "twice", "both")
)
NUMBER_WORDS = (
    frozenset((*ONES, *TENS, *SCALES, *ORDINALS, *_COUNTS, *_MINUS, *_OTHERS, "dozens"))
    | {f"{scale}s" for scale in SCALES}
)  # fmt: skip
_ONES = {word: float(n) for n, word in enumerate(ONES)}
_SEVERAL = re.compile(r"\b(?:sum|add|adding|plus|times|multiply|product|between|numbers|values|both|average|compare)\b")
"""Words beside which "one hundred and five" may be two numbers."""
_BELOW_ZERO = re.compile(r"(?: degrees?(?: celsius| fahrenheit)?)? below(?: zero)?\b")


class Phrases:
    """Reads numbers that take several words."""

    def __init__(self, text: str, words: list[Word]):
        self.text, self.words = text, words

    def readings(self) -> list[Reading]:
        found: list[Reading] = []
        i = 0
        while i < len(self.words):
            j, read = self._at(i)
            found += read
            i = max(j, i + 1)
        return found

    def _near(self, i: int, gaps: tuple[str, ...] = (" ", "-")) -> bool:
        """Whether a word stands right after the one before it."""
        return 0 < i < len(self.words) and self.text[self.words[i - 1].end : self.words[i].start] in gaps

    def _is(self, i: int, *texts: str) -> bool:
        return self._near(i) and self.words[i].text in texts

    def _reading(self, value: float, i: int, j: int, sure: bool = True) -> Reading:
        start, end = self.words[i].start, self.words[j - 1].end
        return Reading(round(value, 9), self.text[start:end], start, end, sure)

    def _at(self, i: int) -> tuple[int, list[Reading]]:
        """The readings of the number that begins at a word, and where the next one may begin."""
        if self.words[i].text in _MINUS:
            if not self._near(i + 1) or (self._near(i) and self.words[i - 1].text in (*_ONES, *TENS, *SCALES)):
                return i + 1, []
            if i and self.words[i - 1].value is not None and self._near(i):  # "10 minus 5"
                return i + 1, []
            value, j, _ = self._cardinal(i + 1)
            return j, [] if value is None else [self._reading(-value, i, j)]
        value, j, parts = self._cardinal(i)
        if value is None:
            return self._other(i)
        alone = j == i + 1 and self.words[i].value is not None  # digits: already read
        if not alone and (below := _BELOW_ZERO.match(self.text, self.words[j - 1].end)) and "zero" in below.group():
            start = self.words[i].start
            after = next((n for n in range(j, len(self.words)) if self.words[n].start >= below.end()), len(self.words))
            return after, [Reading(-value, self.text[start : below.end()], start, below.end())]
        found = [] if alone else [self._reading(value, i, j, sure=j > i + 1 or self.words[i].text != "half")]
        return j, [*found, *parts, *self._pair(i, j, value)]

    def _pair(self, i: int, j: int, value: float) -> list[Reading]:
        """A year or a price: ``nineteen ninety nine``."""
        if not 10 <= value < 100 or self.words[i].value is not None or not self._near(j):
            return []
        last, k, _ = self._cardinal(j)
        if last is None or not 10 <= last < 100 or self.words[j].value is not None:
            return []
        return [self._reading(both, i, k, sure=False) for both in (100 * value + last, value + last / 100)]

    def _cardinal(self, i: int) -> tuple[float | None, int, list[Reading]]:
        """Value, where the next word stands, and readings of its parts where it may have been two numbers."""
        value, j = self._multiple(i)
        if value is None:
            return None, i + 1, []
        parts: list[Reading] = []
        first = (value, i, j)
        last = _size(value)
        while last >= 100 and j < len(self.words):
            joined = self._near(j) and self.words[j].text == "and"
            k = j + joined
            listed = not joined and self._near(k, (", ",)) and self.words[first[1]].value is None
            if not (self._near(k) or listed):
                break
            more, end = self._multiple(k)
            if (
                more is None
                or self.words[k].text in ("a", "an", "half", "quarter")
                or more >= last
                or more != int(more)
            ):
                break
            if self.words[k].value is not None and self.words[first[1]].value is None:
                break  # "a hundred 5"
            if (joined or not self._near(k)) and _SEVERAL.search(self.text):
                parts += [] if parts else [self._reading(first[0], first[1], first[2], sure=False)]
                parts.append(self._reading(more, k, end, sure=False))
            value, j, last = value + more, end, _size(more)
        return value, j, parts

    def _multiple(self, i: int) -> tuple[float | None, int]:
        """``five``, ``two hundred``, ``half a million``, ``one and a half thousand``, ``a dozen``."""
        if i >= len(self.words):
            return None, i + 1
        word = self.words[i].text
        if word in ("a", "an"):
            return self._scaled(1.0, i + 1) if self._scales(i + 1) else (None, i + 1)
        if word in _COUNTS:
            return self._scaled(_COUNTS[word], i + 1)
        if word == "half" or (word == "quarter" and self._fraction_of(i + 1)):
            return self._scaled(FRACTIONS[word], self._fraction_of(i + 1) or i + 1)
        value, j = self._small(i)
        if value is None:
            return (SCALES[word], i + 1) if word == "hundred" and not self._near(i) else (None, i + 1)
        if self._is(j, "quarters", "thirds") and value in (1, 2, 3):
            return self._scaled(value * FRACTIONS[self.words[j].text[:-1]], self._fraction_of(j + 1) or j + 1)
        return self._scaled(value, j)

    def _fraction_of(self, i: int) -> int | None:
        """The place of the scale in ``of a million``."""
        i += self._is(i, "of")
        i += self._is(i, "a", "an")
        return i if self._scales(i) else None

    def _scales(self, i: int) -> bool:
        return self._near(i) and (self.words[i].text in SCALES or self.words[i].text in ("dozen", "couple", "pair"))

    def _scaled(self, value: float, j: int) -> tuple[float, int]:
        value, j = self._and_a_half(value, j)
        while self._near(j):
            word = self.words[j].text
            scale = SCALES.get(word) or SCALES.get(word[:-1]) or _COUNTS.get(word.removesuffix("s"))
            if scale is None:
                break
            value, j = self._and_a_half(value * scale, j + 1, scale) if word == "dozen" else (value * scale, j + 1)
            if scale == 100:
                value, j = self._of_a_larger_scale(value, j)
        return value, j

    def _of_a_larger_scale(self, hundreds: float, j: int) -> tuple[float, int]:
        """``one hundred and one thousand``: tens and ones belong to the hundreds where thousands follow."""
        joined = self._is(j, "and")
        if joined and _SEVERAL.search(self.text):  # "between one hundred and one thousand"
            return hundreds, j
        small, k = self._small(j + joined) if self._near(j + joined) else (None, j)
        if small is None or small != int(small) or not self._near(k):
            return hundreds, j
        scale = SCALES.get(self.words[k].text.removesuffix("s"), 0)
        return (hundreds + small, k) if scale > 100 and small < 100 else (hundreds, j)

    def _and_a_half(self, value: float, j: int, of: float = 1.0) -> tuple[float, int]:
        if not self._is(j, "and"):
            return value, j
        k = j + 1 + self._is(j + 1, "a")
        if self._is(k, "half", "quarter"):
            return value + of * FRACTIONS[self.words[k].text], k + 1
        if self._is(k, "three") and self._is(k + 1, "quarters"):
            return value + of * 0.75, k + 2
        return value, j

    def _small(self, i: int) -> tuple[float | None, int]:
        """Digits, or up to 99 in words, with what stands after the point."""
        word = self.words[i]
        if word.value is not None:
            return word.value, i + 1
        if word.text in TENS:
            ones = _ONES.get(self.words[i + 1].text, 0.0) if self._near(i + 1) else 0.0
            value, j = (TENS[word.text] + ones, i + 2) if 0 < ones < 10 else (float(TENS[word.text]), i + 1)
        elif word.text in _ONES:
            value, j = _ONES[word.text], i + 1
        else:
            return None, i + 1
        if not self._is(j, "point"):
            return value, j
        k, digits = j + 1, ""
        while self._near(k) and _ONES.get(self.words[k].text, 10) < 10:
            digits, k = digits + str(int(_ONES[self.words[k].text])), k + 1
        return (float(f"{value:.0f}.{digits}"), k) if digits else (value, j)

    def _other(self, i: int) -> tuple[int, list[Reading]]:
        """Ordinals, fractions, ``twice``, ``both``: perhaps numbers."""
        word = self.words[i].text
        if word in ORDINALS:
            value = float(ORDINALS[word])
            tens = TENS.get(self.words[i - 1].text, 0) if value < 10 and self._near(i) else 0
            return i + 1, [self._reading(tens + value, i - bool(tens), i + 1, sure=False)]
        if word in FRACTIONS:
            return i + 1, [self._reading(FRACTIONS[word], i, i + 1, sure=False)]
        return i + 1, [self._reading(2.0, i, i + 1, sure=False)] if word in ("twice", "both") else []


def _size(value: float) -> float:
    """What the next part of the number has to be smaller than."""
    return next((s for s in (1e12, 1e9, 1e7, 1e6, 1e5, 1e3, 1e2) if value >= s and value % s == 0), 0.0)
