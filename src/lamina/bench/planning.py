"""What a bench is going to ask, before a model is loaded: which samples, under which keys, and what a run has."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from lamina.bench.asked import Ask, BenchModel, BenchSettings, ask_of
from lamina.bench.identity import fingerprint
from lamina.bench.keeping import Place, changed_since, lay_out
from lamina.bench.possible import shows_images, why_not
from lamina.bench.rescoring import answers_aside, rescore
from lamina.bench.same_files import own_identities, twins_of
from lamina.bench.tasks import Sample, Task
from lamina.runs import Progress, Run
from lamina.tools.tool import Toolbox


@dataclass(frozen=True)
class Plan:
    """``models``: each with its fingerprint and what it is asked, all tasks that it can do. ``twins``: by the name of a
    model that of an earlier one which is the same (``same_files``). ``impossible``: why a model cannot do a task, by
    their names."""

    models: list[tuple[BenchModel, str, list[Ask]]]
    twins: dict[str, str]
    impossible: dict[tuple[str, str], str]


def plan(
    models: Sequence[BenchModel], tasks: Sequence[Task], toolbox: Toolbox, settings: BenchSettings, limit: int | None
) -> Plan:
    whole = [(task, task.samples()) for task in tasks]
    loaded = [(task, drawn(samples, limit, settings.seed)) for task, samples in whole]
    seeing = any(shows_images(samples) for _, samples in loaded)
    impossible = {
        (model.name, task.name): reason
        for task, samples in whole
        for model in models
        if (reason := why_not(task, model.ref, images=shows_images(samples)))
    }
    fingerprints = [fingerprint(model.ref, seeing) for model in models]
    planned = [
        (
            model,
            identity,
            [
                ask_of(identity, task, sample, toolbox, model, settings)
                for task, samples in loaded
                if (model.name, task.name) not in impossible
                for sample in samples
            ],
        )
        for model, identity in zip(models, own_identities(models, fingerprints), strict=True)
    ]
    return Plan(planned, twins_of(models, fingerprints, seeing), impossible)


def lay_out_run(
    planned: Sequence[tuple[BenchModel, str, Sequence[Ask]]],
    run: Run,
    toolbox: Toolbox,
    settings: BenchSettings,
    progress: Progress,
) -> None:
    """The run's samples are those of this command, and one line says which of an earlier one have changed. Where that
    is a user's ``score`` alone, they are scored anew."""
    gone = lay_out(
        run,
        "sample",
        {ask.key: Place(i, model.label, model.precision) for model, _, asks in planned for i, ask in enumerate(asks)},
    )
    wanted = {ask.asked for _, _, asks in planned for ask in asks if ask.asked}
    known = answers_aside(run, wanted)
    for model, _, asks in planned:
        for task, n in rescore(model, asks, known, run, toolbox, settings.max_tokens).items():
            progress.say(f"{model.name}: {n} of {task} scored again: the file that scores them changed")
            run.log("bench scored again", model=model.name, task=task, n=n)
    missing = [
        (model.label, model.precision, ask.task.name, ask.sample.id)
        for model, _, asks in planned
        for ask in asks
        if run.store.get("sample", ask.key) is None
    ]
    for line in changed_since(gone, missing):
        progress.say(line)
        run.log("bench changed", detail=line)


def drawn(samples: Sequence[Sample], limit: int | None, seed: int) -> list[Sample]:
    """``limit`` of the samples at random, in their own order: files are sorted by subject or kind, and their first ones
    are of one. A larger limit holds what a smaller one drew."""
    chosen = random.Random(seed).sample(range(len(samples)), len(samples))[:limit]
    return [samples[i] for i in sorted(chosen)]
