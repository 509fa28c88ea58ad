"""What a phrase such as "tomorrow at nine" means at a given clock.

Conservative: a phrase is resolved only if every word of it is understood as part of a day or a time, so that
"milk", "may" or "second" stay words. The machine's clock is never read. Conventions, where people differ:

- "next friday" is the Friday of next week, "friday" and "this friday" the first one after today, "last friday" the
  latest before today;
- "next week" is this day a week on, "next month" this day of the next month, "the end of the month" its last day;
- a day or time without a year or a day is the next one to come;
- an hour from 1 to 6 without am or pm is in the afternoon, and today means the hours ahead;
- morning is 9:00, afternoon 15:00, evening 19:00, tonight 20:00, midnight the end of the day named.
"""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from functools import lru_cache

from lamina.trajectories.clock_days import SPAN, SPANS, Phrase, read_day
from lamina.trajectories.clock_words import MONTH, PARTS_OF_DAY, WEEKDAY, in_digits

_FILLERS = {"on", "at", "the", "of", "in", "@", "-"}
_SECONDS = {"s": 1, "mi": 60, "h": 3600, "d": 86400, "w": 604800}
LONGEST_PHRASE = 80


def resolve(text: str, now: str | datetime | None) -> date | datetime | None:
    """The ``date`` that ``text`` names, or the ``datetime`` where it says a time too; None where it is not
    wholly a day or a time. ``now`` is ISO 8601 or a datetime; its time zone, if any, is given to results.
    Without ``now``, or where it is not ISO 8601, only absolute ISO dates are resolved."""
    if not text or len(text) > LONGEST_PHRASE:
        return None
    return _resolve(text, now.isoformat() if isinstance(now, datetime) else now)


def same_moment(a: str, b: str, now: str | datetime | None) -> bool:
    """Whether both are resolved, both to a day or both to a time, and to the same one."""
    first, second = resolve(a, now), resolve(b, now)
    if first is None or second is None or isinstance(first, datetime) != isinstance(second, datetime):
        return False
    return first == second


@lru_cache(maxsize=4096)
def _resolve(text: str, clock: str | None) -> date | datetime | None:
    # The key is the clock's text: datetimes of two zones can be equal and yet be on different days.
    absolute = _iso(text.strip())
    now = _clock_of(clock)
    if absolute is not None or now is None:
        return _zoned(absolute, now)
    try:
        phrase = in_digits(text)
        found = _exact_moment(phrase, now.replace(tzinfo=None)) or _meaning(Phrase(phrase, now))
        return _zoned(found if found is not None else _by_dateparser(phrase, now), now)
    except (ValueError, OverflowError):
        return None


def _zoned(found: date | datetime | None, now: datetime | None) -> date | datetime | None:
    if isinstance(found, datetime) and found.tzinfo is None and now is not None:
        return found.replace(tzinfo=now.tzinfo)
    return found


def _clock_of(text: str | None) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if text else None
    except ValueError:
        return None


def _iso(text: str) -> date | datetime | None:
    if not re.match(r"\d{4}-\d\d-\d\d", text):
        return None
    try:
        return date.fromisoformat(text) if len(text) == 10 else datetime.fromisoformat(text)
    except ValueError:
        return None


def _exact_moment(phrase: str, now: datetime) -> datetime | None:
    """ "in 20 minutes", "2 hours ago", "90 minutes from now", "now"; spans of whole days are days."""
    if phrase in ("now", "right now"):
        return now
    match = re.fullmatch(rf"in ({SPANS})|({SPANS}) (from now|ago)", phrase)
    spans = re.findall(SPAN, phrase) if match else []
    if not spans or any(unit[0] not in "smh" or unit.startswith("mo") for _, unit in spans):
        return None
    seconds = sum(float(n) * _SECONDS[unit[:2] if unit[0] == "m" else unit[0]] for n, unit in spans)
    return now + timedelta(seconds=-seconds if phrase.endswith("ago") else seconds)


def _meaning(phrase: Phrase) -> date | datetime | None:
    day = read_day(phrase)
    _take_part(phrase)
    clock = _time(phrase, day)
    if clock is None and phrase.part and (day or phrase.part.startswith("this")):
        clock = PARTS_OF_DAY[phrase.part.removeprefix("this ")]
    left = [w for w in phrase.rest.split() if w not in _FILLERS and w != "|"]
    if left or (day is None and clock is None):
        return None
    if clock is None:
        return day
    base = day
    if base is None:
        base = phrase.today if phrase.part or clock > phrase.clock_now else phrase.today + timedelta(1)
        if phrase.after_midnight:
            base = phrase.today
    return datetime.combine(base + timedelta(phrase.after_midnight), clock)


