"""What a benchmark task is.

A task has samples, a way to have one sample answered, and figures over all the verdicts. Answering is a
*generator*: it yields a ``Request``, is sent the ``Reply``, and returns an ``Outcome``. So one task may ask
once and another may call tools and ask again, while the driver keeps all of the engine's slots busy across
samples.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, runtime_checkable

from lamina.bench.intervals import Interval, wilson
from lamina.bench.score_intervals import Span
from lamina.models.grammar import calls_grammar
from lamina.models.model import PromptStyle, Reply, Request
from lamina.models.parsing import NOTHING, STRICT, Reading, read_calls
from lamina.tools.tool import JSON, Toolbox
from lamina.trajectories.trajectory import Message, ToolCall


@dataclass(frozen=True)
class Sample:
    """``row`` is plain JSON: it crosses to the worker process and is part of the sample's identity."""

    id: str
    row: JSON


@dataclass(frozen=True)
class Setting:
    """Everything besides the sample that decides what the model is asked and how it is scored. ``system`` is
    an instruction put before the request (a prompt variant), ``executor`` runs the calls of a rollout, those of the
    tools in ``withheld`` left out, which may change things elsewhere."""

    toolbox: Toolbox
    style: PromptStyle
    system: str | None = None
    max_tokens: int = 256
    executor: Any = None
    withheld: frozenset[str] = frozenset()

    def ask(
        self, messages: Sequence[Message], *, tools: Toolbox | None = None, most_calls: int | None = None
    ) -> Request:
        """A greedy request for calls under the constraint. In style ``baked`` the tools shape the
        constraint only and stay out of the prompt. ``tools`` are the sample's own, where it brings some;
        ``most_calls`` is what the constraint allows in one answer (else what it allows everywhere)."""
        offered = self.toolbox if tools is None else tools
        said = list(messages)
        if self.system is not None:
            said.insert(0, Message(role="system", content=self.system))
        return Request(
            messages=said,
            tools=offered,
            style=self.style,
            grammar=calls_grammar(offered, most_calls) if most_calls else None,
            constrained=True,
            max_tokens=self.max_tokens,
        )


BROKEN = "broken"
"""The score of a sample whose scoring raised: it is ``unscored`` too, and asked again by the next command."""


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
    """One number of a task. ``span``: the least and the largest value that it can have, where these are not 0 and 1: it
    is no share then, and not shown as one."""

    metric: str
    interval: Interval
    span: Span | None = None


Conversation = Generator[Request, Reply, Outcome]
Call = tuple[str, JSON]
"""Name and arguments, as anybody wrote them."""


class Task(Protocol):
    name: str
    """Unique among the tasks of one bench; the ``task`` of its rows."""
    spec: str
    """What ``open_task`` opens again in the worker process, where only ``solve`` is used."""
    paired_metric: str
    """The figure by which models are compared pair by pair."""
    needs_tools: bool
    """Whether the user's file of functions is what its samples call; else each brings its own. A task with ``plays``
    (True) has samples of many turns, of which a worker has few open at a time."""

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


@runtime_checkable
class JudgesCalls(Protocol):
    """A task that can also judge calls that somebody else's program wrote (``lamina bench score``)."""

    def judge(self, sample: Sample, calls: Sequence[Any]) -> str | None:
        """What is wrong with ``[{"name", "arguments"}]`` for this sample, or None. What is no call at all is
        wrong, never an error."""
        ...


def read_call(row: Any) -> tuple[str, JSON] | None:
    """Name and arguments of ``{"name", "arguments"}``, the arguments an object or its JSON text (parsed as
    leaderboards do: integers of any size); None for anything else."""
    name, arguments = (row.get("name"), row.get("arguments", {})) if isinstance(row, dict) else (None, None)
    if isinstance(arguments, str):
        try:
            arguments = json.loads(arguments)
        except (ValueError, RecursionError):
            return None
    return (name, arguments) if isinstance(name, str) and isinstance(arguments, dict) else None


def read_answer(rows: Sequence[Any]) -> list[tuple[str, JSON]] | None:
    """All of the calls, or None where one of them is none."""
    read = [read_call(row) for row in rows]
    calls = [call for call in read if call is not None]
    return calls if len(calls) == len(read) else None


