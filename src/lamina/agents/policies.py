"""Agents without a model: an oracle and one that acts at random. They prove a reward (the one gets 1, the other little)
and measure how fast an environment steps."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from typing import Any

from lamina.agents.environments import Environment, Task, checked_reward
from lamina.tools.tool import JSON
from lamina.trajectories.trajectory import ToolCall

Policy = Callable[[str], ToolCall | None]
"""From the last observation to the next call; None ends the episode."""
REMEMBERED = 400
"""Words and phrases the random agent keeps: what it saw last."""


def oracle(environment: Environment, task: Task) -> Policy:
    """Makes the calls that solve the task."""
    calls = iter(environment.solution(task))
    return lambda observation: next(calls, None)


def at_random(environment: Environment, task: Task, chance: random.Random) -> Policy:
    """Any action, its arguments filled with what the schema allows, with words of the request and with what was shown:
    phrases in brackets and quotes, and single words, every other time of the last observation alone."""
    tools = list(environment.toolbox)
    words = re.findall(r"[^\s,?]+", task.request)
    seen = [" ".join(words[i : i + n]) for i in range(len(words)) for n in (1, 2, 3)]

    def choose(observation: str) -> ToolCall:
        phrases = [a or b or c for a, b, c in re.findall(r"\[([^\[\]]+)\]|\"([^\"]+)\"|([\w.-]+)", observation)]
        seen.extend(phrases)
        del seen[:-REMEMBERED]
        tool = chance.choice(tools)
        words = phrases if phrases and chance.random() < 0.5 else seen
        return ToolCall.of(tool.name, {name: _value(schema, words, chance) for name, schema in tool.properties.items()})

    return choose


def play(environment: Environment, task: Task, policy: Policy, most: int = 30) -> tuple[float | None, int]:
    """Reward and number of steps of one episode of at most ``most`` steps."""
    observation = environment.reset(task)
    steps = 0
    while steps < most:
        call = policy(observation)
        if call is None:
            break
        step = environment.step(call)
        observation = step.observation
        steps += 1
        if step.done:
            break
    return checked_reward(environment.reward(), of=f"task {task.id}"), steps


def _value(schema: JSON, seen: list[str], chance: random.Random) -> Any:
    if "enum" in schema:
        return chance.choice(schema["enum"])
    kind = schema.get("type")
    if kind in ("integer", "number"):
        return chance.randint(1, 12)
    if kind == "boolean":
        return chance.random() < 0.5
    return chance.choice(seen)
