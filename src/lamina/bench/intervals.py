"""Intervals: how far a measured rate may be from the true one, at 95 %.

Every figure Lamina reports carries one. All functions are pure; rates and bounds are fractions, not per cent.
"""

from __future__ import annotations

import math
import random
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

Z95 = 1.959963984540054
"""The 97.5 % quantile of the normal distribution."""
_T975 = (
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131, 2.120,
    2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
)  # fmt: skip


@dataclass(frozen=True)
class Interval:
    """``value`` with its bounds; ``n`` is the number of samples (for a paired difference: of pairs)."""

    value: float
    low: float
    high: float
    n: int


def student_975(freedom: int) -> float:
    """The 97.5 % quantile of Student's t: the table to 30 degrees of freedom, after it the first terms of the Fisher
    and Cornish expansion (Abramowitz and Stegun 26.7.5), right to three places there."""
    if freedom <= len(_T975):
        return _T975[freedom - 1]
    z = Z95
    return z + (z**3 + z) / (4 * freedom) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)


def wilson(right: float, n: float, z: float = Z95) -> Interval | None:
    """The score interval of a proportion; ``None`` where there is no sample.

    Source: E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22
    (1927) 209-212. Unlike the textbook interval it stays inside 0..1 and is honest at 0 and at 100 %.
    """
    if n <= 0:
        return None
    if not 0 <= right <= n:
        raise ValueError(f"{right} of {n} is not a proportion")
    p = right / n
    scale = 1 + z * z / n
    centre = (p + z * z / (2 * n)) / scale
    half = z / scale * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return Interval(p, max(0.0, min(p, centre - half)), min(1.0, max(p, centre + half)), int(n))


def paired_difference(
    before: Sequence[bool], after: Sequence[bool], z: float = Z95, times: float = 1.0
) -> Interval | None:
    """Rate of ``after`` minus rate of ``before`` where both answered the same prompts, in the same order. ``times``: as
    if the same pairs had come so many times over.

    Source: R. G. Newcombe, "Improved confidence intervals for the difference between binomial proportions
    based on paired data", Statistics in Medicine 17 (1998) 2635-2650, method 10: the two Wilson intervals
    squared and added, less what the correlation of the pairs explains. Closed form, so it needs no seed, and
    it does not shrink to a point when no pair differs, as a bootstrap does.
    """
    if len(before) != len(after):
        raise ValueError(f"paired answers of different length: {len(before)} and {len(after)}")
    if not before:
        return None
    n = times * len(before)
    both = times * sum(a and b for a, b in zip(before, after, strict=True))
    first, second = times * sum(map(bool, before)), times * sum(map(bool, after))
    one, two = wilson(first, n, z), wilson(second, n, z)
    assert one is not None
    assert two is not None
    phi = _correlation(both, second - both, first - both, n - first - second + both, n)
    gain_low, gain_high = two.value - two.low, two.high - two.value
    lose_low, lose_high = one.value - one.low, one.high - one.value
    difference = two.value - one.value
    low = difference - math.sqrt(max(0.0, gain_low**2 - 2 * phi * gain_low * lose_high + lose_high**2))
    high = difference + math.sqrt(max(0.0, gain_high**2 - 2 * phi * gain_high * lose_low + lose_low**2))
    return Interval(difference, max(-1.0, low), min(1.0, high), int(n))


def mcnemar(only_before: int, only_after: int) -> float:
    """The exact two-sided p value of the test that as many pairs changed one way as the other; 1 where none changed.

    Source: Q. McNemar, Psychometrika 12 (1947) 153-157, with the binomial distribution in place of chi squared."""
    changed, fewer = only_before + only_after, min(only_before, only_after)
    tail: float = 2 * sum(math.comb(changed, k) for k in range(fewer + 1)) / 2**changed
    return min(1.0, tail)


def _correlation(both: float, only_second: float, only_first: float, neither: float, n: float) -> float:
    """Phi of the two by two table, with Newcombe's continuity correction where it is positive."""
    margins = (both + only_second) * (only_first + neither) * (both + only_first) * (only_second + neither)
    if margins == 0:
        return 0.0
    product: float = both * neither - only_first * only_second
    if product > 0:
        product = max(product - n / 2, 0)
    return product / math.sqrt(margins)


def ratio_of_sums(parts: Sequence[int], wholes: Sequence[int], *, seed: int = 0, draws: int = 2000) -> Interval | None:
    """``sum(parts) / sum(wholes)`` over samples, with a percentile bootstrap over SAMPLES: the arguments of
    one call are right or wrong together, so they do not count as independent. ``n`` is the number of samples
    that have a whole.

    Source: B. Efron and R. Tibshirani, "An Introduction to the Bootstrap" (1993), chapter 13. Where every
    sample is fully right or every one fully wrong the bootstrap has no width; the Wilson interval over
    samples is given then.
    """
    pairs = [(p, w) for p, w in zip(parts, wholes, strict=True) if w > 0]
    if not pairs:
        return None
    value = sum(p for p, _ in pairs) / sum(w for _, w in pairs)
    if value in (0.0, 1.0):
        edge = wilson(len(pairs) if value else 0, len(pairs))
        assert edge is not None
        return edge
    chance = random.Random(seed)
    found = []
    for _ in range(draws):
        drawn = chance.choices(pairs, k=len(pairs))
        found.append(sum(p for p, _ in drawn) / sum(w for _, w in drawn))
    found.sort()
    return Interval(value, found[int(0.025 * draws)], found[math.ceil(0.975 * draws) - 1], len(pairs))


def bounded_interval(values: Sequence[float], least: float = 0.0, most: float = 1.0) -> Interval | None:
    """The mean of values that lie between two bounds (rewards, or differences of rewards from -1 to 1): Wilson's
    interval for the mean as a share of the span. Our choice: no distribution within bounds varies more than one that
    takes the bounds alone, so it is at least as wide as needed, and it does not shrink to a point where a handful of
    values agree, as a bootstrap does. ``None`` without a value."""
    span = most - least
    found = wilson(min(len(values), max(0.0, sum((v - least) / span for v in values))), len(values))
    if found is None:
        return None
    return Interval(sum(values) / len(values), least + span * found.low, least + span * found.high, found.n)


def mean_interval(values: Sequence[float], *, seed: int = 0, draws: int = 2000) -> Interval | None:
    """The mean with a percentile bootstrap over samples (Efron and Tibshirani 1993, chapter 13); ``None`` without a
    value. For values without bounds; those from 0 to 1 have ``score_intervals``."""
    if not values:
        return None
    mean = sum(values) / len(values)
    chance = random.Random(seed)
    found = sorted(sum(chance.choices(values, k=len(values))) / len(values) for _ in range(draws))
    return Interval(mean, found[int(0.025 * draws)], found[math.ceil(0.975 * draws) - 1], len(values))


def correlation(one: Sequence[float], two: Sequence[float], z: float = Z95) -> Interval | None:
    """Pearson's correlation of pairs with Fisher's interval (R. A. Fisher, "On the probable error of a coefficient of
    correlation", Metron 1 (1921) 3-32); ``None`` below four pairs, or where one side has a single value."""
    n = len(one)
    if n != len(two):
        raise ValueError(f"pairs of different length: {n} and {len(two)}")
    if n < 4 or len(set(one)) < 2 or len(set(two)) < 2:
        return None
    value = max(-1.0, min(1.0, statistics.correlation(one, two)))
    if abs(value) >= 1 - 1e-12:
        return Interval(value, value, value, n)
    centre, half = math.atanh(value), z / math.sqrt(n - 3)
    return Interval(value, math.tanh(centre - half), math.tanh(centre + half), n)
