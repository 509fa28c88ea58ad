"""Which of several instructions serves a model best."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from lamina.bench.asked import BenchModel, BenchSettings
from lamina.bench.benching import bench_models
from lamina.bench.tasks import Task
from lamina.runs import Progress, Run
from lamina.tools.tool import JSON, Toolbox


def best_variant(
    model: BenchModel,
    variants: Mapping[str, str | None],
    tasks: Sequence[Task],
    *,
    run: Run,
    toolbox: Toolbox,
    settings: BenchSettings | None = None,
    progress: Progress | None = None,
) -> JSON:
    """Which instruction (``variants``: name -> system text, None for none) serves ``model`` best on the
    DEVELOPMENT tasks: ``{"best": name, "system": text, "variants": [{"name", "value", "low", "high",
    "n"}]}``. Equal values: the first named wins. Choosing on the reported tasks would flatter the model."""
    settings = replace(settings or BenchSettings(), timing_samples=0)
    tried = [replace(model, precision=name, system=text) for name, text in variants.items()]
    done = bench_models(tried, tasks, run=run, toolbox=toolbox, settings=settings, progress=progress, pairs=[])
    metrics = {task.name: task.paired_metric for task in tasks}
    found = []
    for name in variants:
        mine = [r for r in done["rows"] if r["precision"] == name and r["metric"] == metrics.get(r["task"])]
        n = sum(r["n"] for r in mine)
        value = sum(r["value"] * r["n"] for r in mine) / n if n else -1.0
        bounds = {"low": mine[0]["low"], "high": mine[0]["high"]} if len(mine) == 1 else {}
        found.append({"name": name, "value": value, "n": n, **bounds})
    best = max(found, key=lambda v: v["value"])["name"]
    return {"best": best, "system": variants[best], "variants": found, "crashes": done["crashes"]}
