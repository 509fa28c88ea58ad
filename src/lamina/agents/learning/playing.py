"""Execution: tasks rolled out under principles, each episode kept as it ends and never played twice."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import Any

from lamina.agents.act import Budget
from lamina.agents.environments.environment import Environment, Task
from lamina.agents.learning.ledger import Cost, Ledger
from lamina.agents.principles import Principles
from lamina.agents.prompting import Manner
from lamina.agents.rollouts import Job, roll_out, rollout_id
from lamina.models.model import Model
from lamina.runs import Bar, RecordStore, Row
from lamina.trajectories.trajectory import Trajectory, json_line

ROLLOUT = "rollout"
GOOD = 0.999
"""Reward from which on a trajectory is worth training on."""


class Player:
    """Plays for a learner: asks through its ledger, and finds in the store what a killed run has played."""

    def __init__(
        self, environment: Environment, model: Model, manner: Manner, budget: Budget, ledger: Ledger, store: RecordStore
    ):
        self.environment, self.model, self.manner, self.budget = environment, model, manner, budget
        self._ledger, self._store = ledger, store

    def play(
        self, part: str, place: str, tasks: Sequence[Task], principles: Principles, repeats: int, seed: int, bar: Bar
    ) -> list[Trajectory]:
        """``repeats`` trajectories of each task, in their order; ``place`` says where in the work."""
        jobs = [Job(f"{place} {task.id} #{again}", task, seed + again) for task in tasks for again in range(repeats)]
        found = {job.slot: kept for job in jobs if (kept := self._kept(part, job, principles)) is not None}
        bar.advance(len(found))
        answers = count(1)

        def tell() -> None:
            bar.advance(0, answers=next(answers))  # episodes go on beside each other and end together

        def keep(job: Job, trajectory: Trajectory) -> None:
            trajectory.meta.split = part
            trajectory.meta.writer = self.model.ref
            self._store.put([Row(ROLLOUT, trajectory.id, self._store.count(ROLLOUT), trajectory.to_json())])
            found[job.slot] = trajectory
            bar.advance(reward=trajectory.meta.reward if trajectory.meta.reward is not None else "none")

        roll_out(
            self.environment,
            [job for job in jobs if job.slot not in found],
            self._ledger.asking(self.model, part, tell),
            principles=principles,
            manner=self.manner,
            budget=self.budget,
            on_end=keep,
        )
        return [found[job.slot] for job in jobs]

    def _kept(self, part: str, job: Job, principles: Principles) -> Trajectory | None:
        row = self._store.get(ROLLOUT, rollout_id(job, principles, self.manner))
        if row is None:
            return None
        trajectory = Trajectory.from_json(row.payload)
        meta: dict[str, Any] = trajectory.meta.model_extra or {}
        cost = Cost(meta["turns"], meta["prompt_tokens"], meta["completion_tokens"], meta["seconds"])
        self._ledger.book(part, cost)
        return trajectory


def export_rollouts(store: RecordStore, folder: Path) -> dict[str, int]:
    """``rollouts.jsonl``: all; ``trajectories.jsonl``: those of tasks to learn from that reached the full reward, which
    is what data import takes from a run. Tasks of a test never become training rows."""
    from lamina.runs.files import atomic_file

    good = 0
    with atomic_file(folder / "trajectories.jsonl") as file:
        for row in store.iterate(ROLLOUT):
            trajectory = Trajectory.from_json(row.payload)
            if trajectory.meta.split == "execute" and (trajectory.meta.reward or 0.0) >= GOOD:
                trajectory.meta.split = None  # of a data set, that is: importers assign their own
                file.write(json_line(trajectory.model_dump(exclude_none=True)) + b"\n")
                good += 1
    return {"rollouts": store.export_jsonl(ROLLOUT, folder / "rollouts.jsonl"), "trajectories": good}
