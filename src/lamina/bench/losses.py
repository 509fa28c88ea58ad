"""What a file scores on a task, and what it loses against another that was asked the same samples."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from lamina.bench.crashes import has_crashed
from lamina.bench.intervals import Interval, wilson
from lamina.bench.pairs import Named, counts, value_of
from lamina.bench.score_intervals import difference_of, mean_of_shares
from lamina.bench.tasks import Task
from lamina.tools.tool import JSON

MOST = 10_000
"""Times the samples at hand; more would not be asked (our choice)."""


def records_of(model: Named, task: Task) -> dict[str, JSON]:
    """By sample, those that count in pairs."""
    return {
        sample: record for (name, sample), record in model.records.items() if name == task.name and counts(task, record)
    }


def score_of(model: Named, task: Task, reference: Named | None = None) -> Interval | None:
    """The mean of the task's paired metric over the samples that were scored, and, beside a ``reference``, over those
    that ``crashed_on`` has; None where there is none."""
    lost = [] if reference is None else crashed_on(model, task, reference)
    values = [*_values(model, task).values(), *(False for _ in lost)]
    if all(isinstance(value, bool) for value in values):
        return wilson(sum(values), len(values))
    return mean_of_shares([float(value) for value in values])


def crashed_on(model: Named, task: Task, reference: Named) -> list[str]:
    """Samples that the reference answered, and on which this file crashed. They count as lost: whoever takes the file
    has no answer there, and a file that dies of the hard samples would look as good as one that answers them."""
    return [s for s in records_of(reference, task) if has_crashed(model.records.get((task.name, s)))]


def loss_of(reference: Named, model: Named, tasks: Sequence[Task], margin: float = 0.0) -> JSON | None:
    """``{"value" (positive: worse), "low", "high", "n", "crashed" (of these n), "unscored" (beside them), "needed"}``:
    the mean over the tasks; None where one has no pair, and without tasks. ``needed``: of how many samples the upper
    end would be below ``margin`` if they differed as these do; None where it is, and where no number would do."""
    pairs: list[tuple[list[Any], list[Any]]] = []
    crashed = unscored = 0
    for task in tasks:
        before, after = _values(reference, task), _values(model, task)
        lost = crashed_on(model, task, reference)
        after |= dict.fromkeys(lost, False)
        shared = [sample for sample in before if sample in after]
        pairs.append(([before[s] for s in shared], [after[s] for s in shared]))
        crashed += len(lost)
        unscored += sum(sample not in after and (task.name, sample) in model.records for sample in before)
    found = _gained(pairs)
    if found is None:
        return None
    # 0.0 - x, because -x of nothing lost would print as -0.0
    turned = {"value": 0.0 - found["value"], "low": 0.0 - found["high"], "high": 0.0 - found["low"], "n": found["n"]}
    return turned | {"crashed": crashed, "unscored": unscored, "needed": _needed(pairs, found, margin)}


def _gained(pairs: Sequence[tuple[Sequence[Any], Sequence[Any]]], times: float = 1.0) -> JSON | None:
    return mean_of([difference_of(before, after, times) for before, after in pairs])


def _needed(pairs: Sequence[tuple[Sequence[Any], Sequence[Any]]], gained: JSON, margin: float) -> int | None:
    """By halving, between the samples at hand and ``MOST`` times as many."""
    if -gained["low"] < margin or -gained["value"] >= margin:
        return None

    def shown(times: float) -> bool:
        found = _gained(pairs, times)
        return found is not None and -found["low"] < margin

    least, most = 1.0, float(MOST)
    if not shown(most):
        return None
    while most / least > 1.02:
        middle = math.sqrt(least * most)
        least, most = (least, middle) if shown(middle) else (middle, most)
    n: int = gained["n"]
    return math.ceil(most * n)


def unscored_in(model: Named, tasks: Sequence[Task]) -> int:
    """How many samples of the tasks have no score, those apart on which the file crashed."""
    names = {task.name for task in tasks}
    return sum(
        bool(record["scores"].get("unscored")) and not has_crashed(record)
        for (name, _), record in model.records.items()
        if name in names
    )


def mean_of(parts: Sequence[Interval | None]) -> JSON | None:
    """The mean over tasks; None where a task has no figure: the mean of the others is another quantity."""
    known = [part for part in parts if part is not None]
    if not known or len(known) < len(parts):
        return None
    k = len(known)
    value = sum(part.value for part in known) / k
    below = math.sqrt(sum((part.value - part.low) ** 2 for part in known)) / k
    above = math.sqrt(sum((part.high - part.value) ** 2 for part in known)) / k
    return asdict(Interval(value, value - below, value + above, sum(part.n for part in known)))


def _values(model: Named, task: Task) -> dict[str, Any]:
    """By sample, what counts in pairs: a verdict, or a score from 0 to 1."""
    return {sample: value_of(task, record) for sample, record in records_of(model, task).items()}
