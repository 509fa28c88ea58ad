"""Which words of a request mean a date or a time, at the record's clock: "tomorrow at nine" for 2026-11-25T09:00."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from functools import lru_cache

from lamina.trajectories.clock import resolve
from lamina.trajectories.clock_words import MONTH, WEEKDAY

MOST_WORDS = 7
"""Of a phrase for one moment (our choice: "on the first of march at half past nine" has nine, without fillers six)."""
MORNING = 6
"""The hour before which people may name the day before (our choice)."""
_WORDS = re.compile(r"\S+")
_DATED = re.compile(rf"\d|\b(?:{MONTH}|{WEEKDAY})\b|\b(?:to(?:day|morrow|night)|noon|midnight)\b")
"""What a value must have to be tried as words for a moment."""
_ISO = re.compile(r"\d{4}-\d\d|\d\d:\d\d")
_ANY_CLOCKS = ("2000-02-29T23:00:00", "2011-07-06T04:00:00")
_SPAN = re.compile(r"((?:(?:of|in|on|at|the) )*)next (?:week|month)\b", re.IGNORECASE)
_OF = re.compile(
    r"\b(?:weeks?|days?|weekend|weekday|end|start|beginning|middle|half|part|\w+days?|\d+(?:st|nd|rd|th)?|first|second|third|last)"
    r"\W+of\s+(?:the\s+)?$",
    re.IGNORECASE,
)
"""A part of something; "thinking of next week" is none."""
_SAYS_THE_HALF = re.compile(
    r"\b[ap]\.?m\b|\d[ap]\.?m\b|morning|afternoon|evening|night|noon|\b(?:0\d|1[3-9]|2[0-4])\b", re.IGNORECASE
)
"""Whether a time of day says if it is before noon or after it."""
_EDGES = ".,;:!?\"'()"


def phrase_for(value: str, request: str, now: str | None) -> str | None:
    """The longest phrase of ``request`` that means ``value`` (an ISO day, moment or time of day; at a clock also words
    for one) at ``now`` (ISO 8601). None where there is none and where ``value`` is no moment. Part of a phrase that
    means another day means nothing: "next month" in "end of next month". Without a clock, what means the same at
    any."""
    moment = _moment(value) or (_moment_in_words(value, now) if now else None)
    if moment is None:
        return None
    if now:
        found = _phrases(request, now)
    else:
        first, second = (_phrases(request, clock) for clock in _ANY_CLOCKS)
        found = [one for one in first if one in second]
    whole = [phrase for phrase, _ in _phrases(request, now or _ANY_CLOCKS[0]) if _SAYS_THE_HALF.search(phrase)]
    for phrase, means in found:
        says_it = phrase in whole
        if not says_it and isinstance(moment, datetime | time) and any(phrase in one for one in whole):
            continue  # "half past seven in the" of what goes on with "morning"
        if _same(moment, means, either=not says_it):
            return phrase
    return None


def follows_at_any_clock(value: str, phrase: str) -> bool:
    """Whether ``phrase`` means ``value`` on whatever day it is said. So it is where both are words that move with the
    day ("tomorrow at 9" for "tomorrow at nine"), and where neither moves; not where one alone does."""
    meant = [_moment(value) or _moment_in_words(value, clock) for clock in _ANY_CLOCKS]
    if meant[0] != meant[1]:
        return True
    moment, says_it = meant[0], _SAYS_THE_HALF.search(phrase) is not None
    if moment is None:
        return True
    said = [resolve(phrase, clock) for clock in _ANY_CLOCKS]
    return all(means is not None and _same(moment, means, either=not says_it) for means in said)


@lru_cache(maxsize=256)
def _phrases(request: str, now: str) -> list[tuple[str, date | datetime]]:
    """Every phrase that is wholly a day or a time and no part of one for another day, the longest first."""
    places = [m.span() for m in _WORDS.finditer(request)]
    found: list[tuple[str, date | datetime]] = []
    taken: list[tuple[int, int, set[date]]] = []
    for length in range(min(MOST_WORDS, len(places)), 0, -1):
        for first in range(len(places) - length + 1):
            last = first + length - 1
            phrase = request[places[first][0] : places[last][1]].strip(_EDGES)
            means = resolve(phrase, now) if phrase else None
            if means is None or _is_of_a_span(request[: places[first][0]], phrase):
                continue
            days = _days_of(means)
            # Days alone: "2 to 3 pm" may be two minutes to three, and "3 pm" in it is said all the same.
            if all(days & others or first < a or last > b for a, b, others in taken):
                taken.append((first, last, days))
                found.append((phrase, means))
    return found


def _is_of_a_span(before: str, phrase: str) -> bool:
    """Whether the phrase is no day but what a day belongs to: "next month" after "the first week of"."""
    found = _SPAN.match(phrase)
    return found is not None and _OF.search(f"{before} {found[1]}") is not None


def _days_of(means: date | datetime) -> set[date]:
    """Of a moment in the night also the day before: "friday at midnight" is when Saturday begins."""
    night = isinstance(means, datetime) and means.hour < MORNING and means.date() > date.min
    return {_day_of(means), *([_day_of(means) - timedelta(1)] if night else [])}


def _day_of(means: date | datetime) -> date:
    return means.date() if isinstance(means, datetime) else means


def _moment(value: str) -> date | datetime | time | None:
    if not _ISO.match(value):  # "17" is a number
        return None
    for read in (date.fromisoformat, datetime.fromisoformat, time.fromisoformat):
        try:
            return read(value)
        except ValueError:
            continue
    return None


def _moment_in_words(value: str, now: str) -> date | datetime | None:
    return resolve(value, now) if _DATED.search(value.casefold()) else None


def _same(moment: date | datetime | time, means: date | datetime, *, either: bool) -> bool:
    """A day is said by any moment of it; a time of day by any day's. ``either``: the clock that is said has no half of
    the day, and "half past seven" is 07:30 as well as 19:30, whichever comes next."""
    if isinstance(moment, datetime):
        return isinstance(means, datetime) and moment.replace(tzinfo=None) == means.replace(tzinfo=None)
    if isinstance(moment, time):
        halves = (0, 12) if either else (0,)
        return isinstance(means, datetime) and any(
            moment.replace(tzinfo=None) == (means.replace(tzinfo=None) + timedelta(hours=half)).time()
            for half in halves
        )
    return moment == _day_of(means)
