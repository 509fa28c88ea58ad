"""Ways in which people say a value without its letters or digits: a quarter past in words, five in the afternoon, LA,
three hours for seconds, the second month. For the mild grounding of other people's rows (our choice; read from BFCL's
rows, which ``docs/results/verifier.md`` says)."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from collections.abc import Set as AbstractSet
from datetime import date, timedelta

from lamina.trajectories.number_readings import readings_in

Numbers = AbstractSet[float]
"""Positive, as ``hallucination`` reads them from a text."""

_AFTERNOON = re.compile(r"\bp\.? ?m\b|\d ?pm\b|afternoon|evening|night|dinner|o'clock")
_UNITS: tuple[tuple[re.Pattern[str], tuple[float, ...]], ...] = (
    (re.compile(r"\bmin(?:ute)?s?\b"), (60,)),
    (re.compile(r"\b(?:hours?|hrs?)\b"), (60, 3600)),
    (re.compile(r"\bdays?\b"), (24, 1440, 86400)),
    (re.compile(r"\b(?:week|weekly)s?\b"), (7, 52)),
    (re.compile(r"\bfortnights?\b"), (14,)),
    (re.compile(r"\bmonths?\b"), (30, 31)),
    (re.compile(r"\b(?:years?|annual|annually)\b"), (12, 52, 365)),
    (re.compile(r"\bdecades?\b"), (10,)),
    (re.compile(r"\bcentur(?:y|ies)\b"), (100,)),
    (re.compile(r"\bk(?:g|m|j|w|n|pa|hz|b)?\b|\d ?k|kilo"), (1000,)),
    (re.compile(r"\b(?:dozens?)\b"), (12,)),
    (re.compile(r"\b(?:pairs?|couples?|both|twice|double)\b"), (2,)),
)
"""A unit that is said, and how many of a smaller one it is."""
_BEFORE_A_UNIT = 48
"""Characters in which its number stands (our choice)."""
_NEXT_TO_IT = re.compile(r"[ -]?(?:[a-z]+[ -])?\S?")
"""What may stand between: another word, and the unit's first letter."""
_RATES = {
    "monthly": 12.0, "quarterly": 4.0, "weekly": 52.0, "daily": 365.0, "semiannually": 2.0, "biannually": 2.0,
    "yearly": 1.0, "annually": 1.0,
}  # fmt: skip
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_FEET = re.compile(r"(\d{1,2}) ?(?:'|ft|feet|foot)\D{0,5}(\d{1,2})")
_TIME = re.compile(r"(?:^|[T ])(\d{1,2}):(\d\d)(?::\d\d)?(?:\.\d+)?Z?$")
_OTHER_DATE = re.compile(r"(?<!\d)(\d{1,2})[/.-](\d{1,2})[/.-]\d{4}(?!\d)")
_DIGITS = re.compile(r"\d+")
_COMPACT_DATE = re.compile(r"((?:19|20)\d\d)(\d\d)(\d\d)")
_ISO_DATE = re.compile(r"(\d{4})-(\d\d)-(\d\d)")
_BESIDE = re.compile(r"\b(?:previous|prior|preceding|before|earlier|last|next|following|after|later)\b")
_STEPS = ((re.compile(r"\bdays?\b"), 1), (re.compile(r"\bweeks?\b"), 7))
_SPAN = re.compile(r"(\d{0,4}) ?([a-zA-Z]{1,6})")
_SPANS = {
    "s": r"sec(?:ond)?s?", "m": r"min(?:ute)?s?|months?|monthly", "h": r"hours?|hourly|hrs?", "d": r"days?|daily",
    "w": r"weeks?|weekly", "mo": r"months?|monthly", "y": r"years?|yearly|annual(?:ly)?",
}  # fmt: skip
_SPANS |= {
    long: _SPANS[short]
    for short, longer in (("s", "sec"), ("m", "min"), ("h", "hr hour"), ("d", "day"), ("w", "wk week"), ("mo", "month"),
                          ("y", "yr year"))
    for long in longer.split()
}  # fmt: skip
_FIRST = re.compile(r"\bfirst (\w+)")
_FROM_TO = re.compile(r"\b(\d{1,4}) ?(?:-|to|through|until) ?(\d{1,4})\b")
_SCALE = re.compile(r"(?<![\d.])(\d{1,3}(?:\.\d)?) ?(?:-|to|and|through) ?(\d{1,3}(?:\.\d)?)(?![\d.]*\d)")
_MOST = frozenset(
    ("highest", "top", "maximum", "max", "most", "urgent", "critical", "full", "fully", "completely", "entirely",
     "utmost", "fill", "filled")
)  # fmt: skip
_LIMIT = re.compile(
    r"\b(?:up to|at most|no more than|(?:maximum|max|capacity|limit)(?: (?:of|is))?) (\d{1,9}(?:\.\d+)?)"
)
_SWITCH = re.compile(r"(?<![\d.])0 ?\([^)]*\)[^.\d]{1,12}1 ?\(")
_LEAST = frozenset(("lowest", "least", "minimum", "min", "minimal"))
_MOST_STEPS = 20
"""Of a range whose members are asked for one by one (our choice)."""


