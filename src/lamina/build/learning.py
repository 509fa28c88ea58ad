"""The last stage of ``lamina build --learn``: RPO over what was built, on requests that training never saw."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lamina.agents.principles import STAGE
from lamina.errors import ConfigMismatchError
from lamina.runs import Progress, Run

if TYPE_CHECKING:
    from lamina.agents.environments import Task
    from lamina.agents.learning import LearnSettings, Split
    from lamina.trajectories import Query

JSON = dict[str, Any]
FOLDER = "learning"
"""Of what was played; the run's own trajectories are its rows."""


def learn_principles(
    run: Run,
    tools_file: Path,
    model: str,
    reflector: str,
    known: Sequence[Query],
    scored: Sequence[Query],
    settings: LearnSettings,
    progress: Progress,
    *,
    left_out: Collection[str] = (),
    timeout: float | None = None,
) -> JSON:
    """``model``, the file that ``lamina act`` takes, learns from ``known``, a part of which judges the changes; what it
    gained is measured on ``scored``. RUN/principles.toml holds what it learnt, which may be nothing."""
    from lamina.agents.environments.user_tools import UserTools
    from lamina.agents.learning import learn_in_run, opened
    from lamina.agents.prompting import manner_of
    from lamina.bench.learned import learned_figures

    tasks = [*map(_task, known), *map(_task, scored)]
    # Whether what changes things may be called, synthesis has asked: it is a stage before this one.
    environment = UserTools(tools_file, tasks, allow_changes=True, timeout=timeout, left_out=left_out)
    try:
        with opened(model, reflector, settings.batch) as roles:
            folder = run.folder / FOLDER
            folder.mkdir(exist_ok=True)
            found = learn_in_run(
                run, environment, _split(known, scored, settings), roles, settings, progress=progress,
                manner=manner_of(roles.executor, "pract"), rollouts=folder,
            )  # fmt: skip
    finally:
        environment.close()
    return {**learned_figures(found), "model": model, "reflector": reflector, "settings": asdict(settings)}


def check_learnt_before(run: Run, settings: LearnSettings, reflector: str) -> None:
    """A run may learn later than it was built, but once. Raises ConfigMismatchError for other settings."""
    before = run.result("learn")
    if before is None or run.result(STAGE) is None:
        return
    asked = {"reflector": reflector, **asdict(settings)}
    there = {"reflector": before["reflector"], **before["settings"]}
    if other := sorted(key for key in asked if asked[key] != there.get(key)):
        what = ", ".join(f"{key} {there.get(key)!r}, now {asked[key]!r}" for key in other)
        raise ConfigMismatchError(f"{run.folder} has learnt with {what}; learn into another folder with lamina learn")


def _split(known: Sequence[Query], scored: Sequence[Query], settings: LearnSettings) -> Split:
    """Requests to learn from that are also scored are left out: hand-written and generated ones may agree."""
    from lamina.agents.learning import split_tasks

    tests = list({task.fingerprint: task for task in map(_task, scored)}.values())
    taken = {task.fingerprint for task in tests}
    free = [task for task in map(_task, known) if task.fingerprint not in taken]
    return split_tasks(free, held=settings.held, test=0, seed=settings.seed, test_tasks=tests)


def _task(query: Query) -> Task:
    from lamina.agents.environments import Task

    calls = [[{"name": c.name, "arguments": c.arguments} for c in way] for way in (query.calls, *query.accept)]
    data: JSON = {"calls": calls[0], "accept": calls[1:], "now": query.now}
    return Task(query.id, query.query, data, query.kind)
