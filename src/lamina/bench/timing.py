"""Figures of timed requests: mean, deviation, median, 95th percentile, and the 95 % interval of the mean, for all of
them and for each range of prompt lengths.

A request is timed once a round. Two things vary: samples are of different kinds, and a round finds the machine in
another state (warm, or busy with something else). The interval of the mean is taken over the means of the samples and
over the means of the rounds, and the wider of the two is given; one round alone says nothing of the second."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import mean, median, stdev
from typing import Any

from lamina.bench.intervals import student_975

JSON = dict[str, Any]
MEASURES = ("ttft_seconds", "itps", "otps", "total_seconds")
"""Time to first token, prompt tokens a second, answer tokens a second after the first, whole request. Seconds."""
EDGES = (64, 128, 256, 512, 1024, 2048, 4096, 8192)
"""A bucket of prompt lengths ends at each of these, in tokens (our choice)."""


def timing_figures(rows: Sequence[Mapping[str, Any]]) -> JSON | None:
    """``{"requests", "samples", "rounds", "all", "buckets", "engine", "clock_to_engine"}`` of timed rows; None without
    one. ``all`` and ``engine`` (the engine's own timings) map each measure to ``figures``, None where no row has it;
    ``clock_to_engine`` is the median ratio of our clock's rates to the engine's. A bucket is ``{"from", "to",
    "samples", **measures}``, prompt tokens, both ends included."""
    answered = [row for row in rows if not row.get("problem")]
    if not answered:
        return None
    return {
        "requests": len(answered),
        "failed": len(rows) - len(answered),
        "samples": len({_sample(row) for row in answered}),
        "rounds": len({row["round"] for row in answered}),
        "all": _measured(answered),
        "buckets": [
            {"from": low, "to": high, "samples": len({_sample(row) for row in inside}), **_measured(inside)}
            for low, high, inside in _by_length(answered)
        ],
        "engine": _measured([{**row, **(row.get("engine") or dict.fromkeys(MEASURES))} for row in answered]),
        "clock_to_engine": {name: _ratio(answered, name) for name in ("itps", "otps")},
    }


def figures(values: Sequence[tuple[Any, int, float]]) -> JSON | None:
    """``{"n" (samples), "rounds", "values", "mean", "sd", "median", "p95", "low", "high", "over", "noise"}`` of
    ``(sample, round, value)``; None without any. ``over`` says whether the interval is that over samples or rounds.
    ``sd``, ``low`` and ``high`` are None where there is one sample and one round, ``noise`` (the pooled deviation of
    one sample's rounds) where no sample was timed twice."""
    every = [value for _, _, value in values]
    if not every:
        return None
    samples, rounds = _grouped(values, 0), _grouped(values, 1)
    half, over = max((_half_width(samples), "samples"), (_half_width(rounds), "rounds"))
    return {
        "n": len(samples),
        "rounds": len(rounds),
        "values": len(every),
        "mean": mean(every),
        "sd": stdev(every) if len(every) > 1 else None,
        "median": median(every),
        "p95": percentile(every, 0.95),
        "low": None if half < 0 else mean(every) - half,
        "high": None if half < 0 else mean(every) + half,
        "over": None if half < 0 else over,
        "noise": _noise(samples),
    }


def _grouped(values: Sequence[tuple[Any, int, float]], by: int) -> list[list[float]]:
    groups: dict[Any, list[float]] = {}
    for row in values:
        groups.setdefault(row[by], []).append(row[2])
    return list(groups.values())


def _half_width(groups: Sequence[Sequence[float]]) -> float:
    """Student's, of the mean of the groups' means; -1 where there is one group, and nothing to be said."""
    means = [mean(group) for group in groups]
    if len(means) < 2:
        return -1.0
    return student_975(len(means) - 1) * stdev(means) / math.sqrt(len(means))


def percentile(values: Sequence[float], share: float) -> float:
    """Between the two nearest values in proportion (numpy's default). ``values`` is not empty."""
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])


def _measured(rows: Sequence[Mapping[str, Any]]) -> JSON:
    found: JSON = {}
    for name in MEASURES:
        found[name] = figures([(_sample(row), row["round"], row[name]) for row in rows if row.get(name) is not None])
    return found


def _sample(row: Mapping[str, Any]) -> tuple[str, str]:
    return row["task"], row["sample"]


def _by_length(rows: Sequence[Mapping[str, Any]]) -> list[tuple[int, int | None, list[Mapping[str, Any]]]]:
    bounds = [*zip((1, *(edge + 1 for edge in EDGES)), (*EDGES, None), strict=True)]
    inside = [
        (low, high, [r for r in rows if r["prompt_tokens"] >= low and (high is None or r["prompt_tokens"] <= high)])
        for low, high in bounds
    ]
    return [one for one in inside if one[2]]


def _noise(samples: Sequence[Sequence[float]]) -> float | None:
    again = [found for found in samples if len(found) > 1]
    if not again:
        return None
    squares = sum((v - mean(found)) ** 2 for found in again for v in found)
    return math.sqrt(squares / sum(len(found) - 1 for found in again))


def _ratio(rows: Sequence[Mapping[str, Any]], name: str) -> float | None:
    ratios = [row[name] / told for row in rows if row.get(name) and (told := (row.get("engine") or {}).get(name))]
    return median(ratios) if ratios else None
