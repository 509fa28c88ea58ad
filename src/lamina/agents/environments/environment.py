"""Environment: tasks, tools and a reward behind one protocol. Deterministic and offline: the same calls give the
same observations and the same reward."""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, Self

from lamina.agents.principles import FINISH
from lamina.errors import UserError
from lamina.tools.tool import JSON, Tool, Toolbox
from lamina.trajectories.trajectory import ToolCall, content_id


@dataclass(frozen=True)
class Task:
    """``request`` is what the agent is told. ``data`` is the environment's own (goal, gold calls): no model ever sees
    it. ``group`` is what a split is stratified by."""

    id: str
    request: str
    data: JSON = field(default_factory=dict)
    group: str = ""

    @property
    def fingerprint(self) -> str:
        """Equal where two tasks ask the same in other spacing or case, whatever their ids."""
        return content_id(" ".join(self.request.lower().split()))


@dataclass(frozen=True)
class Step:
    """``observation`` is the text the agent gets to see; ``done`` says that the episode is over."""

    observation: str
    done: bool = False
    failed: bool = False


class Environment(Protocol):
    """One episode at a time; ``copy`` gives an independent one for each of those that run beside each other."""

    name: str
    toolbox: Toolbox

    def tasks(self) -> Sequence[Task]:
        """All tasks, in an order that never changes."""
        ...

    def reset(self, task: Task) -> str:
        """Begins an episode; returns what the agent is told."""
        ...

    def step(self, call: ToolCall) -> Step:
        """Executes one call. What a model got wrong is an observation, never an exception."""
        ...

    def reward(self) -> float | None:
        """Of the episode so far, 0 to 1; None where there is no reward to be had (Self-RPO alone)."""
        ...

    def copy(self) -> Environment: ...

    def solution(self, task: Task) -> list[ToolCall]:
        """The oracle's calls; empty where nobody knows them."""
        ...

    def close(self) -> None: ...


class RefusedCallError(Exception):
    """A call that fits its schema and makes no sense in this world; the text is what the agent sees."""


class World:
    """What the built-in environments share: calls are checked against the schema and go to the method ``on_NAME``.

    Subclasses set ``name`` and ``toolbox``, fill ``_tasks`` and define ``begin`` and ``reward``."""

    name: str
    toolbox: Toolbox

    def __init__(self, tasks: Sequence[Task]) -> None:
        self._tasks = list(tasks)
        self.task: Task | None = None
        self.done = False
        self.answer: str | None = None

    def tasks(self) -> Sequence[Task]:
        return self._tasks

    def copy(self) -> Self:
        other = copy.copy(self)
        other.task, other.done = None, False
        return other

    def close(self) -> None:
        pass

    def reset(self, task: Task) -> str:
        self.task, self.done, self.answer = task, False, None
        self.begin(task)
        return task.request

    def begin(self, task: Task) -> None:
        raise NotImplementedError

    def solution(self, task: Task) -> list[ToolCall]:
        return [ToolCall.of(name, arguments) for name, arguments in task.data["solution"]]

    def step(self, call: ToolCall) -> Step:
        if self.task is None:
            raise ValueError("reset(task) comes before step(call)")
        if self.done:
            return Step(_text({"error": "the episode is over"}), done=True, failed=True)
        tool = self.toolbox.get(call.name)
        if tool is None:
            return Step(_text({"error": f"there is no action {call.name!r}"}), failed=True)
        if problems := tool.problems(call.arguments):
            return Step(_text({"error": problems[0]}), failed=True)
        try:
            found = getattr(self, f"on_{call.name}")(**self.filled(tool, call.arguments))
        except RefusedCallError as refused:
            return Step(_text({"error": str(refused)}), failed=True)
        self.saw(call, found)
        return Step(found if isinstance(found, str) else _text(found), done=self.done)

    def filled(self, tool: Tool, arguments: JSON) -> JSON:
        """The arguments that the method gets."""
        return tool.with_defaults(arguments)

    def saw(self, call: ToolCall, found: Any) -> None:
        """Told of every call that was executed."""

    def on_finish(self, answer: str = "") -> JSON:
        self.done, self.answer = True, answer
        return {"finished": True}


def described(name: str, about: str, /, **arguments: str | tuple[str, ...] | JSON) -> Tool:
    """A tool from ``argument="type: what it is"``; ``type?`` marks an optional one, a tuple lists the allowed
    texts, a table is the argument's own schema."""
    properties: JSON = {}
    required = []
    for argument, said in arguments.items():
        if not isinstance(said, str):
            properties[argument] = said if isinstance(said, dict) else {"type": "string", "enum": list(said)}
            required.append(argument)
            continue
        kind, _, what = said.partition(": ")
        properties[argument] = {"type": kind.rstrip("?"), "description": what}
        if not kind.endswith("?"):
            required.append(argument)
    parameters: JSON = {"type": "object", "properties": properties, "required": required}
    return Tool(name, about, {**parameters, "additionalProperties": False})


def finish_tool(about: str, *, answer: bool) -> Tool:
    return described(FINISH, about, **({"answer": "string: The answer, and nothing else."} if answer else {}))


def checked_reward(value: object, *, of: str) -> float | None:
    """A reward as the protocol wants it. Raises UserError, naming ``of``, for NaN and what is out of range."""
    if value is None:
        return None
    if isinstance(value, bool | int | float) and math.isfinite(value) and 0 <= value <= 1:
        return float(value)
    raise UserError(f"{of}: the reward is {value!r}; a reward is a number from 0 to 1")


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
