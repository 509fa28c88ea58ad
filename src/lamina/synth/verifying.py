"""From a candidate to a trajectory or a reject: the checks that need no model, real execution, the record."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from itertools import islice
from typing import Any

from lamina.checks import (
    Candidate,
    Rejection,
)
from lamina.checks.counting import OPEN_STYLES
from lamina.checks.evidence import evidence_in, evidence_of
from lamina.checks.grounding import missing_values
from lamina.synth.chatter import with_chatter
from lamina.tools import Toolbox
from lamina.tools.execution import Executor
from lamina.trajectories import Message, Meta, Reject, ToolCall, Trajectory, content_id

NOISE_SHARE = 0.25
"""Rows whose request is typed carelessly: lower case, no final mark, no apostrophe, a slip (our choice)."""
CHATTER_SHARE = 0.3
"""Rows with something said before or after the request (our choice)."""
ENDED_SHARE = 0.15
"""Rows that go on to the end: results, then an assistant turn without calls, so that a model learns to stop."""


def execute(candidates: Sequence[Candidate], executor: Executor) -> None:
    """Runs the calls of candidates that have not been run, each one's in one session; those that don't fit the schema
    are left alone."""
    waiting = [c for c in candidates if c.calls and not c.results]
    ran = executor.run_many([[(k.name, k.arguments) for k in c.calls] for c in waiting], [c.now for c in waiting])
    for candidate, results in zip(waiting, ran, strict=True):
        left = iter(results)
        by_turn = [list(islice(left, len(turn))) for turn in candidate.turns]
        candidate.results = [found for found in by_turn if found]


def noisy(candidate: Candidate, rng: random.Random, toolbox: Toolbox) -> str:
    """The request as it will stand in the record: sometimes with chatter around it, sometimes typed carelessly, its
    values always whole. Examples that a person wrote stay as they are."""
    text = candidate.request
    if candidate.script or (candidate.writer == "examples" and not candidate.augmented):
        return text
    first = candidate.turns[0] if candidate.turns else []
    if rng.random() < CHATTER_SHARE:
        text = with_chatter(text, first, toolbox, rng, candidate.now)
    if rng.random() > NOISE_SHARE:
        return text
    said, roll = text, rng.random()
    if roll < 0.45:
        text = text.lower()
    if roll < 0.75:
        text = text.rstrip(".!?")
    if roll > 0.35:
        text = re.sub(r"\b(what|where|who|how|that|let|don|can|i)'(s|t|m|d|ll)\b", r"\1\2", text, flags=re.IGNORECASE)
    if roll > 0.8:
        text = _slip(text, candidate, rng)
    return said if missing_values(text, first, toolbox, candidate.now) else text


def _slip(text: str, candidate: Candidate, rng: random.Random) -> str:
    """Two letters swapped or one lost in a longer word that is not part of a value."""
    values = str([c.arguments for c in candidate.calls]).casefold()
    words = [m for m in re.finditer(r"[a-z]{5,}", text) if m.group() not in values]
    if not words:
        return text
    word = rng.choice(words)
    at = word.start() + rng.randrange(1, len(word.group()) - 2)
    if rng.random() < 0.5:
        return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    return text[:at] + text[at + 1 :]


def trajectory_of(candidate: Candidate, offered: Toolbox, sandbox: str, request: str, rng: random.Random) -> Trajectory:
    """``offered``: the tools of the record."""
    messages = _messages(candidate, offered, request)
    if candidate.calls and rng.random() < ENDED_SHARE:
        messages.append(Message(role="assistant"))
    extra: dict[str, Any] = {"template": candidate.template, "clean": candidate.request}
    if candidate.group and candidate.group != (candidate.template or candidate.request):
        extra["frame"] = candidate.group  # of the user's examples, which count by their own words for novelty
    if cut := _truncated(candidate):
        extra["truncated"] = cut
    if candidate.augmented:
        extra["augmented"] = candidate.augmented
    if candidate.wording:
        extra["wording"] = candidate.wording
    if candidate.style in OPEN_STYLES:
        extra["expected_calls"] = candidate.expected_calls or len(candidate.turns[0])
    meta = Meta(
        source="synth", style=candidate.style, license="", writer=candidate.writer, seed=candidate.seed,
        now=candidate.now, sandbox=sandbox, group=candidate.group, checks=candidate.notes, **extra,
    )  # fmt: skip
    calls_json = [[c.name, c.arguments] for c in candidate.calls]
    return Trajectory(
        id=content_id("synth", candidate.request.casefold(), calls_json), tools=offered.as_openai(),
        messages=messages, meta=meta,
    )  # fmt: skip


def _truncated(candidate: Candidate) -> list[int]:
    """Numbers of the results that were longer than a result may be."""
    return [number for number, result in enumerate(r for turn in candidate.results for r in turn) if result.truncated]


def _messages(candidate: Candidate, toolbox: Toolbox, request: str) -> list[Message]:
    messages = []
    for message in candidate.conversation(request):
        calls = [_in_schema_order(c, toolbox) for c in message.tool_calls or []]
        messages.append(message.model_copy(update={"tool_calls": calls}) if calls else message)
    return messages


def reject_of(candidate: Candidate, toolbox: Toolbox, rejection: Rejection) -> Reject:
    calls = [{"name": c.name, "arguments": c.arguments} for c in candidate.calls]
    record = {"request": candidate.request, "calls": calls, "style": candidate.style, "writer": candidate.writer,
              **({"wording": candidate.wording} if candidate.wording else {}),
              **({"expected_calls": candidate.expected_calls} if candidate.expected_calls else {}),
              **({"answer": candidate.answer} if candidate.answer else {}),
              **({"template": candidate.template} if candidate.template else {}),
              **({"script": [m.content for m in candidate.script if m.content]} if candidate.script else {}),
              **({"evidence": _evidence(candidate, toolbox)} if rejection.stage == "grounding" else {}),
              **({"truncated": cut} if (cut := _truncated(candidate)) else {}),
              "seed": candidate.seed, "results": [r.text for turn in candidate.results for r in turn]}  # fmt: skip
    key = content_id("reject", candidate.request, calls, rejection.stage, candidate.seed)
    return Reject(
        id=key, stage=rejection.stage, reason=rejection.reason.value, detail=rejection.detail, record=record,
        raw=candidate.raw,
    )  # fmt: skip


def _evidence(candidate: Candidate, toolbox: Toolbox) -> list[dict[str, Any]]:
    first = candidate.turns[0] if candidate.turns else []
    told = (
        evidence_in(candidate.script, toolbox, candidate.now) if candidate.script
        else evidence_of(candidate.request, first, toolbox, candidate.now)
    )  # fmt: skip
    return [e.model_dump(exclude_none=True) for e in told]


def _in_schema_order(call: ToolCall, toolbox: Toolbox) -> ToolCall:
    """Arguments in the order of the schema: constrained decoding writes them so."""
    tool = toolbox.get(call.name)
    if tool is None:
        return call
    known = [n for n in tool.properties if n in call.arguments]
    return ToolCall.of(call.name, {n: call.arguments[n] for n in known}, id=call.id)
