"""tool-query: questions over a weather, a movie and an academia world, answered by look-ups.

Our own worlds, drawn from a fixed seed. The reward is a progress rate in the sense of AgentBoard (arXiv 2401.13178):
the right answer is 1, else the share of the gold look-ups that were made; the answer itself counts as one.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from lamina.agents.environments.environment import Task, World, finish_tool
from lamina.agents.environments.worlds.academia import Academia
from lamina.agents.environments.worlds.movie import Movie
from lamina.agents.environments.worlds.weather import Weather
from lamina.agents.environments.worlds.world import QueryWorld
from lamina.agents.principles import FINISH
from lamina.errors import InputError
from lamina.tools.tool import JSON, Toolbox
from lamina.trajectories.trajectory import ToolCall, content_id

ABOUT = "questions over weather, movie and academia worlds; reward: progress rate (tool-query:weather for one world)"
SEED = 20261
WORLDS: dict[str, type[Weather] | type[Movie] | type[Academia]] = {
    "weather": Weather,
    "movie": Movie,
    "academia": Academia,
}


class ToolQuery(World):
    def __init__(self, names: Sequence[str]) -> None:
        self.name = "tool-query" if len(names) > 1 else f"tool-query:{names[0]}"
        worlds: list[QueryWorld] = [WORLDS[name](random.Random(f"{SEED} {name}")) for name in names]
        self._world_of = {tool.name: world for world in worlds for tool in world.tools}
        own = [tool for world in worlds for tool in world.tools]
        self.toolbox = Toolbox([*own, finish_tool("Give the final answer; this ends the task.", answer=True)])
        super().__init__([task for world in worlds for task in _tasks_of(world)])
        self._asked: set[str] = set()

    def begin(self, task: Task) -> None:
        self._asked = set()

    def __getattr__(self, name: str) -> Any:
        """``on_NAME`` of a look-up is its world's."""
        action = name.removeprefix("on_")
        if action == name or action not in self.__dict__.get("_world_of", {}):
            raise AttributeError(name)
        return lambda **arguments: self._world_of[action].ask(action, arguments)

    def saw(self, call: ToolCall, found: Any) -> None:
        self._asked.add(content_id(call.name, call.arguments))

    def reward(self) -> float:
        assert self.task is not None
        if self.answer is not None and same_answer(self.answer, self.task.data["answer"]):
            return 1.0
        gold = [content_id(name, arguments) for name, arguments in self.task.data["solution"][:-1]]
        return sum(one in self._asked for one in gold) / (len(gold) + 1)


def same_answer(given: str, wanted: str) -> bool:
    """Numbers by value, words without regard to case, quotes and a final dot. A sentence round the answer is not the
    answer."""
    said = given.strip().strip("\"'").rstrip(".").strip()
    try:
        return abs(float(said) - float(wanted)) < 1e-6
    except ValueError:
        return said.casefold() == wanted.casefold()


def _tasks_of(world: QueryWorld) -> list[Task]:
    found = []
    for number, question in enumerate(world.questions(random.Random(f"{SEED} {world.name} questions"))):
        finish: tuple[str, JSON] = (FINISH, {"answer": question.answer})
        data: JSON = {"answer": question.answer, "solution": [*question.calls, finish]}
        found.append(Task(f"{world.name}-{number}", question.text, data, f"{world.name} {question.kind}"))
    return found


def open_environment(argument: str) -> ToolQuery:
    if argument and argument not in WORLDS:
        raise InputError(f"tool-query has no world {argument!r}", mend=f"known: {', '.join(WORLDS)}")
    return ToolQuery([argument] if argument else list(WORLDS))
