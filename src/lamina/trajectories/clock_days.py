"""The days that a phrase can name: spoken, counted, written, weekdays, holidays."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from lamina.trajectories.clock_words import DAY_NAMES, HOLIDAYS, MONTH, MONTHS, UNIT, WEEKDAY

SPAN = rf"(\d+(?:\.\d+)?) ?{UNIT}"
SPANS = rf"{SPAN}(?:,? ?(?:and )?{SPAN})*"
_NOUNS_TOO = {"sun", "sat", "wed"}  # abbreviations that are words of their own: not alone


_WHOLE = r"(?<!\bof )(?<!\bof the )"
"""Before a week or a month: what is said to be *of* it is another day than the one a week or a month on."""


@dataclass
class Phrase:
    """A phrase in digits, of which days and times are taken until only fillers are left."""

    rest: str
    now: datetime

    def __post_init__(self) -> None:
        self.whole = self.rest
        self.today = self.now.date()
        self.clock_now = self.now.time().replace(tzinfo=None)
        self.part: str | None = None
        self.after_midnight = False

    def take(self, pattern: str) -> re.Match[str] | None:
        match = re.search(rf"(?<![\w:.]){pattern}(?![\w:])", self.rest)
        if match:
            # A mark, so that words that were apart don't become a phrase by what was between them.
            self.rest = f"{self.rest[: match.start()]} | {self.rest[match.end() :]}"
        return match


def read_day(phrase: Phrase) -> date | None:
    """Takes the day out of the phrase. Raises ValueError where it contradicts itself or does not exist."""
    for read in _DAY_READERS:
        day = read(phrase)
        if day is not None:
            weekday = phrase.take(WEEKDAY)  # "friday march 6", "friday the 13th"
            if weekday and DAY_NAMES.index(weekday[1][:3]) != day.weekday():
                raise ValueError("the weekday contradicts the date")
            return day
    return None


def _spoken_day(phrase: Phrase) -> date | None:
    days = {
        r"(?:the )?day after tomorrow": 2,
        r"(?:the )?day before yesterday": -2,
        "tomorrow": 1,
        "yesterday": -1,
        "today": 0,
        rf"(?:{_WHOLE}next week|(?:a|1) week from (?:today|now))": 7,
    }
    for pattern, ahead in days.items():
        if phrase.take(pattern):
            return phrase.today + timedelta(ahead)
    if match := phrase.take(r"(?:the )?end of (?:(?:the )?(next)|the|this) month"):
        first = _months_on(phrase.today.replace(day=1), 2 if match[1] else 1)
        return first - timedelta(1)
    if phrase.take(rf"{_WHOLE}next month"):
        return _months_on(phrase.today, 1)
    if phrase.take("tonight"):
        phrase.part = "night"
        return phrase.today
    return None


def _counted_day(phrase: Phrase) -> date | None:
    match = phrase.take(rf"in ({SPANS})") or phrase.take(rf"({SPANS}) (?:from (?:now|today)|ago)")
    if match is None:
        return None
    sign = -1 if match[0].endswith("ago") else 1
    day = phrase.today
    for number, unit in re.findall(SPAN, match[1]):
        if not float(number).is_integer() or unit[0] not in "dwmy" or unit.startswith("mi") or unit == "m":
            raise ValueError("not a number of days")
        n = sign * int(float(number))
        if unit[0] in "dw":
            day += timedelta(days=n * (7 if unit[0] == "w" else 1))
        else:
            day = _months_on(day, n * (12 if unit[0] == "y" else 1))
    return day


def _numeric_date(phrase: Phrase) -> date | None:
    match = phrase.take(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})")
    if match:
        return date(int(match[1]), int(match[2]), int(match[3]))
    match = phrase.take(r"(\d{1,2})\.(\d{1,2})\.(\d{4})")
    if match:
        return date(int(match[3]), int(match[2]), int(match[1]))
    match = phrase.take(r"(\d{1,2})/(\d{1,2})/(\d{4})")
    if match:
        first, second = int(match[1]), int(match[2])
        if first <= 12 and second <= 12 and first != second:
            raise ValueError("day and month can't be told apart")
        return date(int(match[3]), min(first, second), max(first, second))
    return None


def _named_date(phrase: Phrase) -> date | None:
    match = phrase.take(rf"{MONTH} (?:the )?(\d{{1,2}})(?:st|nd|rd|th)?(?: (\d{{4}}))?(?! ?(?:am|pm)\b)")
    if match:
        return _month_day(match[1], int(match[2]), match[3], phrase.today)
    match = phrase.take(rf"(?:the )?(\d{{1,2}})(?:st|nd|rd|th)? (?:of )?{MONTH}(?: (\d{{4}}))?")
    if match:
        return _month_day(match[2], int(match[1]), match[3], phrase.today)
    for pattern, (month, number) in HOLIDAYS.items():
        match = phrase.take(rf"{pattern}(?: (\d{{4}}))?")
        if match:
            return _month_day(MONTHS[month - 1], number, match[1], phrase.today)
    return None


def _day_of_month(phrase: Phrase) -> date | None:
    match = phrase.take(r"the (\d{1,2})(?:st|nd|rd|th)(?: of (?:this|the) month)?")
    if match is None:
        return None
    first = phrase.today.replace(day=1)
    for ahead in range(13):
        month = _months_on(first, ahead)
        try:
            day = month.replace(day=int(match[1]))
        except ValueError:
            continue
        if day >= phrase.today:
            return day
    return None


def _weekday_next_week(phrase: Phrase) -> date | None:
    match = phrase.take(rf"{WEEKDAY} next week")
    if match is None:
        return None
    monday = phrase.today - timedelta(phrase.today.weekday())
    return monday + timedelta(7 + DAY_NAMES.index(match[1][:3]))


def _weekday(phrase: Phrase) -> date | None:
    if phrase.whole in _NOUNS_TOO:
        return None
    match = phrase.take(rf"(?:(this coming|this|next|coming|last) )?{WEEKDAY}")
    if match is None:
        return None
    today, weekday = phrase.today, DAY_NAMES.index(match[2][:3])
    if match[1] == "next":
        return today - timedelta(today.weekday()) + timedelta(7 + weekday)
    if match[1] == "last":
        return today - timedelta((today.weekday() - weekday - 1) % 7 + 1)
    if match[1] == "this" and weekday == today.weekday():
        return today
    return today + timedelta((weekday - today.weekday() - 1) % 7 + 1)


_DAY_READERS: tuple[Callable[[Phrase], date | None], ...] = (
    _counted_day,
    _numeric_date,
    _named_date,
    _weekday_next_week,
    _spoken_day,
    _day_of_month,
    _weekday,
)


def _month_day(month: str, number: int, year: str | None, today: date) -> date:
    index = [name[:3] for name in MONTHS].index(month[:3]) + 1
    if year:
        return date(int(year), index, number)
    for ahead in range(9):  # the next year that has the day (29 February)
        try:
            day = date(today.year + ahead, index, number)
        except ValueError:
            continue
        if day >= today:
            return day
    raise ValueError("no such day")


def _months_on(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    for last in (day.day, 30, 29, 28):
        try:
            return date(year, month + 1, min(day.day, last))
        except ValueError:
            continue
    raise ValueError("no such month")
