"""Which interval of a mean paired difference of scores, or of a mean score, holds what it promises: coverage and
width, by simulation.

usage: paired_intervals.py [--draws 2000] [--n 20,50,100,300] [--methods 'Student;apart']
       [--run FILE --metric TASK:METRIC | --means]

Differences from -1 to 1 are drawn from kinds that quantized files show against their source (most samples level; many
that move a little, as ROUGE does; a few that turn over) and from the worst for an interval that trusts its values: all
level or nearly, but that a rare sample loses everything. ``--run`` adds those of a bench's ``samples.jsonl``,
drawn with replacement: of its first model against each other, the metric that is named. ``--means`` draws scores from
0 to 1 instead, low and high (methods "Student", "bootstrap", "no median", "shares"). A method covers where the
true mean lies within; the table gives the share of draws, and the median width in points.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from lamina.bench.intervals import Z95, student_975
from lamina.bench.score_intervals import UNSEEN, _ends, mean_of_differences, mean_of_shares

Values = npt.NDArray[np.float64]
Method = Callable[[Values], tuple[float, float]]
Kind = tuple[Callable[[np.random.Generator, int], Values], float]


def student(moved: Values) -> tuple[float, float]:
    half = student_975(len(moved) - 1) * float(moved.std(ddof=1)) / math.sqrt(len(moved))
    return float(moved.mean()) - half, float(moved.mean()) + half


def imagined(moved: Values) -> tuple[float, float]:
    """Student's after z squared differences over two were added at -1 and at 1: the bench's until 2026-11-30."""
    size = len(moved) + Z95**2
    centre = float(moved.sum()) / size
    variance = (float((moved * moved).sum()) + Z95**2) / size - centre**2
    half = student_975(math.floor(size) - 1) * math.sqrt(variance / (size - 1))
    return max(-1.0, centre - half), min(1.0, centre + half)


def apart(moved: Values, unseen: float = UNSEEN) -> tuple[float, float]:
    """Gains and losses apart, as the bench has it."""
    found = mean_of_differences([float(value) for value in moved], unseen=unseen)
    assert found is not None
    return found.low, found.high


def shares(scores: Values) -> tuple[float, float]:
    """Of scores from 0 to 1, as the bench has it."""
    found = mean_of_shares([float(value) for value in scores])
    assert found is not None
    return found.low, found.high


def no_median(scores: Values) -> tuple[float, float]:
    """Ends like Wilson's of the scores themselves, whose variance is taken to be none at the largest."""
    found = _ends([float(value) for value in scores], 1.0, UNSEEN, 1.0)
    return found.low, found.high


def resampled(moved: Values) -> tuple[float, float]:
    """Percentile bootstrap, 400 draws."""
    chance = np.random.default_rng(0)
    means = moved[chance.integers(0, len(moved), (400, len(moved)))].mean(axis=1)
    return float(np.quantile(means, 0.025)), float(np.quantile(means, 0.975))


def studentized(moved: Values) -> tuple[float, float]:
    """Bootstrap-t (Efron and Tibshirani 1993, section 12.5), 400 draws."""
    chance = np.random.default_rng(0)
    error = float(moved.std(ddof=1)) / math.sqrt(len(moved))
    drawn = moved[chance.integers(0, len(moved), (400, len(moved)))]
    errors = drawn.std(axis=1, ddof=1) / math.sqrt(len(moved))
    known = errors > 0
    if error == 0 or known.sum() < 20:
        return student(moved)
    ratios = (drawn.mean(axis=1)[known] - moved.mean()) / errors[known]
    return (
        float(moved.mean() - error * np.quantile(ratios, 0.975)),
        float(moved.mean() - error * np.quantile(ratios, 0.025)),
    )


METHODS: Mapping[str, Method] = {
    "Student": student,
    "bootstrap": resampled,
    "bootstrap-t": studentized,
    "imagined": imagined,
    "apart": apart,
    "shares": shares,
    "no median": no_median,
    "apart, 0.25": lambda moved: apart(moved, 0.25),
    "apart, 1": lambda moved: apart(moved, 1.0),
}


def mixed(level: float, spread: float, lost: float, shift: float = 0.0) -> Kind:
    """``level`` of the samples do not move, ``lost`` lose 0.9, the others move by a normal ``spread``."""

    def draw(chance: np.random.Generator, n: int) -> Values:
        which = chance.random(n)
        moved = np.clip(chance.normal(shift, spread, n), -1, 1) if spread else np.zeros(n)
        return np.where(which < lost, -0.9, np.where(which < lost + level, 0.0, moved))

    return draw, -0.9 * lost + (1 - lost - level) * shift


