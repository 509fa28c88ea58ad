"""RPO: execution, reflection, optimization, again and again (arXiv 2410.18528, section on RPO).

The loop is a function of the answers of its models: started over with a store that has some of them, it comes to the
same place without asking for those again. That is all there is to continuing after a kill.
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any

from lamina.agents.act import Budget
from lamina.agents.environments.environment import Environment, Task
from lamina.agents.learning.improving import improve
from lamina.agents.learning.ledger import TEST, Ledger, SpentError
from lamina.agents.learning.optimizing import Proposal
from lamina.agents.learning.playing import Player
from lamina.agents.learning.reflecting import Reflection
from lamina.agents.learning.settings import LearnSettings
from lamina.agents.learning.splitting import Split
from lamina.agents.principles import Principles, check_actions
from lamina.agents.prompting import Manner
from lamina.models.model import Model
from lamina.runs import Progress, RecordStore, Row
from lamina.trajectories.trajectory import Trajectory, json_line

VERSION = "version"


@dataclass(frozen=True)
class Roles:
    """Who does what; often one model in all three."""

    executor: Model
    reflector: Model
    optimizer: Model


@dataclass(frozen=True)
class Version:
    """``principles`` after update ``number`` (0: the first). ``batch``: rewards of the rollouts that led to it, under
    the version before; ``held``: its own on held-out tasks. An update that was not accepted says ``why``."""

    number: int
    iteration: int
    principles: Principles
    accepted: bool = True
    why: str = ""
    batch: list[float] = field(default_factory=list)
    held: list[float] = field(default_factory=list)
    reflections: list[Reflection] = field(default_factory=list)
    proposals: list[Proposal] = field(default_factory=list)

    def as_row(self) -> dict[str, Any]:
        return {
            "number": self.number,
            "iteration": self.iteration,
            "version": self.principles.version,
            "actions": dict(self.principles.actions),
            "whole": self.principles.whole,
            "accepted": self.accepted,
            "why": self.why,
            "batch": self.batch,
            "held": self.held,
            "reflections": [r.as_row() for r in self.reflections],
            "proposals": [p.as_row() for p in self.proposals],
        }


@dataclass(frozen=True)
class Learned:
    """``ending``: ``iterations``, or in a sentence which limit was reached. ``first`` and ``last`` are the rewards on
    the test tasks, in the same order, before and after; empty without tests or rewards."""

    principles: Principles
    versions: list[Version]
    ending: str
    first: list[float]
    last: list[float]


def learn(
    environment: Environment,
    split: Split,
    roles: Roles,
    settings: LearnSettings,
    ledger: Ledger,
    store: RecordStore,
    *,
    start: Principles | None = None,
    manner: Manner | None = None,
    progress: Progress | None = None,
) -> Learned:
    """Learns principles from ``split.train`` and measures the first and the last on ``split.test``.

    Raises InputError for settings that don't fit the environment and for principles of unknown actions."""
    start = start or Principles()
    rewarded = getattr(environment, "rewarded", True)
    settings.check(rewarded=rewarded)
    check_actions(start, environment.toolbox)
    if (ask_through := getattr(environment, "ask_through", None)) is not None:
        ask_through(lambda model: ledger.booked(model, "customer"))
    manner = manner or Manner("pract", "text", temperature=settings.temperature)
    player = Player(environment, roles.executor, manner, Budget(turns=settings.turns, seconds=1e9), ledger, store)
    learner = _Learner(environment, split, roles, settings, ledger, store, player, progress or Progress(silent=True))
    first = learner.test(start)
    versions, ending = learner.evolve(start) if settings.by == "gepa" else learner.run(start)
    best = chosen(versions, settings)
    same = best.principles.version == start.version
    return Learned(best.principles, versions, ending, first, first if same else learner.test(best.principles))


def chosen(versions: Sequence[Version], settings: LearnSettings) -> Version:
    """The last that was accepted; with keep-best, the one with the highest mean on held-out tasks, the earliest of
    several."""
    accepted = [v for v in versions if v.accepted]
    if settings.keep_best and all(v.held for v in accepted):
        return max(accepted, key=lambda v: (fmean(v.held), -v.number))
    return accepted[-1]


