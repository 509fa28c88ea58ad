"""Diversity: whether a data set says many things or one thing many times. (Self-similarity as in Self-Instruct,
arXiv 2212.10560; the other two are our choice.)"""

from __future__ import annotations

import json
import math
import random
from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any

from lamina.trajectories.trajectory import Trajectory

SAMPLE = 400
"""Requests that are compared with each other."""
FEWEST = 8
"""Calls with an argument, below which its entropy says little: the mean and the lowest leave it out."""


def diversity_of(records: Iterable[Trajectory]) -> dict[str, Any]:
    """``frames``: distinct sentence frames (requests with their values taken out) and their share of the rows.
    ``argument_entropy``: of the values of each argument, 0 (always the same) to 1 (never the same), its mean over
    the ``arguments_counted`` that have ``fewest_calls``; None where none has, and then ``no_entropy`` says why.
    ``lowest_entropy``: the five lowest of them. ``arguments``: every argument (``TOOL.NAME``) with its calls, ``n``,
    and its ``entropy``, None of a single call. ``self_similarity``: mean over a sample of requests of the likeness (0
    to 1, longest common subsequence) to the most like of the others. Memory does not grow with the rows, distinct
    values aside."""
    frames: set[int] = set()
    values: dict[str, Counter[int]] = defaultdict(Counter)
    sample: list[str] = []
    rng, rows = random.Random(0), 0
    for record in records:
        rows += 1
        extra = record.meta.model_extra or {}
        frames.add(hash(extra.get("template") or record.request.casefold()))
        for call in record.calls:
            for name, value in call.arguments.items():
                values[f"{call.name}.{name}"][hash(json.dumps(value, sort_keys=True, default=str))] += 1
        place = len(sample) if len(sample) < SAMPLE else rng.randrange(rows)
        if place < SAMPLE:
            sample[place:place + 1] = [str(extra.get("clean") or record.request)]  # fmt: skip
    calls = {name: values[name].total() for name in sorted(values)}
    entropies = {name: _entropy(values[name]) for name, n in calls.items() if n >= FEWEST}
    lowest = sorted(entropies.items(), key=lambda item: item[1])[:5]
    return {
        "rows": rows,
        "frames": len(frames),
        "frame_share": round(len(frames) / rows, 3) if rows else None,
        "argument_entropy": round(sum(entropies.values()) / len(entropies), 3) if entropies else None,
        "no_entropy": None if entropies else _why_none(calls),
        "fewest_calls": FEWEST,
        "arguments_counted": len(entropies),
        "lowest_entropy": dict(lowest),
        "arguments": {n: {"n": of, "entropy": _entropy(values[n]) if of > 1 else None} for n, of in calls.items()},
        "self_similarity": _self_similarity(sample),
    }


def _why_none(calls: dict[str, int]) -> str:
    if not calls:
        return "no row has a call with an argument"
    name = max(calls, key=lambda name: calls[name])
    return f"too few calls: an argument's entropy takes {FEWEST}, and the most called, {name}, has {calls[name]}"


def _entropy(counted: Counter[int]) -> float:
    """Of what it could be if no two values were the same. Takes two values at least."""
    total = counted.total()
    bits = -sum(n / total * math.log2(n / total) for n in counted.values())
    return round(bits / math.log2(total), 3)


def _self_similarity(sample: list[str]) -> float | None:
    from rapidfuzz import process
    from rapidfuzz.distance import LCSseq

    if len(sample) < 2:
        return None
    plain = [text.casefold() for text in sample]
    scores = process.cdist(plain, plain, scorer=LCSseq.normalized_similarity)
    for i in range(len(plain)):
        scores[i, i] = 0
    return round(float(scores.max(axis=1).mean()), 3)
