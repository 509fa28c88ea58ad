"""Amounts with a unit: "3 hours" says 180 where an argument is in minutes.

Only within one system, where the other number follows without rounding (time, metric length, weight and volume, the
small coins of a currency). What unit an argument is in is read from its name or its description."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from lamina.trajectories.number_phrases import Reading

_UNITS: dict[str, tuple[str, float, tuple[str, ...]]] = {
    "milliseconds": ("time", 0.001, ("ms", "msec", "msecs", "millisecond", "millis")),
    "seconds": ("time", 1, ("s", "sec", "secs", "second")),
    "minutes": ("time", 60, ("min", "mins", "minute", "m")),
    "hours": ("time", 3600, ("h", "hr", "hrs", "hour")),
    "days": ("time", 86400, ("day",)),
    "weeks": ("time", 604800, ("week", "wk", "wks")),
    "years": ("years", 12, ("year", "yr", "yrs")),
    "months": ("years", 1, ("month",)),
    "millimeters": ("length", 0.001, ("mm", "millimeter", "millimetre", "millimetres")),
    "centimeters": ("length", 0.01, ("cm", "cms", "centimeter", "centimetre", "centimetres")),
    "meters": ("length", 1, ("m", "meter", "metre", "metres")),
    "kilometers": ("length", 1000, ("km", "kms", "kilometer", "kilometre", "kilometres")),
    "milligrams": ("weight", 0.001, ("mg", "milligram")),
    "grams": ("weight", 1, ("g", "gram", "gr")),
    "kilograms": ("weight", 1000, ("kg", "kgs", "kilo", "kilos", "kilogram")),
    "milliliters": ("volume", 0.001, ("ml", "mls", "milliliter", "millilitre", "millilitres")),
    "liters": ("volume", 1, ("l", "liter", "litre", "litres")),
    "cents": ("money", 0.01, ("cent", "pence")),
    "dollars": ("money", 1, ("dollar", "usd", "bucks", "euro", "euros", "eur", "pounds")),
}
"""Dimension, size, and other names."""
_NAMED: dict[str, tuple[str, ...]] = {}
for _unit, _about in _UNITS.items():
    for _name in (_unit, *_about[2]):
        _NAMED[_name] = (*_NAMED.get(_name, ()), _unit)
_ANY = "|".join(sorted((n for n in _NAMED if len(n) > 1), key=len, reverse=True))
_ANY_SAID = "|".join(sorted(_NAMED, key=len, reverse=True))
_AFTER = re.compile(rf"(?:[ -]| an? | of an? | an |(?<=\d))({_ANY_SAID})(?![^\W_])(?: and (?:a )?(half|quarter)\b)?")
_ONE = re.compile(rf"\b(?:an?|one|per) ({_ANY})\b(?: and (?:a )?(half|quarter)\b)?")
_ONE_OF = re.compile(rf"\b(?:an?|a single) (?:{_ANY}|mile|foot|inch|yard|pound|ounce|gallon|cup|yen|franc|loonie)\b")
_TOLD = re.compile(rf"(?:\bin |\bnumber of |\bhow many |\bamount of |\(|^)(?:whole |full )?({_ANY})\b")
_PARTS = {"half": 0.5, "quarter": 0.25}
_BETWEEN = (" ", " and ", ", ", "")
_PERCENT = re.compile(r" ?(?:%|per ?cent\b)")
_SHARE_TOLD = re.compile(r"fraction|decimal|ratio|share|between 0 and 1|0 to 1|\b0?\.\d")


class Quantity(NamedTuple):
    """``size``: how much of its dimension, in the dimension's own unit."""

    dimension: str
    unit: str
    size: float
    words: str
    start: int
    end: int


@lru_cache(maxsize=4096)
def units_of(argument: str, description: str) -> tuple[str, ...]:
    """The units that an argument may be in: by its name (``duration_minutes``, ``timeoutMs``), else by the first that
    its description names as one (``in minutes``, ``number of days``). None for most."""
    words = re.findall(r"[a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", re.split(r"[.\[]", argument)[-1]).casefold())
    if words and words[-1] in _NAMED and words[-1] != "second" and (len(words[-1]) > 1 or len(words) > 1):
        return _NAMED[words[-1]]
    told = _TOLD.search(description.casefold())
    return _NAMED[told[1]] if told else ()


def dimension_of(unit: str) -> str:
    """Of a unit's full name, as ``units_of`` gives it."""
    return _UNITS[unit][0]


def quantities_in(text: str, readings: Sequence[Reading]) -> list[Quantity]:
    """Each amount, and what amounts that stand together come to ("1 hour and 30 minutes")."""
    found = [q for r in readings if (m := _AFTER.match(text, r.end)) for q in _of(r.value, m, text, r.start)]
    found += [
        Quantity("money", "dollars", r.value, f"{text[r.start - 1]}{r.words}", r.start - 1, r.end)
        for r in readings
        if r.start and text[r.start - 1] in "$€£"
    ]
    taken = {q.end for q in found}
    found += [q for m in _ONE.finditer(text) if m.end() not in taken for q in _of(1.0, m, text, m.start())]
    found.sort(key=lambda q: (q.start, q.end))
    for i, first in enumerate(list(found)):
        total = first
        for other in found[i + 1 :]:
            smaller = _UNITS[other.unit][1] < _UNITS[total.unit][1] and other.dimension == total.dimension
            if smaller and other.start >= total.end and text[total.end : other.start] in _BETWEEN:
                words = text[total.start : other.end]
                total = Quantity(total.dimension, other.unit, total.size + other.size, words, total.start, other.end)
        if total is not first:
            found.append(total)
    return found


def _of(value: float, unit: re.Match[str], text: str, start: int) -> list[Quantity]:
    value += _PARTS.get(unit[2], 0.0)
    return [
        Quantity(_UNITS[name][0], name, value * _UNITS[name][1], text[start : unit.end()], start, unit.end())
        for name in _NAMED[unit[1]]
    ]


def said_in(value: float, unit: str, quantities: Sequence[Quantity]) -> Quantity | None:
    """The amount that is ``value`` in ``unit``."""
    dimension, size, _ = _UNITS[unit]
    wanted = value * size
    return next(
        (q for q in quantities if q.dimension == dimension and abs(q.size - wanted) <= 1e-9 * max(1.0, abs(wanted))),
        None,
    )


def one_said(text: str) -> str | None:
    """The words that say 1 without a number: "a mile"."""
    found = _ONE_OF.search(text)
    return found.group() if found else None


def in_another_unit(reading: Reading, units: Sequence[str], text: str) -> bool:
    """Whether a number is said of another size of unit than the argument's ("3 hours" for 3 where minutes count)."""
    said = _AFTER.match(text, reading.end)
    if said is None or set(_NAMED[said[1]]) & set(units):
        return False
    return bool({_UNITS[u][0] for u in _NAMED[said[1]]} & {_UNITS[u][0] for u in units})


def share_said(value: float, argument: str, description: str, text: str, readings: Sequence[Reading]) -> str | None:
    """The words that say 0.15 as "15 %", unless the argument itself is in percent."""
    told = f"{argument.rpartition('.')[2]} {description}".casefold()
    if not 0 < abs(value) <= 10 or ("percent" in told and not _SHARE_TOLD.search(told)):
        return None
    for reading in readings:
        if abs(reading.value - 100 * value) < 1e-9 and (sign := _PERCENT.match(text, reading.end)):
            return text[reading.start : sign.end()]
    return None
