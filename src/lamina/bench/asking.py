"""Having one model answer what it has not answered yet: the worker's events become rows of the run's record store as
they come, so that a killed bench goes on where it was."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import orjson

from lamina.bench.asked import Ask, BenchModel, BenchSettings, stored
from lamina.bench.crashes import IN_A_ROW, crashed_record, is_settled
from lamina.bench.jobs import context_for, job_of, slots_for
from lamina.bench.workers import ask_worker
from lamina.runs import Bar, Progress, Row, Run
from lamina.tools.tool import JSON, Toolbox


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
