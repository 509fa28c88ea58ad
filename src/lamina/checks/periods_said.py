"""First and last days of periods that a request names: 1 April 2023 by "in Q2 2023", 31 May 2023 by "before June 2023".
For the mild grounding of other people's rows (our choice)."""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator
from datetime import date, timedelta
from functools import lru_cache

from lamina.checks.said_otherwise import MONTHS

_DAY = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?:[T ](?:00:00|23:59).*)?")
_YEAR = re.compile(r"(?<![\d$€£#.,/-])(?:19|20)\d\d(?![\d/-]|[.,]\d)")
_WHOLE_YEAR = re.compile(
    r"(?<![^\W_])(?:in|of|during|for|since|from|before|after|until|till|to|through|throughout|by|and|between|year|the) "
    rf"({_YEAR.pattern})(?! [a-z]+s(?![^\W_]))"
)
"""A year, and no amount: "2000 dollars"."""
_YEAR_AFTER = re.compile(rf",?(?: of)? ({_YEAR.pattern})")
_VERBS = ("may", "march", "mar")
_BEFORE_A_PERIOD = re.compile(r"(?:in|of|during|for|since|from|before|after|until|till|to|by|last|this|next|and|or) $")
_MONTH = re.compile(rf"(?<![^\W\d_])({'|'.join(MONTHS)})(?:[a-z]*)(?![^\W_])")
_DAY_AFTER = re.compile(r"\.? (?:the )?\d{1,2}(?!\d)")
_DAY_BEFORE = re.compile(r"(?<!\d)\d{1,2}(?:st|nd|rd|th)? (?:of )?$")
_BEFORE_A_MONTH = 9
"""Characters in which its day would stand ("the 31st of May")."""
_NAMES = frozenset(name.casefold() for names in (calendar.month_name, calendar.month_abbr) for name in names if name)
_QUARTER = re.compile(
    r"(?<![^\W_])(?:q([1-4])(?![^\W_])|(first|second|third|fourth) quarter(?![^\W_])|(last) quarter of(?![^\W_]))"
)
_ORDINALS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "last": 4}


def period_edge_said(value: str, text: str) -> bool:
    """Whether the date is the first or the last day of a month, a quarter or a year that ``text`` (case-folded) names,
    or the day beside one."""
    found = _DAY.fullmatch(value)
    if found is None:
        return False
    try:
        day = date(*map(int, found.groups()))
        beside = (day, day - timedelta(1), day + timedelta(1))
    except (ValueError, OverflowError):
        return False
    return any(
        (one in (first, last) if one == day else one == (last if one < day else first))
        for one in beside
        for first, last in _periods(text, one.year)
    )


def _periods(text: str, year: int) -> Iterator[tuple[date, date]]:
    """Those of the year. What has its year behind it is of that one; else of any that is said, or of every one."""
    said, whole, named = _named(text)
    for first, last, own in named:
        if (year == own) if own else (year in said or not said):
            yield date(year, first, 1), date(year, last, calendar.monthrange(year, last)[1])
    if year in whole:
        yield date(year, 1, 1), date(year, 12, 31)


@lru_cache(maxsize=8)
def _named(text: str) -> tuple[frozenset[int], frozenset[int], tuple[tuple[int, int, int | None], ...]]:
    """Years, years that are a period themselves, and months and quarters; looked for once a text, not once a value."""
    named = (*_months(text), *_quarters(text))
    alone = not named and not _MONTH.search(text)
    whole = frozenset(int(found) for found in _WHOLE_YEAR.findall(text)) if alone else frozenset[int]()
    return frozenset(int(found) for found in _YEAR.findall(text)), whole, named


def _months(text: str) -> Iterator[tuple[int, int, int | None]]:
    """A month with a day is a day; "may" and "march" are none unless something that comes before periods does."""
    for found in _MONTH.finditer(text):
        before, own = (
            text[max(0, found.start() - _BEFORE_A_MONTH) : found.start()],
            _YEAR_AFTER.match(text, found.end()),
        )
        if found.group() not in _NAMES and found.group() != "sept":
            continue
        if _DAY_AFTER.match(text, found.end()) or _DAY_BEFORE.search(before):
            continue
        if found.group() in _VERBS and not own and not _BEFORE_A_PERIOD.search(before):
            continue
        number = MONTHS.index(found[1]) + 1
        yield number, number, int(own[1]) if own else None


def _quarters(text: str) -> Iterator[tuple[int, int, int | None]]:
    for found in _QUARTER.finditer(text):
        quarter = int(found[1] or _ORDINALS[found[2] or found[3]])
        own = _YEAR_AFTER.match(text, found.end())
        yield 3 * quarter - 2, 3 * quarter, int(own[1]) if own else None
