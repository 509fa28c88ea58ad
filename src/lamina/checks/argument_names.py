"""Values that an argument's or a function's name accounts for: the first page and how long it is, the language in which
the request itself is written, a constant that repeats the function's name. For the mild grounding of other people's
rows (our choice)."""

from __future__ import annotations

import re
from typing import Any

_PAGE = re.compile(r"(?:^|_)(?:page|offset|skip)(?:_?(?:number|num|no|index))?$|^start_?index$|^start$")
_PAGE_SIZE = re.compile(r"(?:^|_)(?:page_?size|(?:items?|results?|rows)?_?per_?page)$")
_PAGE_SIZES = frozenset((10, 20, 25, 50, 100))
_SIZE_SAID = re.compile(r"\d(?: \w+)? (?:per|a|to a|on a|on each|on one|each) page|page size|pages of \d")
_LANGUAGE_FROM = re.compile(
    r"^(?:source|src|from|input|original)_?lang(?:uage)?(?:_?code)?$|^lang(?:uage)?_from$|^from$"
)
_ENGLISH = frozenset(("english", "en", "eng", "en-us", "en-gb", "en_us", "en_gb"))
_LEAST_CONSTANT = 6
"""Letters of a constant that stands in the function's name (our choice)."""


def first_page(value: Any, argument: str) -> bool:
    """Whoever says nothing of pages wants the first."""
    return str(value) in ("0", "1") and _PAGE.search(_snake(argument)) is not None


def usual_page_size(value: float, argument: str, text: str) -> bool:
    """Nor does anybody say how many there are to a page; who does, wants no other."""
    return value in _PAGE_SIZES and _PAGE_SIZE.search(_snake(argument)) is not None and _SIZE_SAID.search(text) is None


def own_language(value: Any, argument: str, text: str) -> bool:
    """English by a request in Latin letters: what is to be translated, where nothing else is said of it."""
    return str(value).casefold() in _ENGLISH and _LANGUAGE_FROM.search(_snake(argument)) is not None and text.isascii()


def repeats_name(value: Any, function: str) -> bool:
    """``function=CURRENCY_EXCHANGE_RATE`` of ``Alpha_Vantage_CURRENCY_EXCHANGE_RATE``."""
    letters = re.sub(r"[\W_]+", "", str(value)).casefold()
    return len(letters) >= _LEAST_CONSTANT and letters in re.sub(r"[\W_]+", "", function).casefold()


def _snake(argument: str) -> str:
    """The last part of a path, ``pageNumber`` as ``page_number``."""
    last = re.sub(r"\[\d+\]", "", argument).rpartition(".")[2]
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", last).casefold()
