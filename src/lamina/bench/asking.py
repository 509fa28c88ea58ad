"""Having one model answer what it has not answered yet: the worker's events become rows of the run's record store as
they come, so that a killed bench goes on where it was."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from lamina.bench.crashes import IN_A_ROW, crashed_record, is_settled
from lamina.bench.identity import sample_key
from lamina.bench.tasks import Sample, Task, scoring_of
from lamina.bench.worker import toolbox_rows
from lamina.bench.workers import ask_worker
from lamina.models import default_threads
from lamina.models.model import PromptStyle
from lamina.models.references import usual_context
from lamina.runs import Bar, Progress, Row, Run
from lamina.tools.tool import JSON, Toolbox
from lamina.trajectories import content_id

SLOTS = 8
"""Requests at once where nobody says how many (our choice)."""


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
    what ``context_for`` says. ``slots`` requests at once for quality; speed is measured with one, on ``timing_samples``
    requests (0: not at all). ``repeats``: how often each of them is timed with its whole prompt read, in rounds in
    which the models take turns in an order that ``seed`` draws, ``cool_down_seconds`` apart. A worker that finishes
    nothing and does not compute either for ``silence_seconds`` is ended and counts as crashed; one that is slow is
    not (``pulse``). ``retry_crashed``: samples that a process ended on before are asked again.
    ``timeout``: seconds that a call of a tool may take, else the usual ones. ``allow_changes``: tools that may change
    things elsewhere are called, too, where a sample has calls that are run."""

    threads: int = field(default_factory=default_threads)
    slots: int = SLOTS
    context: int | None = None
    max_tokens: int = 256
    timing_samples: int = 12
    sandbox: str = "guarded"
    silence_seconds: float = 600.0
    repeats: int = 0
    cool_down_seconds: float = 0.0
    seed: int = 0
    retry_crashed: bool = False
    timeout: float | None = None
    allow_changes: bool = False


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
    """Has every sample answered that is not in the store, or whose scoring broke; how the model failed, if it did:
    ``{"stage", "detail"}``. A sample that its process ends on, also asked alone, has a record that says so
    (``crashes``) and the others are answered; with ``settings.retry_crashed`` those of before are asked again."""
    missing = [ask for ask in asks if not _is_settled(run, ask, settings.retry_crashed)]
    with progress.stage(f"bench {model.name}", total=len(asks)) as bar:
        if len(asks) > len(missing):
            bar.advance(len(asks) - len(missing))
        if not missing:
            return None
        places = {ask.key: place for place, ask in enumerate(asks)}
        settings = replace(settings, context=context_for(model, asks, toolbox, settings))
        asking = _Asking(model, places, run, toolbox, settings, bar)
        return asking.all_of(missing, progress, works=len(missing) < len(asks))


@dataclass
class _Asking:
    """``places``: of every ask, by its key."""

    model: BenchModel
    places: dict[str, int]
    run: Run
    toolbox: Toolbox
    settings: BenchSettings
    bar: Bar
    right: int = 0
    answered: int = 0

    def all_of(self, missing: Sequence[Ask], progress: Progress, *, works: bool) -> JSON | None:
        """How the model failed, if it did. ``works``: it has answered some of its samples before."""
        left = {ask.key: ask for ask in missing}
        crash = self._some(left, alone=False)[0]
        suspects: list[_Suspect] = []
        while crash is not None and crash["stage"] != "load" and left:
            said = f"{self.model.name} crashed at {crash['stage']} ({crash['detail']})"
            progress.say(f"{said}: what is missing is asked one at a time, to find the sample")
            before = self.answered
            crash, suspect = self._some(left, alone=True)
            if self.answered > before:
                suspects = self._remember(suspects, progress)
            if suspect is None:
                break
            del left[suspect.ask.key]
            suspects.append(suspect)
            if len(suspects) == IN_A_ROW:
                return suspect.crash
            if self.answered > before:
                crash, _ = self._some(left, alone=False)
            else:  # neighbours are alike: the next one is of the other end
                left = dict(reversed(left.items()))
        if crash is not None and (not suspects or left):
            return crash
        if suspects and not (works or self.answered):
            return suspects[-1].crash
        self._remember(suspects, progress)
        return self._incomplete(left, len(missing))

    def _some(self, left: dict[str, Ask], *, alone: bool) -> tuple[JSON | None, _Suspect | None]:
        """Asks those of ``left``, and takes out of it what was answered; how the worker failed, and, ``alone``, the
        sample that it was at."""
        if not left:
            return None, None
        slots = 1 if alone else slots_for(self.model, list(left.values()), self.toolbox, self.settings)
        more = {"alone": True} if alone else {}
        job = job_of("quality", self.model, list(left.values()), self.toolbox, self.settings, slots=slots, **more)
        at: JSON | None = None
        for event in ask_worker(job, silence_seconds=self.settings.silence_seconds):
            if event["event"] == "asking":
                at = event
            elif event["event"] == "sample":
                self._store(left.pop(event["key"]), event["record"])
                at = None
            elif event["event"] == "failed":
                crash = {"stage": event["stage"], "detail": event["detail"]}
                self.run.log("bench crashed", model=self.model.name, **crash, **({"sample": at["key"]} if at else {}))
                return crash, _Suspect(left[at["key"]], crash, at["turn"]) if at else None
        return None, None

    def _store(self, ask: Ask, record: JSON) -> None:
        record |= {"model": self.model.label, "precision": self.model.precision}
        record |= {"asked": ask.asked} if ask.asked else {}
        self.run.store.replace(Row("sample", ask.key, self.places[ask.key], orjson.dumps(record)))
        self.right, self.answered = self.right + bool(record["right"]), self.answered + 1
        self.bar.advance(right=self.right)

    def _remember(self, suspects: Sequence[_Suspect], progress: Progress) -> list[_Suspect]:
        """None is left of the suspects: others were answered, so that it was theirs and not the model's."""
        for suspect in suspects:
            task, sample = suspect.ask.task, suspect.ask.sample
            said = f"{self.model.name} crashes at {suspect.crash['stage']} of {sample.id} of {task.name}"
            progress.say(f"{said}: it is unscored, and asked again with --retry-crashed alone")
            self._store(suspect.ask, crashed_record(task, sample, suspect.crash, suspect.turn))
        return []

    def _incomplete(self, left: dict[str, Ask], of: int) -> JSON | None:
        """Never a figure of fewer samples without a word."""
        if not left:
            return None
        detail = f"{len(left)} of {of} samples came to no record"
        self.run.log("bench incomplete", model=self.model.name, detail=detail)
        return {"stage": "generate", "detail": detail}


@dataclass(frozen=True)
class _Suspect:
    """A sample that the worker was at when it failed, asked alone. ``turn``: the request, where there was one."""

    ask: Ask
    crash: JSON
    turn: JSON | None


def _is_settled(run: Run, ask: Ask, retry_crashed: bool) -> bool:
    return is_settled(stored(run, "sample", ask.key), retry_crashed=retry_crashed)


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


def stored(run: Run, kind: str, key: str) -> JSON | None:
    row = run.store.get(kind, key)
    found: JSON | None = orjson.loads(row.payload) if row else None
    return found
