"""Numbers that a text says, in digits and in words, each with the words that say it.

Where people differ in how they write or read a number (``12,50``, ``one hundred and five``, ``3/4``, ``10k``) there is
a reading for each way; they overlap. Which one was meant is for the caller to see from what it looks for."""

from __future__ import annotations

import math
import re
from itertools import pairwise

from lamina.trajectories.number_phrases import NUMBER_WORDS, Phrases, Reading, Word
from lamina.trajectories.number_words import FRACTIONS

_TOKEN = re.compile(
    r"(?P<digits>(?<![\w.])(?:[-+][$€£¥₹]?)?(?:\d+(?:[.,]\d+)*|\.\d+))(?P<mark>[a-z]+|[½¼¾⅓⅔])?|(?P<sign>[½¼¾⅓⅔])|"
    r"(?P<word>[a-z]+)"
)
_SIGNS = {"½": 1 / 2, "¼": 1 / 4, "¾": 3 / 4, "⅓": 1 / 3, "⅔": 2 / 3}
_MARKS = {"k": 1e3, "m": 1e6, "mn": 1e6, "mio": 1e6, "mil": 1e6, "bn": 1e9, "b": 1e9, "tn": 1e12}
_DECIMAL = re.compile(r"\d*\.\d+")
_GROUPED = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d{1,2}(?:,\d\d)+,\d{3}(?:\.\d+)?")
"""``1,234.50`` and, as in India, ``1,50,000``."""
_GROUPED_BY_DOTS = re.compile(r"\d{1,3}(?:\.\d{3})+,\d+|\d{1,3}(?:\.\d{3}){2,}")
"""``1.234,50`` and ``1.234.567``; ``1.234`` alone is more often a decimal."""
_LIST = re.compile(r"\d{3}(?:,\d{3}){2,}")
"""Grouped, or a list without spaces."""
_MONEY = re.compile(r" (?:euros?|dollars?|pounds?|quid|bucks?|francs?|rupees?|pesos?|rand) (?:and )?|[$€£] (?:and )?")
_AND_A_HALF = re.compile(r"\b(?:an?|one) [a-z]+ and a (half|quarter)\b")


def to_float(value: int | float) -> float:
    """Infinity for a number that is too large: data sets and models write such ones."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def plain(text: str) -> str:
    """Case, typographic marks and white space folded."""
    text = text.casefold().replace("’", "'").replace("–", "-").replace("−", "-")
    return " ".join(text.split())


def readings_in(text: str) -> list[Reading]:
    """In the order in which they stand. ``text`` is ``plain``."""
    words: list[Word] = []
    found: list[Reading] = []
    for token in _TOKEN.finditer(text):
        if (word := token["word"]) is None:
            read = _in_digits(token, text)
            found += read
            if read and read[0].sure:
                words.append(Word(read[0].words, *token.span(), read[0].value))
        elif word in NUMBER_WORDS:
            words.append(Word(word, *token.span()))
    if not words:
        return found
    longer = Phrases(text, words).readings()
    sure = [r for r in longer if r.sure]
    found = [r for r in found if not any(w.start <= r.start and r.end <= w.end for w in sure)] + longer
    if len(found) > 1 or "half" in text or "quarter" in text:
        found += _across_words(text, found)
    return sorted(found, key=lambda r: (r.start, -r.end)) if len(found) > 1 else found


def _in_digits(token: re.Match[str], text: str) -> list[Reading]:
    """The whole first, then other ways of reading it."""
    start, end, digits, mark = *token.span(), token["digits"], token["mark"]
    if digits is None:
        return [Reading(_SIGNS[token["sign"]], token.group(), start, end)]
    sign, number = (-1.0 if digits[0] == "-" else 1.0), digits.lstrip("-+$€£¥₹")
    at = token.end("digits") - len(number)
    if number.isdecimal() or _DECIMAL.fullmatch(number):
        value = sign * float(number)
        if mark in _SIGNS:
            return [Reading(value + sign * _SIGNS[mark], token.group(), start, end)]
        plain = Reading(value, digits, start, token.end("digits"))
        scale = _MARKS.get(mark) if mark else None
        return [plain] if scale is None else [plain, Reading(round(value * scale, 6), token.group(), start, end)]
    if _GROUPED.fullmatch(number):
        whole = [Reading(sign * float(number.replace(",", "")), digits, start, token.end("digits"))]
        listed = _LIST.fullmatch(number) or (text[at - 1 : at] == "[" and "." not in number)
        if scale := _MARKS.get(mark) if mark else None:
            whole.append(Reading(whole[0].value * scale, token.group(), start, end))
        return whole + (_parts(number, at, sure=False) if listed else [])
    if _GROUPED_BY_DOTS.fullmatch(number):
        value = float(number.replace(".", "").replace(",", "."))
        return [Reading(sign * value, digits, start, token.end("digits"))]
    parts = _parts(number, at, sure=True)
    if number.count(",") == 1 and "." not in number:  # a decimal comma, or two numbers
        parts.append(Reading(sign * float(number.replace(",", ".")), digits, start, token.end("digits"), sure=False))
    return parts


def _parts(number: str, at: int, sure: bool) -> list[Reading]:
    """The numbers of a list without spaces, a date or a version."""
    pattern = r"\d+" if number.count(".") > 1 else r"\d+(?:\.\d+)?"
    return [
        Reading(float(m.group()), m.group(), at + m.start(), at + m.end(), sure) for m in re.finditer(pattern, number)
    ]


def _across_words(text: str, found: list[Reading]) -> list[Reading]:
    """``3/4``, ``1 3/4``, ``six pounds fifty``, ``a cup and a half``."""
    more = [
        Reading(1 + FRACTIONS[m[1]], m.group(), *m.span(), sure=False)
        for m in _AND_A_HALF.finditer(text)
    ]  # fmt: skip
    numbers = sorted((r for r in found if r.sure or r.value == 0.5), key=lambda r: (r.start, -r.end))
    for a, b in pairwise(numbers):
        gap = text[a.end : b.start]
        words = text[a.start : b.end]
        if gap == "/" and b.value and text[b.end : b.end + 1] != "/" and text[a.start - 1 : a.start] != "/":
            share = a.value / b.value
            more.append(Reading(share, words, a.start, b.end, sure=False))
            before = next((r for r in numbers if r.end == a.start - 1 and text[r.end] == " "), None)
            if before and share < 1:
                more.append(Reading(before.value + share, text[before.start : b.end], before.start, b.end, sure=False))
        elif _MONEY.fullmatch(gap) and b.value < 100 and b.value == int(b.value):
            more.append(Reading(round(a.value + b.value / 100, 2), words, a.start, b.end, sure=False))
        elif b.value == 0.5 and re.fullmatch(r" [a-z]+ and (?:a )?", gap):
            more.append(Reading(a.value + 0.5, words, a.start, b.end, sure=False))
    return more
