"""What a worker is told: how much is asked at once, within which context, and the job itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from lamina.bench.asked import SLOTS, Ask, BenchModel, BenchSettings
from lamina.bench.tasks import Task
from lamina.bench.worker import toolbox_rows
from lamina.models.references import usual_context
from lamina.tools.tool import JSON, Toolbox


def shows_functions(model: BenchModel, task: Task, toolbox: Toolbox) -> bool:
    """Whether the user's functions stand in every prompt of the task, and are most of it. A cache is a slot's own, so
    several slots would each read them anew: such prompts are asked one after the other."""
    return bool(toolbox) and model.style in ("full", "compact") and task.needs_tools


def slots_for(model: BenchModel, asks: Sequence[Ask], toolbox: Toolbox, settings: BenchSettings) -> int:
    """One where all that is asked shows the user's functions; what else is asked beside it has all slots."""
    return 1 if all(shows_functions(model, ask.task, toolbox) for ask in asks) else settings.slots


def context_for(model: BenchModel, asks: Sequence[Ask], toolbox: Toolbox, settings: BenchSettings) -> int | None:
    """What a prompt of any of the model's asks may have: the same with however many slots, and whatever of them is left
    to ask, so that no answer depends on either."""
    if settings.context is not None:
        return settings.context
    return usual_context(model.ref, slots_for(model, asks, toolbox, replace(settings, slots=SLOTS)))


def job_of(
    mode: str,
    model: BenchModel,
    asks: Sequence[Ask],
    toolbox: Toolbox,
    settings: BenchSettings,
    *,
    slots: int,
    **more: Any,
) -> JSON:
    """What a worker is told; ``more`` are keys of the mode."""
    groups: dict[str, dict[str, Any]] = {}
    for ask in asks:
        about = {"spec": ask.task.spec, "task": ask.task.name, "functions": shows_functions(model, ask.task, toolbox)}
        group = groups.setdefault(ask.task.name, {**about, "samples": []})
        group["samples"].append({"key": ask.key, "id": ask.sample.id, "row": ask.sample.row})
    return {
        "mode": mode,
        "ref": model.ref,
        "style": model.style,
        "system": model.system,
        "copied": model.copied,
        "max_tokens": settings.max_tokens,
        "threads": settings.threads,
        "slots": slots,
        "context": settings.context,
        "sandbox": settings.sandbox,
        "timeout": settings.timeout,
        "allow_changes": settings.allow_changes,
        "execute": mode == "quality" and any(tool.target for tool in toolbox),
        "tools": toolbox_rows(toolbox),
        "groups": list(groups.values()),
        **more,
    }
