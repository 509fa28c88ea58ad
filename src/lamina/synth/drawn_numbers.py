"""Numbers within the bounds of a schema: as people say them where those lie within, and else from all of the range."""

from __future__ import annotations

import math
import random
import re
import sys

from lamina.tools.tool import JSON

WIDE = 1_000_000
"""A range wider than this is drawn from by the number of digits: people say 40 of up to a billion, not only 612,304,555
(our choice)."""
_MONEY_WORDS = re.compile(r"\b(amount|total|price|bill|cost|money|fee|salary|sum)\b")
_PERCENTS = (5, 8, 10, 12, 15, 18, 20, 22, 25, 30)
_ROUND = (25, 40, 50, 60, 75, 80, 100, 120, 150, 180, 200, 250, 300, 400, 500, 1000, 2500)


def draw_number(schema: JSON, path: str, rng: random.Random) -> int | float:
    """Whole where the schema wants that, or where it is whole anyway. Bounds that nothing fits are not kept."""
    text = f"{path.replace('_', ' ')} {schema.get('description', '')}".lower()
    low, high = _bounds(schema)
    if "percent" in text and (fitting := [p for p in _PERCENTS if _within(p, low, high)]):
        value: float = rng.choice(fitting)
    else:
        value = _within_bounds(_as_said(schema, text, rng), low, high, rng)
    value = _on_a_step(value, schema, low, high)
    return int(value) if schema.get("type") == "integer" or value == int(value) else value


def _bounds(schema: JSON) -> tuple[float | None, float | None]:
    """Both inclusive; those that a schema excludes are moved by a step."""
    whole = schema.get("type") == "integer"
    nearest = 1 if whole else _nearest(schema)
    lows = [_number(schema, "minimum"), _number(schema, "exclusiveMinimum", nearest)]
    highs = [_number(schema, "maximum"), _number(schema, "exclusiveMaximum", -nearest)]
    low = max((v for v in lows if v is not None), default=None)
    high = min((v for v in highs if v is not None), default=None)
    if low is None and high is not None and high > 0:
        low = 1 if high > 1 else 0
    if whole:
        return None if low is None else math.ceil(low), None if high is None else math.floor(high)
    return low, high


def _nearest(schema: JSON) -> float:
    """How close to a bound that is excluded a number comes."""
    low, high = _number(schema, "exclusiveMinimum"), _number(schema, "exclusiveMaximum")
    low = _number(schema, "minimum") if low is None else low
    high = _number(schema, "maximum") if high is None else high
    return 0.01 if low is None or high is None else min(0.01, max(0, high - low) / 100)


def _number(schema: JSON, key: str, moved: float = 0) -> float | None:
    """None also for a bound that no floating-point number reaches: JSON may write one of hundreds of digits."""
    value = schema.get(key)
    if not isinstance(value, int | float) or isinstance(value, bool) or abs(value) > sys.float_info.max:
        return None
    return value + moved


def _within(value: float, low: float | None, high: float | None) -> bool:
    return (low is None or value >= low) and (high is None or value <= high)


def _as_said(schema: JSON, text: str, rng: random.Random) -> float:
    """Small numbers more often than large ones."""
    roll = rng.random()
    if roll < 0.25:
        return rng.randint(2, 12)
    if roll < 0.5:
        return rng.randint(13, 99)
    if roll < 0.75:
        return rng.choice(_ROUND)
    if schema.get("type") == "integer":
        return rng.randint(100, 1200)
    return round(rng.uniform(5, 400), 2) if _MONEY_WORDS.search(text) else round(rng.uniform(0.5, 90), 1)


def _within_bounds(said: float, low: float | None, high: float | None, rng: random.Random) -> float:
    if low is not None and high is not None:
        if 0 <= low <= said <= high and rng.random() < 0.5:
            return said
        return _spread(low, high, rng)
    if low is not None and said < low:
        return low + said
    if high is not None and said > high:
        return high - said
    return said


def _spread(low: float, high: float, rng: random.Random) -> float:
    """Any of the range, with no more digits than it takes to tell its values apart."""
    span = high - low
    if span <= 0:
        return low
    if span > WIDE:
        away = 10 ** rng.uniform(0, math.log10(span))
        start, sign = (low, 1) if low >= 0 else (high, -1) if high <= 0 else (0, rng.choice((-1, 1)))
        drawn = start + sign * away
    else:
        drawn = rng.uniform(low, high)
    digits = rng.choice((0, 1)) if span > 10 else max(2, 2 - math.floor(math.log10(span)))
    return min(high, max(low, round(drawn, digits)))


def _on_a_step(value: float, schema: JSON, low: float | None, high: float | None) -> float:
    step = _number(schema, "multipleOf") or (1 if schema.get("type") == "integer" else 0)
    if step <= 0 or not math.isfinite(max(abs(value), abs(low or 0), abs(high or 0)) / step):
        return value
    steps = round(value / step) or (1 if value > 0 else 0)
    if low is not None and steps * step < low:
        steps = math.ceil(low / step)
    if high is not None and steps * step > high:
        steps = math.floor(high / step)
    return round(steps * step, 10)
