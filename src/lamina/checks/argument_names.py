"""Values that an argument's or a function's name accounts for: the first page, the language in which the request itself
is written, a constant that repeats the function's name. For the mild grounding of other people's rows (our choice)."""

from __future__ import annotations

import re
from typing import Any

_PAGE = re.compile(r"(?:^|_)(?:page|offset|skip)(?:_?(?:number|num|no|index))?$|^start_?index$|^start$")
_LANGUAGE_FROM = re.compile(
    r"^(?:source|src|from|input|original)_?lang(?:uage)?(?:_?code)?$|^lang(?:uage)?_from$|^from$"
)
_ENGLISH = frozenset(("english", "en", "eng", "en-us", "en-gb", "en_us", "en_gb"))
_LEAST_CONSTANT = 6
"""Letters of a constant that stands in the function's name (our choice)."""


def first_page(value: Any, argument: str) -> bool:
    """Whoever says nothing of pages wants the first."""
    return str(value) in ("0", "1") and _PAGE.search(_snake(argument)) is not None


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