def not_answered(reply: Reply) -> bool:
    """Of a request for calls: an engine that refused the prompt, an endpoint that failed. A model that wrote nothing
    did answer."""
    return not reply.text and reply.problem not in (None, NOTHING)


def strict_outcome(request: Request, reply: Reply, judge: Callable[[list[Call] | None], str | None]) -> Outcome:
    """The outcome of a sample with one answer: its calls, read without any repair, go to ``judge``, also those that
    don't fit the tools' schemas; None stands for an answer that is no list of calls. A model that did not answer at
    all (an engine that refused the prompt, an endpoint that failed) is ``unscored``, which is not wrong."""
    if not_answered(reply):
        scores = {"unscored": True, "unreadable": False, "called": False}
        return Outcome(False, scores, [f"not answered: {reply.problem}"], [turn_record(request, reply, [])])
    reading = read_calls(reply.text, least=STRICT)
    calls = None if reading.problem else [(call.name, call.arguments) for call in reading.calls]
    problem = judge(calls)
    scores = {"unscored": False, "unreadable": calls is None, "called": bool(calls)}
    reasons = [said for said in (reading.problem, problem) if said]
    return Outcome(problem is None, scores, reasons, [turn_record(request, reply, [], reading)])


def accuracy_figures(outcomes: Sequence[JSON]) -> list[Figure]:
    """``accuracy`` and ``unreadable`` over the samples that were scored, ``unscored`` over all where there are some."""
    scored = [o for o in outcomes if not o["unscored"]]
    rates = [("accuracy", [o["right"] for o in scored]), ("unreadable", [o["unreadable"] for o in scored])]
    if len(scored) < len(outcomes):
        rates.append(("unscored", [o["unscored"] for o in outcomes]))
    return [Figure(name, i) for name, hits in rates if (i := wilson(sum(hits), len(hits)))]


def turn_record(request: Request, reply: Reply, expected: Sequence[ToolCall], reading: Reading | None = None) -> JSON:
    """What is stored of one turn, for people to read and to send it again: ``sent`` is the whole text as the model's
    own template renders it (of an endpoint the request's JSON), where the backend tells it; ``style``, ``constraint``
    and the numbers are what else decides the answer. The tools are in the sample's row, or the run's own, and a grammar
    of calls follows from them. ``reading``: what the task was scored by, where that is not the reply's own reading: its
    calls, and the problem, repairs and confidence that belong to them."""
    if reading is not None:
        problem = (reply.problem or reading.problem) if reading.problem else None
        sure = reading.confidence
        reply = replace(reply, calls=reading.calls, problem=problem, repairs=reading.repairs, confidence=sure)
    held = {"constraint": request.constraint, "grammar": None if request.tools is not None else request.grammar}
    said = {"prefix": request.prefix, "stop": list(request.stop), "temperature": request.temperature}
    return {
        "tools": [tool.name for tool in request.tools or ()],
        "style": request.style,
        "constrained": request.constrained,
        "max_tokens": request.max_tokens,
        "seed": request.seed,
        **{name: value for name, value in {**held, **said}.items() if value},
        **({"sent": reply.sent} if reply.sent is not None else {}),
        "messages": [json.loads(m.model_dump_json(exclude_none=True)) for m in request.messages],
        **({"prompt": request.raw_prompt} if request.raw_prompt is not None else {}),
        **({"images": [str(image) for image in request.images]} if request.images else {}),
        "answer": reply.text,
        **({"said": reply.said} if reply.said else {}),
        "calls": [plain_call(c) for c in reply.calls],
        "expected": [plain_call(c) for c in expected],
        "problem": reply.problem,
        **({"repairs": list(reply.repairs)} if reply.repairs else {}),
        **({"confidence": reply.confidence} if reply.confidence is not None else {}),
        "prompt_tokens": reply.prompt_tokens,
        "completion_tokens": reply.completion_tokens,
    }


def plain_call(call: ToolCall) -> JSON:
    return {"name": call.name, "arguments": call.arguments}
