"""What a benchmark task is.

A task has samples, a way to have one sample answered, and figures over all the verdicts. Answering is a
*generator*: it yields a ``Request``, is sent the ``Reply``, and returns an ``Outcome``. So one task may ask
once and another may call tools and ask again, while the driver keeps all of the engine's slots busy across
samples.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from lamina.bench.intervals import Interval
from lamina.models.model import PromptStyle, Reply, Request
from lamina.tools.tool import JSON, Toolbox
from lamina.trajectories.trajectory import Message


@dataclass(frozen=True)
class Sample:
    """``row`` is plain JSON: it crosses to the worker process and is part of the sample's identity."""

    id: str
    row: JSON


@dataclass(frozen=True)
class Setting:
    """Everything besides the sample that decides what the model is asked and how it is scored. ``system`` is
    an instruction put before the request (a prompt variant), ``executor`` runs the calls of a rollout."""

    toolbox: Toolbox
    style: PromptStyle
    system: str | None = None
    max_tokens: int = 256
    executor: Any = None

    def ask(self, messages: Sequence[Message]) -> Request:
        """A greedy request for calls under the constraint. In style ``baked`` the tools shape the
        constraint only and stay out of the prompt."""
        said = list(messages)
        if self.system is not None:
            said.insert(0, Message(role="system", content=self.system))
        return Request(
            messages=said,
            tools=self.toolbox,
            style=self.style,
            constrained=True,
            max_tokens=self.max_tokens,
        )


@dataclass(frozen=True)
class Outcome:
    """The verdict on one sample. ``transcript`` has one entry a turn: prompt, answer, parsed calls,
    problem."""

    right: bool
    scores: dict[str, Any]
    reasons: list[str] = field(default_factory=list)
    transcript: list[JSON] = field(default_factory=list)


@dataclass(frozen=True)
class Figure:
    """One number of a task."""

    metric: str
    interval: Interval


Conversation = Generator[Request, Reply, Outcome]


class Task(Protocol):
    name: str
    """Unique among the tasks of one bench; the ``task`` of its rows."""
    spec: str
    """What ``open_task`` opens again in the worker process, where only ``solve`` is used."""
    paired_metric: str
    """The figure by which models are compared pair by pair."""

    def samples(self) -> list[Sample]:
        """Raises ``InputError`` where the task's file is at fault."""
        ...

    def solve(self, sample: Sample, setting: Setting) -> Conversation: ...

    def figures(self, outcomes: Sequence[JSON]) -> list[Figure]:
        """``outcomes`` are the ``scores`` of the samples, each with ``right`` added."""
        ...

    def counts_in_pair(self, scores: JSON) -> bool:
        """Whether this sample belongs to ``paired_metric``."""
        ...
