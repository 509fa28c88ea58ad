"""From a candidate to a trajectory or a reject: the checks that need no model, real execution, the record."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Sequence
from itertools import islice
from typing import Any

from lamina.checks import (
    Candidate,
    Reason,
    Rejection,
    check_asking,
    check_execution,
    check_format,
    check_grounding,
    check_request,
    check_style,
)
from lamina.checks.counting import OPEN_STYLES, check_count
from lamina.checks.evidence import evidence_in, evidence_of, numbers_in, plain
from lamina.checks.grounding import missing_values
from lamina.synth.chatter import with_chatter
from lamina.synth.conversing import check_conversation
from lamina.synth.refusing import check_refusal
from lamina.synth.writers import Assignment
from lamina.tools import Toolbox
from lamina.tools.execution import Executor
from lamina.trajectories import Check, Message, Meta, Reject, ToolCall, Trajectory, content_id

NOISE_SHARE = 0.25
"""Rows whose request is typed carelessly: lower case, no final mark, no apostrophe, a slip (our choice)."""
CHATTER_SHARE = 0.3
"""Rows with something said before or after the request (our choice)."""
HAND_MADE = ("examples", "grammar")
"""Writers that are no model."""
_SHARED = re.compile(r"\b(?:both|each|all|every|same)\b", re.IGNORECASE)
ENDED_SHARE = 0.15
"""Rows that go on to the end: results, then an assistant turn without calls, so that a model learns to stop."""


def check_alone(
    candidate: Candidate, toolbox: Toolbox, assignment: Assignment | None = None, grounded: bool = True
) -> Rejection | None:
    """Format, execution, grounding: everything that one row can be asked without a model."""
    absent = assignment is not None and assignment.absent
    offered = candidate.offered if candidate.offered and not absent else toolbox
    found = check_format(candidate, offered) or _check_style(candidate, toolbox, absent)
    found = found or check_execution(candidate, toolbox)
    if found is None and candidate.writer not in HAND_MADE:
        found = _check_marks(candidate) or check_asking(candidate, toolbox)
    if found or not grounded:
        return found
    if assignment is not None and candidate.script:
        return check_conversation(candidate, toolbox, assignment) or _check_leak(candidate, assignment)
    if assignment is not None and not candidate.calls:
        return check_refusal(candidate, toolbox, assignment) or _check_leak(candidate, assignment)
    if candidate.writer != "grammar" or candidate.style != "dependent":
        found = check_grounding(candidate, toolbox) or check_request(candidate, toolbox)
    if found is None and assignment is not None:
        found = _check_leak(candidate, assignment) or _check_roles(candidate) or _check_each_said(candidate)
    if found is None:
        first = candidate.turns[0] if candidate.turns else []
        said = evidence_of(candidate.request, first, toolbox, candidate.now) or None
        candidate.notes += [Check(name="format"), Check(name="execution"), Check(name="grounding", evidence=said)]
    return found


def _check_style(candidate: Candidate, toolbox: Toolbox, absent: bool) -> Rejection | None:
    """People may want one thing twice ("toss a coin, twice"), and grammars join what is at hand: of their rows only the
    number is asked. ``absent``: the call is there to check the request with, and goes."""
    style = "simple" if absent else candidate.style
    if candidate.writer in HAND_MADE:
        return check_count(style, candidate.turns)
    return check_style(style, candidate.turns, toolbox, candidate.now, candidate.expected_calls)


def _check_marks(candidate: Candidate) -> Rejection | None:
    """Marks of the prompt: half of a pair of brackets or quotes, a slash between two calls, an argument's name with a
    colon."""
    names = {name.replace("_", " ") for call in candidate.calls for name in call.arguments}
    for text in [candidate.request, *(m.content or "" for m in candidate.script)]:
        labels = [name for name in names if f" {name}: " in f" {text.casefold()}"]
        if text.count("[") != text.count("]") or text.count('"') % 2 or " / " in text or labels:
            return Rejection("grounding", Reason.REQUEST_SAYS_MORE, f"has marks of the writer's prompt: {text[:80]!r}")
    return None


def _check_each_said(candidate: Candidate) -> Rejection | None:
    """Of several calls each needs its own number: one said once is not said for two, unless all calls of a tool agree
    in that argument ("5, 6 and 7 miles in km") or the request says so ("red and green are both 255"). Numbers that are
    said in another form are not counted."""
    if _SHARED.search(candidate.request):
        return None
    calls = candidate.turns[0] if candidate.turns else []
    values = [(c.name, path, v) for c in calls for path, v in c.arguments.items() if type(v) in (int, float)]
    per_tool = Counter(c.name for c in calls)
    alike = Counter(values)
    wanted = Counter(v for (name, _, v), n in alike.items() for _ in range(1 if n == per_tool[name] else n))
    said = Counter(numbers_in(plain(candidate.request)))
    for value, times in wanted.items():
        if 0 < said[value] < times:
            told = f"{value:g} is said {said[value]} times for {times} arguments"
            return Rejection("grounding", Reason.VALUE_NOT_IN_REQUEST, told)
    return None


def _check_leak(candidate: Candidate, assignment: Assignment) -> Rejection | None:
    """A small writer copies more from its examples than their wording: their values, too."""
    text, values = f" {candidate.request.casefold()} ", str([c.arguments for c in candidate.calls]).casefold()
    for form in assignment.shown:
        plain = form.casefold()
        if len(plain) > 3 and plain not in values and re.search(rf"(?<!\w){re.escape(plain)}(?!\w)", text):
            detail = f"{form!r} is a value of an example, not of this call"
            return Rejection("grounding", Reason.REQUEST_SAYS_MORE, detail)
    return None


_SWAPPED = re.compile(
    r"\b(?:to|into|in|how many|how much) (?:\w+ )?\{(?:from_\w+|source\w*|origin\w*)\}"
    r"|\bfrom (?:\w+ )?\{(?:to_\w+|target\w*|destination\w*)\}"
)


def _check_roles(candidate: Candidate) -> Rejection | None:
    """Arguments that say by their names where something comes from and where it goes, put the other way round in
    the request: "40 feet to meters" for a call from meters to feet."""
    if _SWAPPED.search(candidate.template):
        return Rejection("grounding", Reason.SWAPPED_ROLES, f"source and target are swapped: {candidate.template}")
    return None


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
        text = with_chatter(text, first, toolbox, rng)
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