def turned(down: float, up: float) -> Kind:
    """Samples that turn over by 0.3 to 1."""

    def draw(chance: np.random.Generator, n: int) -> Values:
        which, by = chance.random(n), chance.uniform(0.3, 1, n)
        return np.where(which < down, -by, np.where(which < down + up, by, 0.0))

    return draw, 0.65 * (up - down)


KINDS: Mapping[str, Kind] = {
    "level, 1 % lost": mixed(0.99, 0, 0.01),
    "level, 3 % lost": mixed(0.97, 0, 0.03),
    "7 of 10 level, else 0.1": mixed(0.7, 0.1, 0),
    "7 of 10 level, else 0.1, 1 % lost": mixed(0.69, 0.1, 0.01),
    "all move, 0.03": mixed(0, 0.03, 0),
    "all move, 0.03, 1 % lost": mixed(0, 0.03, 0.01),
    "all move, 0.03, 3 % lost": mixed(0, 0.03, 0.03),
    "all move, 0.1, down 0.03": mixed(0, 0.1, 0, -0.03),
    "5 % down, 5 % up": turned(0.05, 0.05),
    "10 % down, 2 % up": turned(0.1, 0.02),
    "20 % down, 15 % up": turned(0.2, 0.15),
}


MEANS: Mapping[str, Kind] = {
    "near 0.2 (beta 2, 8)": (lambda chance, n: chance.beta(2, 8, n), 0.2),
    "near 0.5 (beta 3, 3)": (lambda chance, n: chance.beta(3, 3, n), 0.5),
    "near 0.8 (beta 8, 2)": (lambda chance, n: chance.beta(8, 2, n), 0.8),
    "near 0.91 (beta 20, 2)": (lambda chance, n: chance.beta(20, 2, n), 20 / 22),
    "all 0.9, 3 % nothing": (lambda chance, n: np.where(chance.random(n) < 0.03, 0.0, 0.9), 0.873),
    "all 1, 3 % half": (lambda chance, n: np.where(chance.random(n) < 0.03, 0.5, 1.0), 0.985),
    "half 0, three in ten between, else 1": (
        lambda chance, n: np.where((u := chance.random(n)) < 0.5, 0.0, np.where(u < 0.8, chance.beta(2, 2, n), 1.0)),
        0.35,
    ),
}


def of_run(file: Path, named: str) -> dict[str, Kind]:
    """The differences of ``TASK:METRIC`` between the first model of a bench and each of the others."""
    task, _, metric = named.rpartition(":")
    scores: dict[str, dict[str, float]] = {}
    with file.open(encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            value = row["scores"].get(metric) if row["task"] == task else None
            if isinstance(value, int | float):
                scores.setdefault(f"{row['model']} {row['precision']}".strip(), {})[row["sample"]] = float(value)
    first, *others = scores
    found: dict[str, Kind] = {}
    for other in others:
        moved = np.array([value - scores[first][k] for k, value in scores[other].items() if k in scores[first]])
        name = f"{named}, {first} to {other}"
        found[name] = (lambda chance, n, moved=moved: moved[chance.integers(0, len(moved), n)]), float(moved.mean())
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=2000)
    parser.add_argument("--n", default="20,50,100,300", type=lambda text: [int(n) for n in text.split(",")])
    parser.add_argument("--methods", default=";".join(METHODS), type=lambda text: text.split(";"))
    parser.add_argument("--run", type=Path)
    parser.add_argument("--metric", action="append", default=[])
    parser.add_argument("--means", action="store_true")
    asked = parser.parse_args()
    kinds = dict(MEANS if asked.means else KINDS)
    for named in asked.metric:
        kinds |= of_run(asked.run, named)
    print("| differences | n |", " | ".join(asked.methods), "|\n|---|---" + "|---" * len(asked.methods) + "|")
    for name, (draw, mean) in kinds.items():
        for n in asked.n:
            chance = np.random.default_rng(n)
            drawn = [draw(chance, n) for _ in range(asked.draws)]
            cells = []
            for method in asked.methods:
                ends = np.array([METHODS[method](moved) for moved in drawn])
                covered = ((ends[:, 0] <= mean + 1e-12) & (ends[:, 1] >= mean - 1e-12)).mean()
                cells.append(f"{100 * covered:.1f}, {100 * np.median(ends[:, 1] - ends[:, 0]):.1f}")
            print(f"| {name} | {n} |", " | ".join(cells), "|", flush=True)


if __name__ == "__main__":
    main()