class _Learner:
    def __init__(
        self,
        environment: Environment,
        split: Split,
        roles: Roles,
        settings: LearnSettings,
        ledger: Ledger,
        store: RecordStore,
        player: Player,
        progress: Progress,
    ):
        self.environment, self.split, self.roles, self.settings = environment, split, roles, settings
        self.ledger, self.store, self.player, self.progress = ledger, store, player, progress
        self.versions: list[Version] = []

    def run(self, start: Principles) -> tuple[list[Version], str]:
        """All versions, and why it ended."""
        try:
            self._keep(Version(0, 0, start, held=self._held(start)))
            current = self.versions[0]
            for iteration in range(1, self.settings.iterations + 1):
                tasks = self._draw(iteration)
                for some in [tasks] if self.settings.rpo == "batch" else [[task] for task in tasks]:
                    current = self._update(iteration, some, current)
        except SpentError as spent:
            if not self.versions:
                self._keep(Version(0, 0, start))
            return self.versions, str(spent)
        return self.versions, "iterations"

    def evolve(self, start: Principles) -> tuple[list[Version], str]:
        """GEPA's candidates as versions, in the order in which they were tried."""
        from lamina.agents.learning.gepa import evolve

        tried, ending = evolve(
            start, self.split, self.player, self.roles.reflector, self.settings, self.ledger, self.progress
        )
        best = 0.0
        for number, one in enumerate(tried):
            mean = fmean(one.held) if one.held else 0.0
            better = number == 0 or mean > best
            best = max(best, mean)
            why = "" if better else f"not the best on held-out tasks: {mean:.3f}, best {best:.3f}"
            self._keep(Version(number, number, one.principles, better, why, held=one.held))
        return self.versions, ending

    def test(self, principles: Principles) -> list[float]:
        return self._rewards(TEST, "test", self.split.test, principles)

    def _update(self, iteration: int, tasks: list[Task], current: Version) -> Version:
        """One update; returns the version that is in force after it."""
        number, settings = len(self.versions), self.settings
        seed = settings.seed + 1000 * number
        with self.progress.stage(f"iteration {iteration}, execution", len(tasks) * settings.repeats) as bar:
            played = self.player.play(
                "execute", f"update {number}", tasks, current.principles, settings.repeats, seed, bar
            )
        place = f"update {number}"
        reflections, proposals, changed = improve(
            place, played, self.environment.toolbox, current.principles, self.roles.reflector, self.roles.optimizer,
            settings, self.ledger, self.progress,
        )  # fmt: skip
        same = changed.version == current.principles.version
        held = current.held if same else self._held(changed)
        accepted, why = self._judged(same, held, current.held)
        made = Version(number, iteration, changed, accepted, why, _rewards_of(played), held, reflections, proposals)
        self._keep(made)
        return made if accepted else current

    def _judged(self, same: bool, held: list[float], before: list[float]) -> tuple[bool, str]:
        if same:
            return True, "nothing was changed"
        if self.settings.accept and held and fmean(held) <= fmean(before):
            return False, f"not better on held-out tasks: {fmean(held):.3f}, before {fmean(before):.3f}"
        return True, ""

    def _keep(self, version: Version) -> None:
        self.versions.append(version)
        row = Row(VERSION, f"{version.number:05}", version.number, json_line(version.as_row()))
        known = self.store.get(VERSION, row.id)
        if known is None or json.loads(known.payload) != version.as_row():
            self.store.replace(row)

    def _held(self, principles: Principles) -> list[float]:
        if not self.settings.judged:
            return []
        return self._rewards("judge", "held-out", self.split.held, principles)

    def _rewards(self, part: str, place: str, tasks: Sequence[Task], principles: Principles) -> list[float]:
        """Known already where these principles were played there before."""
        if not tasks or not getattr(self.environment, "rewarded", True):
            return []
        settings = self.settings
        slot = f"{place} {principles.version}"
        with self.progress.stage(place, len(tasks) * settings.repeats) as bar:
            played = self.player.play(part, slot, tasks, principles, settings.repeats, settings.seed, bar)
        return _rewards_of(played)

    def _draw(self, iteration: int) -> list[Task]:
        """``batch`` tasks, every one as often as any other: pass after pass, each in another order."""
        train, wanted = self.split.train, self.settings.batch
        first = (iteration - 1) * wanted
        drawn = []
        for place in range(first, first + wanted):
            turn, index = divmod(place, len(train))
            order = list(range(len(train)))
            random.Random(f"{self.settings.seed} pass {turn}").shuffle(order)
            drawn.append(train[order[index]])
        return drawn


def _rewards_of(played: Sequence[Trajectory]) -> list[float]:
    return [t.meta.reward for t in played if t.meta.reward is not None]
