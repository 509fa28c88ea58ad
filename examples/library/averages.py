"""Figures about a list of numbers."""

import statistics

PURE = True


def mean_value(values: list[float]) -> float:
    """Compute the mean of some numbers.

    Args:
        values: The numbers.
    """
    return round(statistics.fmean(values), 6)


def median_value(values: list[float]) -> float:
    """Find the median of some numbers.

    Args:
        values: The numbers.
    """
    return statistics.median(values)


def most_common_value(values: list[float]) -> float:
    """Find the number that occurs most often.

    Args:
        values: The numbers.
    """
    return statistics.mode(values)


def standard_deviation(values: list[float]) -> float:
    """Compute the standard deviation of some numbers.

    Args:
        values: At least two numbers.
    """
    return round(statistics.stdev(values), 6)


def variance_of(values: list[float]) -> float:
    """Compute the variance of some numbers.

    Args:
        values: At least two numbers.
    """
    return round(statistics.variance(values), 6)


def harmonic_mean(values: list[float]) -> float:
    """Compute the harmonic mean of some positive numbers.

    Args:
        values: The numbers.
    """
    return round(statistics.harmonic_mean(values), 6)


def geometric_mean(values: list[float]) -> float:
    """Compute the geometric mean of some positive numbers.

    Args:
        values: The numbers.
    """
    return round(statistics.geometric_mean(values), 6)


def value_range(values: list[float]) -> float:
    """Compute the distance between the largest and the smallest number.

    Args:
        values: The numbers.
    """
    return max(values) - min(values)


def sum_of(values: list[float]) -> float:
    """Add up some numbers.

    Args:
        values: The numbers.
    """
    return round(sum(values), 6)


def largest_value(values: list[float]) -> float:
    """Find the largest of some numbers.

    Args:
        values: The numbers.
    """
    return max(values)


def sort_values(values: list[float], descending: bool = False) -> list[float]:
    """Sort some numbers.

    Args:
        values: The numbers.
        descending: Whether the largest comes first.
    """
    return sorted(values, reverse=descending)