def _take_part(phrase: Phrase) -> None:
    match = phrase.take(r"(?:in the |at )?((?:this )?(?:morning|lunchtime|afternoon|evening|night))")
    if match:
        phrase.part = match[1]


def _time(phrase: Phrase, day: date | None) -> time | None:
    if phrase.take(r"(?:12 )?midnight"):
        phrase.after_midnight = True
        return time(0)
    if phrase.take(r"(?:12 )?(?:noon|midday)"):
        return time(12)
    match = phrase.take(r"(?:a )?(half|quarter|\d{1,2})(?: minutes?)? (past|after|to|before) (\d{1,2}) ?(am|pm)?")
    if match:
        minutes = {"half": 30, "quarter": 15}.get(match[1]) or int(match[1])
        before = match[2] in ("to", "before")
        if before and match[3] == "12" and match[4]:
            raise ValueError("quarter to 12 am may be either half of the day")
        hour = int(match[3]) - before
        return _clock(phrase, hour or 12, 60 - minutes if before else minutes, match[4], day)
    match = phrase.take(r"(\d{1,2})[:.](\d\d)(?::00)? ?(am|pm)?")
    if match:
        if match[1].startswith("0") and not match[3]:
            return time(int(match[1]), int(match[2]))  # 03:00 is in the night, 3:00 may be in the afternoon
        return _clock(phrase, int(match[1]), int(match[2]), match[3], day)
    marked = day is not None or phrase.part is not None  # a bare number alone is a number
    bare = "" if marked else "at "
    match = phrase.take(rf"{bare}(\d{{1,2}}) (\d\d) ?(am|pm)?") or phrase.take(r"(\d{1,2}) (\d\d) ?(am|pm)")
    if match:
        return _clock(phrase, int(match[1]), int(match[2]), match[3], day)
    match = phrase.take(r"(\d{1,2}) ?(am|pm)") or phrase.take(rf"{bare}(\d{{1,2}})()")
    if match is None and (match := phrase.take(r"(\d{1,2}) o'?clock()(?: sharp)?")) is None:
        return None
    phrase.take(r"o'?clock")
    phrase.take("sharp")
    return _clock(phrase, int(match[1]), 0, match[2], day)


def _clock(phrase: Phrase, hour: int, minute: int, half: str | None, day: date | None) -> time:
    if half:
        if not 1 <= hour <= 12:
            raise ValueError("no such hour")
        return time(hour % 12 + (12 if half == "pm" else 0), minute)
    part = (phrase.part or "").removeprefix("this ")
    if part == "night" and hour == 12:
        raise ValueError("12 at night may be either day")
    if part in ("afternoon", "evening", "night") and hour < 12:
        return time(hour + 12, minute)
    if not part and hour < 12:
        if 1 <= hour <= 6:
            return time(hour + 12, minute)
        ahead = time(hour, minute) <= phrase.clock_now < time(hour + 12, minute)
        if ahead and day in (None, phrase.today):
            return time(hour + 12, minute)
    return time(hour, minute)


def _by_dateparser(phrase: str, now: datetime) -> date | datetime | None:
    """Written dates in forms the grammar above does not know. Only phrases with a year or a clock time and
    the name of a month or a weekday: dateparser alone reads "9", "may" or "march on 3" as days."""
    if not re.search(r"\d{4}|:\d\d", phrase) or not re.search(rf"\b(?:{MONTH}|{WEEKDAY})\b", phrase):
        return None
    from dateparser.date import DateDataParser  # type: ignore[import-untyped]

    settings = {
        "RELATIVE_BASE": now.replace(tzinfo=None),
        "PREFER_DATES_FROM": "future",
        "RETURN_TIME_AS_PERIOD": True,
        "TIMEZONE": "UTC",
    }
    data = DateDataParser(languages=["en"], settings=settings).get_date_data(phrase)
    found: datetime | None = data.date_obj
    if found is None or data.period not in ("day", "time"):
        return None
    return found if data.period == "time" else found.date()
