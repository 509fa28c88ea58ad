"""Figures over parts of a task's samples, from the answers that are there: no model is asked."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from lamina.bench.asked import BenchModel, BenchSettings, stored
from lamina.bench.driving import figure_rows
from lamina.bench.planning import plan
from lamina.bench.tasks import Task
from lamina.runs import Run
from lamina.tools.tool import JSON, Toolbox


def part_rows(
    models: Sequence[BenchModel],
    task: Task,
    parts: Mapping[str, Collection[str]],
    *,
    run: Run,
    toolbox: Toolbox,
    settings: BenchSettings | None = None,
) -> list[JSON]:
    """For each model and part the row of the task's ``paired_metric``, as ``bench_models`` gives them, with the name of
    the ``part`` besides. ``parts``: ids of samples by name. There is no row of a part without a sample that the metric
    counts, and none of a model that has not answered them all."""
    found = []
    wanted = len(task.samples())
    for model, _, asks in plan(models, [task], toolbox, settings or BenchSettings(), limit=None).models:
        records = {ask.sample.id: record for ask in asks if (record := stored(run, "sample", ask.key))}
        if len(records) < wanted:
            continue
        for part, ids in parts.items():
            rows = figure_rows(task, [records[id] for id in ids], model.label, model.precision)
            found += [{**row, "part": part} for row in rows if row["metric"] == task.paired_metric]
    return found
