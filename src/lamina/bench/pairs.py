"""Differences between models that answered the same prompts: far narrower intervals than two rates apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lamina.bench.families import most_precise
from lamina.bench.intervals import mcnemar, paired_difference
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
    "difference" (b minus a), "low", "high", "n", "only_a", "only_b", "p" (exact McNemar)}``. Prompts that only
    one of the two answered are left out. Raises ``KeyError`` for a name that is no model."""
    by_name = {model.name: model for model in models}
    rows = []
    for a, b in pairs:
        one, two = by_name[a], by_name[b]
        everything: list[tuple[bool, bool]] = []
        for task in tasks:
            answers = _answers(one, two, task)
            everything += answers
            rows += pair_row(a, b, task.name, task.paired_metric, answers)
        if len(tasks) > 1:
            rows += pair_row(a, b, ALL, tasks[0].paired_metric, everything)
    return rows


def _answers(one: Named, two: Named, task: Task) -> list[tuple[bool, bool]]:
    shared = [key for key in one.records if key[0] == task.name and key in two.records]
    return [
        (one.records[key]["right"], two.records[key]["right"])
        for key in shared
        if counts(task, one.records[key]) and counts(task, two.records[key])
    ]


def pair_row(a: str, b: str, task: str, metric: str, answers: Sequence[tuple[bool, bool]]) -> list[JSON]:
    found = paired_difference([x for x, _ in answers], [y for _, y in answers])
    if found is None:
        return []
    only_a, only_b = sum(x and not y for x, y in answers), sum(y and not x for x, y in answers)
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
