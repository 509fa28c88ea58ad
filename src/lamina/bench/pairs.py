"""Differences between models that answered the same prompts: far narrower intervals than two rates apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lamina.bench.families import most_precise
from lamina.bench.intervals import Interval, mcnemar, paired_difference
from lamina.bench.score_intervals import as_share, difference_of
from lamina.bench.tasks import BROKEN, Task
from lamina.tools.tool import JSON

ALL = "all"


@dataclass(frozen=True)
class Named:
    """A benched model and its records by ``(task, sample)``. ``family``: equal for files of one model, whatever their
    names; ``bytes`` of the file."""

    name: str
    label: str
    precision: str
    records: Mapping[tuple[str, str], JSON]
    family: str = ""
    bytes: int | None = None


def default_pairs(models: Sequence[Named]) -> list[tuple[str, str]]:
    """Every model against the first, and each file against the most precise one of its family (the largest); where no
    family is known, each precision against the first of its label. A pair once, whichever way round."""
    together: dict[tuple[str, str], list[Named]] = {}
    for model in models:
        together.setdefault(_kin(model), []).append(model)
    found: dict[frozenset[str], tuple[str, str]] = {}
    for model in models:
        kin = together[_kin(model)]
        start = kin[most_precise([one.bytes for one in kin])] if model.family else kin[0]
        for before in (start.name, models[0].name):
            if before != model.name:
                found.setdefault(frozenset((before, model.name)), (before, model.name))
    return list(found.values())


def _kin(model: Named) -> tuple[str, str]:
    return ("family", model.family) if model.family else ("label", model.label)


def counts(task: Task, record: JSON) -> bool:
    """Whether the record is of a sample that the task compares models by, and that it could score."""
    return not record["scores"].get(BROKEN) and task.counts_in_pair(record["scores"])


def paired_rows(models: Sequence[Named], tasks: Sequence[Task], pairs: Sequence[tuple[str, str]]) -> list[JSON]:
    """One row a pair and task, and one over all tasks where there are several: ``{"a", "b", "task", "metric",
    "difference" (b minus a), "low", "high", "n", "only_a", "only_b", "p"}``. Of verdicts ``only_a`` counts the prompts
    that a alone got right, and p is McNemar's, exact; of scores (F1, ROUGE) those on which a scored more, and p is that
    of the sign test, which is the same sum. Over all tasks it is right and wrong. Prompts that only one of the two
    answered are left out. Raises ``KeyError`` for a name that is no model."""
    by_name = {model.name: model for model in models}
    rows = []
    for a, b in pairs:
        one, two = by_name[a], by_name[b]
        everything: list[tuple[bool, bool]] = []
        for task in tasks:
            both = _both(one, two, task)
            everything += [(x["right"], y["right"]) for x, y in both]
            rows += score_row(a, b, task, [(value_of(task, x), value_of(task, y)) for x, y in both])
        if len(tasks) > 1:
            rows += pair_row(a, b, ALL, tasks[0].paired_metric, everything)
    return rows


def value_of(task: Task, record: JSON) -> Any:
    """What a sample counts where models are compared: a verdict, or a score from 0 to 1 (of another span that the task
    declares, where it lies within that)."""
    value = record["scores"].get(task.paired_metric)
    span = getattr(task, "spans", {}).get(task.paired_metric)
    if span is not None and value is not None:
        return as_share(float(value), span)
    is_share = isinstance(value, bool | int | float) and 0 <= value <= 1
    return value if is_share else bool(record["right"])


def _both(one: Named, two: Named, task: Task) -> list[tuple[JSON, JSON]]:
    shared = [key for key in one.records if key[0] == task.name and key in two.records]
    both = [(one.records[key], two.records[key]) for key in shared]
    return [(x, y) for x, y in both if counts(task, x) and counts(task, y)]


def score_row(a: str, b: str, task: Task, values: Sequence[tuple[Any, Any]]) -> list[JSON]:
    """The row of one task; none without a prompt that both were scored on."""
    if all(isinstance(value, bool) for pair in values for value in pair):
        return pair_row(a, b, task.name, task.paired_metric, values)
    found = difference_of([x for x, _ in values], [y for _, y in values])
    only_a, only_b = sum(x > y for x, y in values), sum(y > x for x, y in values)
    return _row(a, b, task.name, task.paired_metric, found, only_a, only_b)


def pair_row(a: str, b: str, task: str, metric: str, answers: Sequence[tuple[bool, bool]]) -> list[JSON]:
    """The row of right and wrong."""
    found = paired_difference([x for x, _ in answers], [y for _, y in answers])
    only_a, only_b = sum(x and not y for x, y in answers), sum(y and not x for x, y in answers)
    return _row(a, b, task, metric, found, only_a, only_b)


def _row(a: str, b: str, task: str, metric: str, found: Interval | None, only_a: int, only_b: int) -> list[JSON]:
    if found is None:
        return []
    return [
        {
            "a": a,
            "b": b,
            "task": task,
            "metric": metric,
            "difference": found.value,
            "low": found.low,
            "high": found.high,
            "n": found.n,
            "only_a": only_a,
            "only_b": only_b,
            "p": mcnemar(only_a, only_b),
        }
    ]
