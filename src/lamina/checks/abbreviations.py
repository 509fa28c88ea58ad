"""Values that are said by another name: codes by the words they stand for (AAPL by Apple, kWh by kilowatt hours),
choices by their common names ("bucks" for USD), sizes by the units they come in. For the mild grounding of other
people's rows (our choice)."""

from __future__ import annotations

import re
from collections.abc import Collection
from itertools import pairwise
from typing import Any

from lamina.checks.evidence import plain
from lamina.checks.names_said import SYNONYMS, names_of

_KIN = {name: (unit, *names) for unit, names in SYNONYMS.items() for name in names if name.isalpha()}
"""Of each name of a unit or a currency the others."""
_CODE = re.compile(r"[A-Za-z]{2,5}")
_TELLING = 4
"""Letters: a word of more may be meant by two that it begins with (fr, French)."""
_WORD = re.compile(r"[^\W\d_]+")
_INFERRED = frozenset(
    ("all", "any", "both", "none", "default", "other", "auto", "automatic", "yes", "no", "true", "false", "null", "n/a",
     "normal", "standard", "general", "regular", "unknown", "not specified")
)  # fmt: skip
"""Choices that people make by saying nothing of the matter."""
_OTHER_NAMES: dict[str, tuple[str, ...]] = {
    "metric": ("kg", "kilogram", "kilo", "meter", "metre", "cm", "km", "celsius", "litre", "liter"),
    "imperial": ("pound", "lb", "feet", "foot", "inch", "mile", "fahrenheit", "ounce"),
    "usd": ("us", "usa", "united states"), "jpy": ("japan",), "drug": ("medication", "medicine"),
    "birthday": ("bday", "born"), "single": ("one", "1"), "dual": ("two", "2"), "double": ("two", "2"),
    "quad": ("four", "4"),
    "usa": ("us", "america", "united states"), "us": ("usa", "america", "united states"),
    "de": ("germany", "german"), "es": ("spain", "spanish"), "jp": ("japan", "japanese"), "ja": ("japanese",),
    "cn": ("china", "chinese"), "zh": ("chinese", "mandarin"), "ch": ("switzerland", "swiss"),
    "kr": ("korea", "korean"),
    "uk": ("britain", "england", "united kingdom"), "gb": ("uk", "britain", "england", "united kingdom"),
}  # fmt: skip


def inferred(value: Any) -> bool:
    return isinstance(value, bool) or value is None or plain(str(value)) in _INFERRED


def named_otherwise(value: str, text: str, description: str = "") -> bool:
    """By a common name of it, of a unit or a currency, or one that the argument's description gives. ``text`` is
    ``plain``."""
    value = plain(value)
    names = {*names_of(value, description), *_OTHER_NAMES.get(value, ()), *_KIN.get(value, ())}
    return any(_named(name, text) for name in names if name)


def _named(name: str, text: str) -> bool:
    if not name[-1].isalnum():
        return name in text
    return re.search(rf"(?<![^\W\d_]){re.escape(name)}s?(?!\w)", text) is not None


def stands_for(code: str, text: str, words: Collection[str]) -> bool:
    """Whether words in a row begin with the letters of a code (SD, San Diego), or its letters come in their order in a
    word that begins with the first (MSFT, Microsoft), or in two. Of two that are the same one will do (AAPL)."""
    if not _CODE.fullmatch(code):
        return False
    if code.casefold() in "".join(word[0] for word in _WORD.findall(text)):
        return True
    letters = re.sub(r"(.)\1", r"\1", code.casefold())
    said = _WORD.findall(text)
    pairs = [f"{a}{b}" for a, b in pairwise(said)]
    if len(code) == 2:
        return any(word.startswith(letters) for word in words if len(word) > _TELLING)
    return any(_in_order(letters, word) for word in [*words, *pairs])


def _in_order(letters: str, word: str) -> bool:
    rest = iter(word)
    return len(word) > len(letters) and word[0] == letters[0] and all(letter in rest for letter in letters)
