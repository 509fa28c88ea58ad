"""``env:NAME``: any environment of ``lamina envs`` as a benchmark. A sample is a task of it, played as ``lamina learn``
plays it without principles: the agent calls, sees what came of it, and goes on until the episode is over, it calls
nothing, or its turns are used up. The score is the environment's reward.

Our choice: calls in the model's native form, constrained as everywhere in a bench; an answer that cannot be read is
told so; ``TURNS`` answers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from lamina.agents.act import Budget
from lamina.agents.environments import Environment, list_environments, open_environment
from lamina.agents.environments import Task as WorldTask
from lamina.agents.prompting import Manner
from lamina.agents.rollouts import Job, playing
from lamina.bench.tasks.played import SOLVED, lean, played_figures
from lamina.bench.tasks.task import Conversation, Figure, Outcome, Sample, Setting, not_answered, turn_record
from lamina.errors import InputError
from lamina.tools.tool import JSON
from lamina.trajectories.trajectory import Message, Trajectory

ABOUT = "env:NAME, an environment of 'lamina envs', played to its end: solved, reward (env:tool-query:weather)"
VERSION = 2
TURNS = 30


def open_task(argument: str) -> EnvironmentTask:
    if not argument:
        known = ", ".join(one["name"] for one in list_environments())
        raise InputError("the task 'env' needs an environment", mend=f"write env:NAME, one of {known}")
    return EnvironmentTask(argument)


class EnvironmentTask:
    """``environment`` is what ``open_environment`` opens."""

    paired_metric = "solved"
    needs_tools = False
    plays = True

    def __init__(self, environment: str):
        self.name = self.spec = f"env:{environment}"
        self._environment = environment
        self._opened: Environment | None = None
        self._tasks: dict[str, WorldTask] = {}

    def samples(self) -> list[Sample]:
        """``functions`` are those that the environment has before an episode begins."""
        more = {"functions": self._world().toolbox.as_openai()}
        return [
            Sample(task.id, {"request": task.request, "group": task.group, "data": task.data, **more})
            for task in self._tasks.values()
        ]

    def solve(self, sample: Sample, setting: Setting) -> Conversation:
        manner = Manner("act", "native", setting.style, setting.max_tokens)
        budget = Budget(turns=TURNS, seconds=math.inf)
        world = self._world()
        episode = playing(world, Job(sample.id, self._tasks[sample.id]), manner=manner, budget=budget)
        system = [Message(role="system", content=setting.system)] if setting.system is not None else []
        turns: list[JSON] = []
        cut = False
        try:
            request = next(episode)
            while True:
                request = replace(request, messages=[*system, *request.messages])
                reply = yield request
                cut = cut or reply.truncated
                turns.append(turn_record(request, reply, []))
                if not_answered(reply):
                    scores = {"unscored": True, "reward": 0.0, "stopped": False, "cut": cut}
                    return Outcome(False, scores, [f"not answered: {reply.problem}"], lean(turns))
                request = episode.send(reply)
        except StopIteration as end:
            return self._outcome(end.value, turns, cut)

    def figures(self, outcomes: Sequence[JSON]) -> list[Figure]:
        return played_figures(outcomes, right="solved", share="reward")

    def counts_in_pair(self, scores: JSON) -> bool:
        return not scores["unscored"]

    def _outcome(self, played: Trajectory, turns: list[JSON], cut: bool) -> Outcome:
        reward = played.meta.reward
        stopped = (played.meta.model_extra or {})["ending"] != "done"
        scores = {"unscored": reward is None, "reward": reward or 0.0, "stopped": stopped, "cut": cut}
        reasons = [f"used up its {TURNS} turns"] if stopped else []
        reasons += ["the environment gives no reward"] if reward is None else []
        turns[0]["target"] = turns[-1]["target"] = f"a reward of 1 in {self._environment}"
        return Outcome(reward is not None and reward >= SOLVED, scores, reasons, lean(turns))

    def _world(self) -> Environment:
        """Opened once, its episodes are copies."""
        if self._opened is None:
            self._opened = open_environment(self._environment)
            self._tasks = {task.id: task for task in self._opened.tasks()}
        return self._opened
