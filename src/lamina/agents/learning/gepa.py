"""GEPA (arXiv 2507.19457, the package ``gepa``) on the same ground as RPO: principles are its components, rollouts its
evaluations, held-out tasks its validation set, and every call of a model goes through the same ledger, so that both can
be compared at one budget of calls. It goes on until that is used up, or the held-out tasks are solved."""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any

from lamina.agents.environments.environment import Task
from lamina.agents.learning.ledger import Ledger, SpentError
from lamina.agents.learning.optimizing import WHOLE, targets_of
from lamina.agents.learning.playing import Player
from lamina.agents.learning.reflecting import transcript
from lamina.agents.learning.settings import LearnSettings
from lamina.agents.learning.splitting import Split
from lamina.agents.principles import Principles
from lamina.errors import InputError
from lamina.models.model import Model, Request
from lamina.runs import Progress
from lamina.tools.tool import JSON, Toolbox
from lamina.trajectories.trajectory import Message, Trajectory

WHOLE_NAME = "all actions"
"""GEPA's name of the one text of form ``whole``."""
SOLVED = 1.0


@dataclass(frozen=True)
class Tried:
    """A candidate that was played on all held-out tasks, and its rewards there."""

    principles: Principles
    held: list[float]


@dataclass
class Evolution:
    """What GEPA asks of us (its ``GEPAAdapter``), and what came of it."""

    player: Player
    reflector: Model
    toolbox: Toolbox
    split: Split
    settings: LearnSettings
    ledger: Ledger
    progress: Progress
    batch_of: Any
    tried: list[Tried] = field(default_factory=list)
    spent: str = ""
    asked: int = 0
    propose_new_texts: None = None
    """GEPA's own."""

    def evaluate(self, batch: list[Task], candidate: dict[str, str], capture_traces: bool = False) -> Any:
        principles = principles_of(candidate)
        judged = {t.id for t in batch} == {t.id for t in self.split.held}
        place, part = f"gepa {self._next()}", "judge" if judged else "execute"
        with self.progress.stage("gepa, held-out" if judged else "gepa", len(batch)) as bar:
            seed = self.settings.seed
            played = self._within(lambda: self.player.play(part, place, batch, principles, 1, seed, bar))
        rewards = [t.meta.reward or 0.0 for t in played]
        if judged:
            self.tried.append(Tried(principles, rewards))
        return self.batch_of(outputs=played, scores=rewards, trajectories=played if capture_traces else None)

    def make_reflective_dataset(
        self, candidate: dict[str, str], eval_batch: Any, components_to_update: list[str]
    ) -> Mapping[str, Sequence[Mapping[str, Any]]]:
        """Of each action the trajectories in which it was called; all where it was in none."""
        found: dict[str, list[JSON]] = {}
        for name in components_to_update:
            there = [t for t in eval_batch.trajectories if name in {c.name for c in t.calls}]
            found[name] = [self._shown(t, name) for t in there or eval_batch.trajectories]
        return found

    def _shown(self, trajectory: Trajectory, name: str) -> JSON:
        reward = trajectory.meta.reward
        known = self.settings.reward == "env" and reward is not None
        feedback = f"Reward: {reward:.2f} of 1." if known else "There is none: judge by the transcript."
        about = f"the principle of {name}: when and how to use it"
        return {"What the instruction is": about, "Transcript": transcript(trajectory), "Feedback": feedback}

    def reflect(self, prompt: str | list[JSON]) -> str:
        """GEPA's reflection model."""
        text = prompt if isinstance(prompt, str) else "\n\n".join(str(m["content"]) for m in prompt)
        tokens, seed = self.settings.writing_tokens, self.settings.seed
        request = Request(messages=[Message(role="user", content=text)], max_tokens=tokens, seed=seed)
        ask = self.ledger.asking(self.reflector, "reflect")
        [reply] = self._within(lambda: ask([(f"gepa {self._next()}", request)]))
        return str(reply.text)

    def stop(self, _: Any) -> bool:
        return bool(self.spent) or any(fmean(t.held) >= SOLVED for t in self.tried)

    def log(self, message: str) -> None:
        """GEPA's logger: the ledger has it all."""

    def _next(self) -> int:
        self.asked += 1
        return self.asked

    def _within(self, do: Any) -> Any:
        try:
            return do()
        except SpentError as spent:
            self.spent = str(spent)
            raise


def evolve(
    start: Principles,
    split: Split,
    player: Player,
    reflector: Model,
    settings: LearnSettings,
    ledger: Ledger,
    progress: Progress,
) -> tuple[list[Tried], str]:
    """All candidates that were tried on the held-out tasks, the first first, and why it ended. Raises InputError where
    ``gepa`` is not installed, where no limit would end it, and where there is nothing to validate on."""
    if not ledger.limited:
        raise InputError(
            "GEPA goes on until a limit is reached", mend="give --max-calls, --max-tokens or --max-minutes"
        )
    if not split.held:
        raise InputError("GEPA judges its candidates on held-out tasks", mend="give --held 10")
    gepa, batch = _library()
    toolbox = player.environment.toolbox
    seed = {target or WHOLE_NAME: start.whole if target == WHOLE else start.of(target)
            for target in targets_of(toolbox, settings)}  # fmt: skip
    evolution = Evolution(player, reflector, toolbox, split, settings, ledger, progress, batch)
    with contextlib.suppress(SpentError):
        gepa.optimize(
            seed_candidate=seed,
            trainset=split.train,
            valset=split.held,
            adapter=evolution,
            reflection_lm=evolution.reflect,
            stop_callbacks=evolution.stop,
            logger=evolution,
            seed=settings.seed,
        )
    tried = evolution.tried or [Tried(start, [])]
    return tried, evolution.spent or "the held-out tasks are solved"


def principles_of(candidate: Mapping[str, str]) -> Principles:
    actions = {name: text for name, text in candidate.items() if name != WHOLE_NAME}
    return Principles(actions, candidate.get(WHOLE_NAME, ""))


def _library() -> tuple[Any, Any]:
    try:
        return importlib.import_module("gepa"), importlib.import_module("gepa.core.adapter").EvaluationBatch
    except ImportError as error:
        raise InputError(f"GEPA needs the package gepa ({error})", mend="pip install 'lamina[gepa]'") from None
