"""The agent loop: ask, call, show the model what came back, until it has nothing more to call.

Every budget ends the loop in its own named way, nothing is executed twice because a model repeats itself, and
what happened is a ``Trajectory`` like any other.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from lamina.agents.principles import Principles
from lamina.agents.prompting import Manner, read_turn, request_of
from lamina.models.model import Model, Reply, Request
from lamina.tools.tool import JSON, Toolbox
from lamina.trajectories.trajectory import Message, Meta, ToolCall, Trajectory, content_id

if TYPE_CHECKING:
    from lamina.tools.execution import CallResult, Executor

Ending = Literal["done", "refused", "unreadable", "repeated", "turns", "tokens", "time"]

ENDINGS: dict[Ending, str] = {
    "done": "done",
    "refused": "none of my functions can do that",
    "unreadable": "the model's answer could not be read as calls",
    "repeated": "done; the model asked for the same calls again, which were not run twice",
    "turns": "stopped: the turns of the budget are used up",
    "tokens": "stopped: the tokens of the budget are used up",
    "time": "stopped: the time of the budget is used up",
}
"""What each ending means, as a person is told."""


@dataclass(frozen=True)
class Budget:
    """``turns`` counts answers of the model, ``seconds`` is wall time over all of them, ``max_tokens`` the most of one
    answer, ``tokens`` the most of all requests and answers together (None: as many as it takes)."""

    turns: int = 4
    seconds: float = 60.0
    max_tokens: int = 256
    tokens: int | None = None


@dataclass(frozen=True)
class Acted:
    """``trajectory`` holds every message; ``seconds`` is the wall time from request to ending."""

    trajectory: Trajectory
    ending: Ending
    failed: int
    seconds: float
    problem: str = ""
    """What is wrong with an answer that could not be read."""
    words: str = ""
    """What a model that was taught to speak said at the end."""

    @property
    def said(self) -> str:
        """For a person: the model's own words where it ended with some, else what the ending means."""
        if self.words:
            return self.words
        problem = " ".join(self.problem.split())
        return ENDINGS[self.ending] + (f": {problem}" if problem else "")


Step = Callable[[ToolCall, "CallResult"], None]
Asked = Callable[[Request, Reply], None]


def act(
    request: str,
    model: Model,
    toolbox: Toolbox,
    executor: Executor,
    *,
    manner: Manner | None = None,
    principles: Principles | None = None,
    now: datetime | None = None,
    scratch: Path | None = None,
    budget: Budget | None = None,
    on_step: Step | None = None,
    on_reply: Asked | None = None,
) -> Acted:
    """Answers ``request`` with calls to ``toolbox``, run by ``executor`` with ``scratch`` as their working folder
    (kept, so that a reminder set today is there tomorrow); the calls of one answer share a session (``run_turn``).
    ``on_step`` is told of each call and its result, ``on_reply`` of each request to the model and its answer.
    ``principles`` are shown where the ``manner`` is ``pract``."""
    budget, principles = budget or Budget(), principles or Principles()
    manner = replace(manner or Manner(style="baked"), max_tokens=budget.max_tokens)
    clock = (now or datetime.now()).replace(microsecond=0).isoformat()
    started = time.monotonic()
    messages = [Message(role="user", content=request)]
    ending: Ending = "turns"
    seen: set[str] = set()
    failed = tokens = 0
    problem = words = ""
    for _ in range(budget.turns):
        if time.monotonic() - started > budget.seconds:
            ending = "time"
            break
        if budget.tokens is not None and tokens >= budget.tokens:
            ending = "tokens"
            break
        asked = request_of(manner, toolbox, messages, principles)
        reply = model.generate([asked])[0]
        if on_reply:
            on_reply(asked, reply)
        tokens += reply.prompt_tokens + reply.completion_tokens
        turn = read_turn(manner, reply, toolbox)
        if turn.problem:
            messages.append(Message(role="assistant", content=reply.text))
            ending, problem = "unreadable", turn.problem
            break
        key = content_id([[c.name, c.arguments] for c in turn.calls])
        if not turn.calls or key in seen:
            messages.append(Message(role="assistant", content=turn.thought))
            ending = "repeated" if turn.calls else "done" if seen else "refused"
            words = "" if turn.calls else reply.said
            break
        seen.add(key)
        calls = numbered(turn.calls, turn=len(seen))
        messages.append(Message(role="assistant", content=turn.thought, tool_calls=calls))
        for call, result in zip(calls, run_turn(calls, executor, clock, scratch), strict=True):
            failed += result.status != "ok"
            messages.append(Message(role="tool", name=call.name, content=result.text, tool_call_id=call.id))
            if on_step:
                on_step(call, result)
    meta = Meta(source="act", style=manner.style, writer=model.ref, now=clock, sandbox=executor.level)
    more: JSON = {"ending": ending, "method": manner.method, "tokens": tokens, "failed": failed}
    if principles and manner.method == "pract":
        more["principles"] = principles.version
    meta = meta.model_copy(update=more)
    shown = [m.model_dump(exclude_none=True) for m in messages]
    identity = content_id(request, clock, shown, *([more["principles"]] if "principles" in more else []))
    trajectory = Trajectory(id=identity, tools=toolbox.as_openai(), messages=messages, meta=meta)
    return Acted(trajectory, ending, failed, time.monotonic() - started, problem, words)


def run_turn(calls: Sequence[ToolCall], executor: Executor, now: str, scratch: Path | None) -> list[CallResult]:
    """A result for each call of one answer. They run in one session, so that a later one finds what the earlier ones
    changed, in memory too; after one that failed the rest have a session of their own. None runs twice, so after one
    that was killed none of the rest runs at all: with its supervisor lost nobody knows which of them had begun."""
    results: list[CallResult] = []
    while left := calls[len(results) :]:
        if results and results[-1].status == "killed":
            return results + [_not_run(call, results[-1]) for call in left]
        results += executor.run_sequence([(c.name, c.arguments) for c in left], now=now, scratch=scratch)
    return results


def _not_run(call: ToolCall, killed: CallResult) -> CallResult:
    from lamina.tools.execution.results import failed

    return failed("killed", f"{call.name} was not run, as the call before it was killed ({killed.error})")


def numbered(calls: list[ToolCall], turn: int) -> list[ToolCall]:
    """Calls get ids only where there is more than one, as the record asks."""
    if len(calls) < 2:
        return calls
    return [c.model_copy(update={"id": f"call_{turn}_{i}"}) for i, c in enumerate(calls, 1)]
