"""Having one model answer what it has not answered yet: the worker's events become rows of the run's record store as
they come, so that a killed bench goes on where it was."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from lamina.bench.identity import sample_key
from lamina.bench.tasks import BROKEN, Sample, Task, scoring_of
from lamina.bench.worker import toolbox_rows
from lamina.bench.workers import ask_worker
from lamina.models import default_threads
from lamina.models.model import PromptStyle
from lamina.runs import Progress, Row, Run
from lamina.tools.tool import JSON, Toolbox
from lamina.trajectories import content_id


@dataclass(frozen=True)
class BenchModel:
    """``label`` and ``precision`` name the model in every row (``"tuned"``, ``"Q8_0"``); ``system`` is an
    instruction put before each request, for a base model at its best. ``copied``: text arguments held to words of the
    request (``models.copying``); None for those that the model's file names. ``family``: equal for files of one model
    (``families``), which are compared with each other; ``""`` where the label says it."""

    ref: str
    label: str
    precision: str
    style: PromptStyle = "baked"
    system: str | None = None
    copied: tuple[str, ...] | None = None
    family: str = ""

    @property
    def name(self) -> str:
        return f"{self.label} {self.precision}".strip()


@dataclass(frozen=True)
class BenchSettings:
    """``context``: tokens that a prompt and its answer may have, never more than the model was trained for; None for
    the engine's own choice. ``slots`` requests at once for quality; speed is measured with one, on ``timing_samples``
    requests (0: not at all). ``repeats``: how often each of them is timed with its whole prompt read, in rounds in
    which the models take turns in an order that ``seed`` draws, ``cool_down_seconds`` apart. A worker that finishes
    nothing and does not compute either for ``silence_seconds`` is ended and counts as crashed; one that is slow is
    not (``pulse``)."""

    threads: int = field(default_factory=default_threads)
    slots: int = 8
    context: int | None = None
    max_tokens: int = 256
    timing_samples: int = 12
    sandbox: str = "guarded"
    silence_seconds: float = 600.0
    repeats: int = 0
    cool_down_seconds: float = 0.0
    seed: int = 0


@dataclass(frozen=True)
class Ask:
    """One sample that one model is to answer, and the id of its record. ``asked``: equal for samples whose answer is
    the same one, where a file of the user's scores it: with another ``score`` the answer stays."""

    key: str
    task: Task
    sample: Sample
    asked: str | None = None

    @property
    def answer_key(self) -> str:
        return self.asked or self.key


def ask_key(
    identity: str, task: Task, sample: Sample, toolbox: Toolbox, model: BenchModel, settings: BenchSettings
) -> str:
    # what is left out is not in the key: an older run goes on
    given = [said for said in (model.copied, settings.context) if said is not None]
    asked = (model.style, model.system, settings.max_tokens, *given)
    return sample_key(identity, task, sample, toolbox, asked)


def ask_of(
    identity: str, task: Task, sample: Sample, toolbox: Toolbox, model: BenchModel, settings: BenchSettings
) -> Ask:
    key, digits = ask_key(identity, task, sample, toolbox, model, settings), scoring_of(task)
    return Ask(key, task, sample) if digits is None else Ask(content_id("scored", key, digits), task, sample, key)


def answer_all(
    model: BenchModel,
    asks: Sequence[Ask],
    run: Run,
    toolbox: Toolbox,
    settings: BenchSettings,
    progress: Progress,
) -> JSON | None:
    """Has every sample answered that is not in the store, or whose scoring broke; how it failed, if it did."""
    missing = [ask for ask in asks if not _is_settled(stored(run, "sample", ask.key))]
    with progress.stage(f"bench {model.name}", total=len(asks)) as bar:
        if len(asks) > len(missing):
            bar.advance(len(asks) - len(missing))
        if not missing:
            return None
        position = {ask.key: i for i, ask in enumerate(asks)}
        answers = {ask.key: {"asked": ask.asked} if ask.asked else {} for ask in asks}
        right = answered = 0
        slots = slots_for(model, toolbox, settings)
        job = job_of("quality", model, missing, toolbox, settings, slots=slots)
        for event in ask_worker(job, silence_seconds=settings.silence_seconds):
            if event["event"] == "sample":
                record = event["record"] | {"model": model.label, "precision": model.precision}
                record |= answers[event["key"]]
                run.store.replace(Row("sample", event["key"], position[event["key"]], orjson.dumps(record)))
                right, answered = right + bool(record["right"]), answered + 1
                bar.advance(right=right)
            elif event["event"] == "failed":
                run.log("bench crashed", model=model.name, stage=event["stage"], detail=event["detail"])
                return {"stage": event["stage"], "detail": event["detail"]}
        if answered < len(missing):  # never a figure of fewer samples without a word
            detail = f"{len(missing) - answered} of {len(missing)} samples came to no record"
            run.log("bench incomplete", model=model.name, detail=detail)
            return {"stage": "generate", "detail": detail}
    return None


def _is_settled(record: JSON | None) -> bool:
    return record is not None and not record["scores"].get(BROKEN)


def slots_for(model: BenchModel, toolbox: Toolbox, settings: BenchSettings) -> int:
    """One where the user's functions stand in every prompt: the cache is a slot's own, so each slot would read them
    anew, and they are most of such a prompt."""
    return 1 if toolbox and model.style in ("full", "compact") else settings.slots


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
        group = groups.setdefault(ask.task.name, {"spec": ask.task.spec, "task": ask.task.name, "samples": []})
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
        "execute": mode == "quality" and any(tool.target for tool in toolbox),
        "tools": toolbox_rows(toolbox),
        "groups": list(groups.values()),
        **more,
    }


def stored(run: Run, kind: str, key: str) -> JSON | None:
    row = run.store.get(kind, key)
    found: JSON | None = orjson.loads(row.payload) if row else None
    return found
