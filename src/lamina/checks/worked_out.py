"""Numbers that were not said but follow from what was: rounded, in a unit of another system, or reckoned from the
result of an earlier call (45 gallons to fill a tank of 50 that a result says holds 5). For the mild grounding of other
people's rows (our choice)."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

_CODE = re.compile(
    r"(?:^|[._])(?:id|ids|code|zip|zipcode|phone|number|token|pin|password)$|[a-z](?:Id|ID|Code|Number)$"
)
"""Arguments that hold no amount."""
_MOST_NUMBERS = 40
"""Of a conversation (our choice): of more, something is nearly always the sum of two."""
_SYSTEMS: tuple[tuple[str, str, float], ...] = (
    (r"gal(?:lon)?s?", r"lit(?:er|re)s?|l", 3.785412),
    (r"miles?|mi", r"kilomet(?:er|re)s?|kms?", 1.609344),
    (r"miles?|mi", r"met(?:er|re)s?", 1609.344),
    (r"pounds?|lbs?", r"kilo(?:gram)?s?|kgs?", 0.45359237),
    (r"ounces?|oz", r"grams?|g", 28.349523),
    (r"inch(?:es)?|in", r"centimet(?:er|re)s?|cms?", 2.54),
    (r"foot|feet|ft", r"met(?:er|re)s?|m", 0.3048),
    (r"yards?|yds?", r"met(?:er|re)s?|m", 0.9144),
    (r"acres?", r"hectares?|ha", 0.40468564),
)
"""Two units, and how many of the second one of the first is."""
_SHARES = (2.0, 0.5, 3.0, 0.25)
"""Twice, half, three times, a quarter of what a result says."""


def rounded(value: float, numbers: Iterable[float]) -> bool:
    """Whether one of ``numbers`` has more decimals and is this one with fewer."""
    places = _places(value)
    return any(_places(n) > places and round(abs(n), places) == abs(value) for n in numbers)


def converted(value: float, told: str, text: str, numbers: Collection[float]) -> bool:
    """15 litres are 3.96 gallons. ``told``: the argument's name and description, which say its unit; ``text`` says the
    other. Both case-folded."""
    places = max(_places(value), 0)
    for one, other, size in _SYSTEMS:
        for wanted, said, factor in ((one, other, 1 / size), (other, one, size)):
            if re.search(rf"(?<![^\W\d_])(?:{wanted})(?![^\W_])", told) is None:
                continue
            if re.search(rf"(?<![^\W\d_])(?:{said})(?![^\W_])", text) is None:
                continue
            if any(round(n * factor, places) == abs(value) for n in numbers):
                return True
    celsius = re.search(r"celsius|°c", told) and re.search(r"fahrenheit|°f|\df\b", text)
    fahrenheit = re.search(r"fahrenheit|°f", told) and re.search(r"celsius|°c|\dc\b", text)
    if celsius and any(round((n - 32) / 1.8, places) == value for n in numbers):
        return True
    return bool(fahrenheit) and any(round(n * 1.8 + 32, places) == value for n in numbers)


def reckoned(value: float, argument: str, results: Collection[float], said: Collection[float]) -> bool:
    """Whether the amount is the sum, difference, product, quotient or share of a number of the results and another one,
    as exactly as it is written. ``said``: all numbers that were said, also by the description of the function."""
    if _CODE.search(argument) or not results or len(results) > _MOST_NUMBERS or len(said) > _MOST_NUMBERS:
        return False
    places = _places(value)
    wanted = abs(value)
    for a in results:
        for b in (*said, *results, *_SHARES):
            ways = [a + b, abs(a - b), a * b, a * b / 100, a * (1 + b / 100), a * (1 - b / 100)]
            ways += [a / b] if b else []
            ways += [b / a] if a else []
            if any(abs(round(way, places) - wanted) < 1e-9 for way in ways):
                return True
    return False


def _places(value: float) -> int:
    """Decimals with which it is written, four at most."""
    return next((places for places in range(4) if abs(round(value, places) - value) < 1e-9), 4)