def number_said(value: float, text: str, numbers: Numbers) -> bool:
    """In a larger unit ("three hours" for 180), in feet and inches, as a rate ("monthly"), or as a month's name.
    ``text`` is case-folded; a unit without a number before it is one of it, and a number elsewhere in the text none of
    it."""
    for unit, sizes in _UNITS:
        shares = [round(value / size, 6) for size in sizes]
        if (1.0 in shares or not numbers.isdisjoint(shares)) and any(
            _of_unit(m, text, shares) for m in unit.finditer(text)
        ):
            return True
    if any(value == 12 * int(feet) + int(inches) for feet, inches in _FEET.findall(text)):
        return True
    words = set(re.findall(r"[a-z]+", text))
    if any(rate == value and word in words for word, rate in _RATES.items()):
        return True
    return value in range(1, 13) and any(word.startswith(MONTHS[int(value) - 1]) for word in words)


def _of_unit(unit: re.Match[str], text: str, shares: Sequence[float]) -> bool:
    """Whether one of these is how many of the unit are said: before it, or one where no number is."""
    start = max(0, unit.start() - _BEFORE_A_UNIT)
    before = text[start : unit.start() + 1]
    said = [r.value for r in readings_in(before) if _NEXT_TO_IT.fullmatch(before[r.end :])]
    return any(value in shares for value in said) if said else 1.0 in shares


def time_said(value: str, text: str, numbers: Numbers) -> bool:
    """``17:00``, alone or behind a date, by "five in the afternoon"; noon and midnight by their names."""
    found = _TIME.search(value)
    if found is None:
        return False
    hour, minute = int(found[1]), int(found[2])
    if (hour, minute) in ((0, 0), (12, 0)) and ("midnight" if hour == 0 else "noon") in text:
        return True
    minutes = minute == 0 or float(minute) in numbers or (minute == 30 and "half" in text) or "quarter" in text
    later = hour > 12 and float(hour - 12) in numbers and _AFTERNOON.search(text) is not None
    return minutes and (later or float(hour) in numbers)


def date_said(value: str, numbers: Numbers) -> bool:
    """``03/13/2023`` and ``13.03.2023``: one of the two is the day that was said."""
    found = _OTHER_DATE.search(value)
    return found is not None and any(float(part) in numbers for part in found.groups())


def compact_date_said(value: str, text: str, numbers: Numbers) -> bool:
    """``20230301`` by its day and its month ("March 1, 2023")."""
    found = _COMPACT_DATE.fullmatch(value)
    if found is None or not 1 <= int(found[2]) <= 12:
        return False
    month = int(found[2])
    named = any(word.startswith(MONTHS[month - 1]) for word in re.findall(r"[a-z]+", text))
    return float(found[3]) in numbers and (named or float(month) in numbers)


