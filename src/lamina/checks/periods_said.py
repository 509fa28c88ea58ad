"""First and last days of periods that a request names: 1 April 2023 by "in Q2 2023", 31 May 2023 by "before June 2023".
For the mild grounding of other people's rows (our choice)."""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator
from datetime import date, timedelta

from lamina.checks.said_otherwise import MONTHS, Numbers

_DAY = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?:[T ](?:00:00|23:59).*)?")
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
_MONTH = re.compile(rf"(?<![^\W\d_])({'|'.join(MONTHS)})(?:[a-z]*)(?![^\W_])")
_DAY_AFTER = re.compile(r"\.? (?:the )?\d{1,2}(?!\d)")
_DAY_BEFORE = re.compile(r"(?<!\d)\d{1,2}(?:st|nd|rd|th)? (?:of )?$")
_BEFORE_A_MONTH = 9
"""Characters in which its day would stand ("the 31st of May")."""
_NAMES = frozenset(name.casefold() for names in (calendar.month_name, calendar.month_abbr) for name in names if name)
_QUARTER = re.compile(r"(?<![^\W_])(?:q([1-4])(?![^\W_])|(first|second|third|fourth|last) quarter(?![^\W_]))")
_ORDINALS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "last": 4}


def period_edge_said(value: str, text: str, numbers: Numbers) -> bool:
    """Whether the date is the first or the last day of a month, a quarter or a year that ``text`` (case-folded) names,
    or the day beside one. Of a month and a quarter the year is said as well, or none is."""
    found = _DAY.fullmatch(value)
    if found is None:
        return False
    try:
        day = date(*map(int, found.groups()))
        beside = (day, day - timedelta(1), day + timedelta(1))
    except (ValueError, OverflowError):
        return False
    said = {int(year) for year in _YEAR.findall(text)}
    return any(
        (one in (first, last) if one == day else one == (last if one < day else first))
        for one in beside
        for year in ({one.year} if one.year in said or not said else set())
        for first, last in _periods(text, year, whole=bool(said))
    )


def _periods(text: str, year: int, *, whole: bool) -> Iterator[tuple[date, date]]:
    """``whole``: the year itself is one, where it is said. A month with a day is a day."""
    months = [
        (number, number)
        for found in _MONTH.finditer(text)
        if (found.group() in _NAMES or found.group() == "sept")
        and not _DAY_AFTER.match(text, found.end())
        and not _DAY_BEFORE.search(text[max(0, found.start() - _BEFORE_A_MONTH) : found.start()])
        for number in (MONTHS.index(found[1]) + 1,)
    ]
    quarters = [int(number or _ORDINALS[word]) for number, word in _QUARTER.findall(text)]
    months += [(3 * quarter - 2, 3 * quarter) for quarter in quarters]
    if whole and not months and not _MONTH.search(text):
        months = [(1, 12)]
    for first, last in months:
        yield date(year, first, 1), date(year, last, calendar.monthrange(year, last)[1])
