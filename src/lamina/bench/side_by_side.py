"""Models that are not all files of one ladder: what the picture of them shows, without any advice about precision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lamina.bench.ladder import NO_LOSS, cannot_show, frontier, is_safety, is_the_models, speeds_of
from lamina.bench.losses import mean_of, score_of
from lamina.bench.pairs import Named
from lamina.bench.tasks import Task
from lamina.tools.tool import JSON

NOBODY = "no model is shown to do better on it than one answer to everything, or than two points"


def side_by_side(models: Sequence[Named], tasks: Sequence[Task], benched: JSON) -> JSON:
    """``{"models", "tasks" (by kind, of which the means are), "left_out" (tasks in no mean, and why)}``. A model has
    ``model`` (its name), ``bytes`` (None where it is no file), ``quality`` and ``safety`` (value, low, high, n; None
    without such tasks, without a figure on one of them, and where it crashed), speed, memory, and whether it is on the
    ``frontier``. ``benched`` has ``resources`` and ``crashes``."""
    left_out = {task.name: NO_LOSS[task.name] for task in tasks if task.name in NO_LOSS}
    kinds: dict[str, list[Task]] = {}
    for kind, safe in (("quality", False), ("safety", True)):
        mine = [task for task in tasks if task.name not in NO_LOSS and is_safety(task.name) is safe]
        shown = [task for task in mine if not all(cannot_show(model, task) for model in models)]
        kinds[kind] = shown or mine
        left_out |= {task.name: NOBODY for task in mine if task not in kinds[kind]}
    resources = {_name(r): r for r in benched["resources"]}
    crashed = {_name(crash) for crash in benched["crashes"] if is_the_models(crash)}
    placed: list[JSON] = []
    for model in models:
        measured = resources.get(model.name, {})
        one: JSON = {"model": model.name, "bytes": measured.get("bytes") or model.bytes}
        for kind, these in kinds.items():
            has = model.name not in crashed
            one[kind] = mean_of([score_of(model, task) for task in these]) if has else None
        placed.append(one | speeds_of(measured))
    for one, on in zip(placed, frontier(placed), strict=True):
        one["frontier"] = on
    named = {kind: [task.name for task in these] for kind, these in kinds.items()}
    return {"models": placed, "tasks": named, "left_out": left_out}


def _name(row: Mapping[str, str]) -> str:
    return f"{row['model']} {row['precision']}".strip()