def date_beside_said(value: str, text: str, numbers: Numbers) -> bool:
    """``2022-10-01`` by "the week of October 8 and the one before": a day or a week from a day that was said."""
    found = _ISO_DATE.match(value)
    if found is None or not _BESIDE.search(text):
        return False
    try:
        day = date(*map(int, found.groups()))
        beside = [day + timedelta(sign * days) for unit, days in _STEPS if unit.search(text) for sign in (-1, 1)]
    except (ValueError, OverflowError):
        return False
    words = re.findall(r"[a-z]+", text)
    return any(
        float(other.day) in numbers
        and (float(other.month) in numbers or any(word.startswith(MONTHS[other.month - 1]) for word in words))
        for other in beside
    )


def span_said(value: str, text: str, numbers: Numbers) -> bool:
    """``15m`` by "15-minute", ``1h`` by "hourly", ``1d`` by "a day"."""
    found = _SPAN.fullmatch(value)
    words = _SPANS.get(found[2].lower()) if found else None
    if found is None or words is None or (not found[1] and len(found[2]) == 1):
        return False
    amount = float(found[1] or 1)
    return (amount == 1 or amount in numbers) and re.search(rf"(?<![^\W\d_])(?:{words})(?![^\W_])", text) is not None


def one_of_a_range(value: float, text: str) -> bool:
    """2 by "the first three pages" and by "pages 1 to 3"."""
    if value != int(value):
        return False
    ends = [(1.0, float(numbers[0])) for n in _FIRST.findall(text) if (numbers := [r.value for r in readings_in(n)])]
    ends += [(float(a), float(b)) for a, b in _FROM_TO.findall(text)]
    return any(a <= value <= b <= a + _MOST_STEPS for a, b in ends)


def glossed(value: str, told: str, text: str) -> bool:
    """The description says what the value stands for ("6016 for Productivity", "'1h' for hourly"), and the request
    says that."""
    stands_there = rf"(?<![^\W_]){re.escape(value.casefold())}(?![^\W_])['\"`]*"
    for found in re.finditer(stands_there + r" ?(?:for|is|means|[=:(]|->) ?['\"`]*([^\W\d_]{4,})", told.casefold()):
        if re.search(rf"(?<![^\W_]){found[1]}", text):
            return True
    return False


def initials_said(value: str, text: str) -> bool:
    """``Los Angeles, CA`` by LA or L.A.; ``New York, NY`` by NYC."""
    place = value.split(",")[0]
    initials = "".join(word[0] for word in re.findall(r"[A-Z][\w']*", place)).casefold()
    if len(initials) < 2:
        return False
    said = set(re.findall(r"[a-z]+", text.replace(".", "")))
    return bool({initials, f"{initials}c"} & said)


def end_of_scale(value: float, told: str, words: Collection[str]) -> bool:
    """5 by "the highest priority" where the description says "from 1 to 5"; 50 by "fill it up" where it says that the
    tank holds up to 50."""
    most, least = not _MOST.isdisjoint(words), not _LEAST.isdisjoint(words)
    if most and any(value == float(limit) for limit in _LIMIT.findall(told)):
        return True
    scale = _SCALE.search(told)
    return scale is not None and ((most and value == float(scale[2])) or (least and value == float(scale[1])))


def is_switch(told: str) -> bool:
    """A scale from 0 to 1, each end of which is explained: 0 and 1 are chosen there like off and on."""
    return _SWITCH.search(told) is not None


def listed_beside_said(value: float, told: str, words: Collection[str]) -> bool:
    """The description lists the number with words ("2: cleaning service"), one of which was said."""
    if value != int(value) or len(_DIGITS.findall(told)) < 2:
        return False
    for clause in re.split(r"[,;\n(){}]|\. ", told.casefold()):
        if str(int(value)) in _DIGITS.findall(clause) and any(
            word in words for word in re.findall(r"[a-z]{4,}", clause)
        ):
            return True
    return False
