"""Learning from what was done already: reflection and optimization over given trajectories, no environment, no
execution."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lamina.agents.built import ACTED
from lamina.agents.learning.improving import improve
from lamina.agents.learning.ledger import Ledger, SpentError
from lamina.agents.learning.rpo import VERSION, Learned, Version
from lamina.agents.learning.settings import LearnSettings
from lamina.agents.principles import Principles, check_actions
from lamina.errors import InputError
from lamina.models.model import Model
from lamina.runs import Progress, RecordStore, Row, Run
from lamina.tools.tool import Toolbox
from lamina.trajectories import read_trajectories
from lamina.trajectories.trajectory import Reject, Trajectory, json_line


def read_deeds(path: Path) -> tuple[list[Trajectory], list[Reject]]:
    """Trajectories of a file, or of a run what ``lamina act`` recorded there. Raises InputError where there is none."""
    rejects: list[Reject] = []
    if path.is_dir():
        with Run.at(path) as run:
            found = [Trajectory.from_json(row.payload) for row in run.store.iterate(ACTED)]
        mend = f"run lamina act --run {path} first, or name a file of trajectories"
    else:
        found = list(read_trajectories(path, rejects.append))
        mend = "name a file that lamina data check accepts"
    if not found:
        raise InputError("holds no trajectory to learn from", file=path, mend=mend)
    return found, rejects


def tools_of(trajectories: Sequence[Trajectory]) -> Toolbox:
    """All tools that were on offer; of two with one name the later."""
    return Toolbox.from_openai([row for t in trajectories for row in t.tools])


def learn_from(
    trajectories: Sequence[Trajectory],
    reflector: Model,
    optimizer: Model,
    settings: LearnSettings,
    ledger: Ledger,
    store: RecordStore,
    *,
    start: Principles | None = None,
    progress: Progress | None = None,
) -> Learned:
    """One pass over ``trajectories``, in batches (``traj``: one by one). Nothing can be played again, so no change is
    judged. Raises InputError where ``reward`` is ``env`` and some carry none."""
    start = start or Principles()
    toolbox = tools_of(trajectories)
    check_actions(start, toolbox)
    without = [t.id for t in trajectories if t.meta.reward is None]
    if settings.reward == "env" and without:
        raise InputError(f"the trajectory {without[0]} carries no reward", mend="take --reward self")
    size = settings.batch if settings.rpo == "batch" else 1
    versions, ending = [Version(0, 0, start)], "all trajectories"
    try:
        for number, first in enumerate(range(0, len(trajectories), size), 1):
            some = trajectories[first : first + size]
            before = versions[-1].principles
            reflections, proposals, changed = improve(
                f"update {number}", some, toolbox, before, reflector, optimizer, settings, ledger,
                progress or Progress(silent=True),
            )  # fmt: skip
            why = "nothing was changed" if changed.version == before.version else ""
            rewards = [t.meta.reward for t in some if t.meta.reward is not None]
            versions.append(Version(number, number, changed, True, why, rewards, [], reflections, proposals))
    except SpentError as spent:
        ending = str(spent)
    for version in versions:
        store.replace(Row(VERSION, f"{version.number:05}", version.number, json_line(version.as_row())))
    return Learned(versions[-1].principles, versions, ending, [], [])
