"""A learning in a run folder: opened, learnt, and its principles, rollouts and figures written down."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lamina.agents.environments.environment import Environment
from lamina.agents.learning.from_trajectories import learn_from
from lamina.agents.learning.ledger import ASKED, Ledger, Limits
from lamina.agents.learning.playing import export_rollouts
from lamina.agents.learning.rpo import Learned, Roles, chosen, learn
from lamina.agents.learning.settings import LearnSettings
from lamina.agents.learning.splitting import Split
from lamina.agents.principles import FINAL, STAGE, Principles
from lamina.agents.prompting import Manner
from lamina.models import is_local, open_model, usable_cores
from lamina.models.model import Model
from lamina.runs import Progress, Run
from lamina.runs.files import atomic_file
from lamina.trajectories.trajectory import Trajectory

FOLDER = "principles"
"""Of every version, beside the final one."""
ASKED_FILE = "asked.jsonl"
"""Every request to a model and its answer."""


CORES_A_SLOT = 4
"""Of a local engine: requests that share a beginning are read faster one after the other, from its cache, than beside
each other, on two cores by a factor of two to three (docs/results/rpo.md). Beyond two cores: our choice."""


@contextmanager
def opened(model: str, reflector: str | None, batch: int) -> Iterator[Roles]:
    """The models of the roles, each reference opened once; the optimizer is the reflector. An endpoint is asked
    ``batch`` at once, an engine on this machine as many as its cores serve."""
    models: dict[str, Model] = {}
    local = max(1, min(batch, usable_cores() // CORES_A_SLOT))
    try:
        for ref in (model, reflector or model):
            if ref not in models:
                models[ref] = open_model(ref, slots=local if is_local(ref) else batch)
        thinking = models[reflector or model]
        yield Roles(models[model], thinking, thinking)
    finally:
        for one in models.values():
            one.close()


def learn_in_run(
    run: Run,
    environment: Environment,
    split: Split,
    roles: Roles,
    settings: LearnSettings,
    *,
    limits: Limits | None = None,
    start: Principles | None = None,
    manner: Manner | None = None,
    progress: Progress | None = None,
    rollouts: Path | None = None,
) -> dict[str, Any]:
    """Learns, and returns the plain figures, which are kept in the run; one that is done says them again. ``rollouts``:
    the folder in which what was played is written down, else the run's own."""
    if (known := run.result(STAGE)) is not None:
        return known
    ledger = Ledger(run.store, limits)
    learned = learn(
        environment, split, roles, settings, ledger, run.store, start=start, manner=manner, progress=progress
    )
    sizes = {"train": len(split.train), "held": len(split.held), "test": len(split.test)}
    about = {"environment": environment.name, "tasks": sizes}
    folder = rollouts or run.folder
    run.store.export_jsonl(ASKED, folder / ASKED_FILE)
    return _finish(run, learned, settings, ledger, {**about, **export_rollouts(run.store, folder)})


def learn_from_in_run(
    run: Run,
    trajectories: Sequence[Trajectory],
    roles: Roles,
    settings: LearnSettings,
    *,
    limits: Limits | None = None,
    start: Principles | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    if (known := run.result(STAGE)) is not None:
        return known
    ledger = Ledger(run.store, limits)
    learned = learn_from(
        trajectories, roles.reflector, roles.optimizer, settings, ledger, run.store, start=start, progress=progress
    )
    run.store.export_jsonl(ASKED, run.folder / ASKED_FILE)
    return _finish(run, learned, settings, ledger, {"trajectories": len(trajectories)})


def _finish(
    run: Run, learned: Learned, settings: LearnSettings, ledger: Ledger, about: dict[str, Any]
) -> dict[str, Any]:
    last = chosen(learned.versions, settings)
    reflections = [r.trajectory for v in learned.versions[: last.number + 1] for r in v.reflections if not r.problem]
    final = learned.principles.from_where(
        run=run.folder.name, update=last.number, iteration=last.iteration, reflections=reflections
    )
    _write(run.folder / FINAL, final)
    (run.folder / FOLDER).mkdir(exist_ok=True)
    for version in learned.versions:
        _write(run.folder / FOLDER / f"{version.number:04}.toml", version.principles.from_where(update=version.number))
    result = {
        **about,
        "ending": learned.ending,
        "principles": FINAL,
        "version": learned.principles.version,
        "update": last.number,
        "updates": len(learned.versions) - 1,
        "accepted": sum(v.accepted and not v.why for v in learned.versions[1:]),
        "first": learned.first,
        "last": learned.last,
        "curve": [{"update": v.number, "batch": v.batch, "held": v.held} for v in learned.versions],
        "cost": {part: cost.as_row() for part, cost in sorted(ledger.cost.items())},
        "total": ledger.total.as_row(),
    }
    run.finish(STAGE, result)
    run.log("learnt", asked=ledger.asked, answered_before=ledger.answered)
    return result


def _write(file: Path, principles: Principles) -> None:
    with atomic_file(file) as out:
        out.write(principles.to_toml().encode())
