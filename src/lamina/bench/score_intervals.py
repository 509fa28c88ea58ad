"""Intervals of scores from 0 to 1 (``f1``, ``rougeL``), or of any other span that a task declares (a judge's ratings,
1 to 10), and of their paired differences, at 95 %.

What lies above and what lies below the median have ends of their own, like Wilson's of a rate. Of values x from 0 up
with mean m the variance is E[x²] - m²; where ``size`` is E[x²] / E[x], it is size · m - m², and (mean - m)² =
t² (size · m - m²) / n has two solutions m: the ends. That holds of values that are mostly 0 or near it, as distances
from the median are; of scores near 0.8 the variance would shrink towards ``size``, and the upper end with it. Values
that are 0 or 1 have size 1, and the ends are Wilson's (E. B. Wilson 1927). Student's t stands for the normal quantile,
because the size is estimated, and ``UNSEEN`` of the largest distance that is possible is added to both its sums: a few
values that are small say little of how large a rare one may be, many say it. Our choice, made by simulation
(``benchmarks/paired_intervals.py``, docs/decisions/0007-intervals-of-scores.md)."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from lamina.bench.intervals import Interval, mean_interval, paired_difference, student_975

UNSEEN = 0.5

Span = tuple[float, float]
"""The least and the largest value that a score can have."""
SHARE: Span = (0.0, 1.0)
SIGNED: Span = (-1.0, 1.0)
"""Of a bias, of a correlation."""


@dataclass(frozen=True)
class _Ends:
    """Of the mean of distances from 0 up."""

    mean: float
    low: float
    high: float
    variance: float


def _ends(values: Sequence[float], times: float, unseen: float, most: float) -> _Ends:
    """``most``: the largest distance that is possible."""
    n, total, squares = times * len(values), times * sum(values), times * sum(value * value for value in values)
    mean = total / n
    variance = max(0.0, squares / n - mean * mean)
    t = student_975(int(n) - 1)
    known = total + unseen * most
    size = (squares + unseen * most * most) / known if known > 0 else 0.0
    half = t * math.sqrt(max(0.0, total * (size - mean)) + (size * t / 2) ** 2)
    centre, whole = total + size * t * t / 2, n + t * t
    return _Ends(mean, max(0.0, min(mean, (centre - half) / whole)), max(mean, (centre + half) / whole), variance)


def mean_of_shares(values: Sequence[float], span: Span = SHARE) -> Interval | None:
    """The mean of values from 0 to 1, or within another ``span``; ``None`` without one. Raises ValueError for a value
    outside."""
    if not values:
        return None
    if not all(span[0] <= value <= span[1] for value in values):
        raise ValueError(f"a score lies between {span[0]:g} and {span[1]:g}")
    return _around_median(values, *span)


def mean_of_scores(values: Sequence[float], span: Span | None = None) -> Interval | None:
    """The mean of scores within ``span``. Where nobody declared it: that of shares where all lie between 0 and 1, else
    a bootstrap; one of values that are all alike would be a point, so that they stand for a span of twice their size
    (our choice)."""
    if span is None and len(set(values)) == 1 and not 0 <= values[0] <= 1:
        span = (values[0] - abs(values[0]), values[0] + abs(values[0]))
    if span is not None:
        return mean_of_shares(values, span)
    return mean_of_shares(values) if all(0 <= value <= 1 for value in values) else mean_interval(values)


def as_share(value: float, span: Span) -> float:
    """Where ``value`` lies within ``span``, from 0 to 1."""
    return (value - span[0]) / (span[1] - span[0])


def difference_of(before: Sequence[float], after: Sequence[float], times: float = 1.0) -> Interval | None:
    """Mean of ``after`` minus ``before`` on the same samples, each from 0 to 1: Newcombe's interval for verdicts,
    ``mean_of_differences`` for scores. ``times``: as if the same pairs had come so many times over."""
    if all(value in (0, 1) for value in (*before, *after)):
        return paired_difference([bool(v) for v in before], [bool(v) for v in after], times=times)
    return mean_of_differences([b - a for a, b in zip(before, after, strict=True)], times)


def mean_of_differences(
    gained: Sequence[float], times: float = 1.0, unseen: float = UNSEEN, most: float = 1.0
) -> Interval | None:
    """The mean of differences from -1 to 1, or from ``-most`` to ``most``; ``None`` without a value.

    A bootstrap, and Student's interval alone, know no more than the values at hand: they are a point where one, or a
    handful that agree, are all there is, and too narrow where a rare sample loses everything. Of one value the interval
    is all that is possible."""
    return _around_median(gained, -most, most, times, unseen) if gained else None


def _around_median(
    values: Sequence[float], least: float, most: float, times: float = 1.0, unseen: float = UNSEEN
) -> Interval:
    """What lies above and what lies below the median, put together as two rates are (MOVER: G. Y. Zou and A. Donner,
    Statistics in Medicine 27 (2008) 1693), less the correlation that comes of a value not being both."""
    value = sum(values) / len(values)
    if len(values) * times < 2:
        return Interval(value, least, most, len(values))
    level = statistics.median(values)
    up = _ends([max(0.0, one - level) for one in values], times, unseen, most - level)
    down = _ends([max(0.0, level - one) for one in values], times, unseen, level - least)
    spread = math.sqrt(up.variance * down.variance)
    r = max(-1.0, -up.mean * down.mean / spread) if spread > 0 else 0.0
    below = _together(up.mean - up.low, down.high - down.mean, r)
    above = _together(up.high - up.mean, down.mean - down.low, r)
    return Interval(value, max(least, value - below), min(most, value + above), int(times * len(values)))


def _together(one: float, two: float, r: float) -> float:
    return math.sqrt(max(0.0, one * one + two * two - 2 * r * one * two))
