"""Step-wise judge: of a record of several steps, a model is shown each step that calls with everything before it, and
says whether the step follows from that (xLAM, arXiv 2409.03215 section 4: argument hallucination, which string match
cannot settle). The first step that fails fails the record."""

from __future__ import annotations

import json
from collections.abc import Sequence

from lamina.checks.agreement import Agreement, agreement_of, labelled_rows
from lamina.checks.judge import STAGE, voted
from lamina.checks.rule import Rejection
from lamina.models import Model
from lamina.tools import Toolbox
from lamina.trajectories import Check, Message, Trajectory

TASK = (
    "You check the next step of an assistant that calls functions in a dialogue. A value must come from what the user "
    "said or from an earlier result."
)
MOST_BEFORE = 12
"""Messages before the step that the judge reads; the first one, which has the request, always."""
LONGEST = 300
"""Characters of a message or a result that it reads."""


def has_steps(record: Trajectory) -> bool:
    """Whether the question about one request and its calls does not fit: several requests, or several calling turns."""
    return sum(m.role == "user" for m in record.messages) > 1 or sum(bool(m.tool_calls) for m in record.messages) > 1


def measure_step_agreement(model: Model) -> Agreement:
    """Has the model judge 30 labelled steps, half of them wrong."""
    rows = labelled_rows("steps")
    questions = [_question(row, len(row.messages) - 1, row.toolbox()) for row in rows]
    said = voted(questions, model, 1, task=TASK)
    return agreement_of(model.ref, rows, [_passed(one) for one in said])


def _passed(verdict: Check | Rejection) -> bool | None:
    if isinstance(verdict, Check):
        return True
    return False if verdict.reason.value == "judged-wrong" else None


def judge_steps(
    records: Sequence[Trajectory], model: Model, toolboxes: Sequence[Toolbox], *, votes: int = 1
) -> list[Check | Rejection]:
    """One verdict a record, in order. A record without any call has no step to judge and passes as ``unjudged``."""
    asked = [
        (number, place)
        for number, record in enumerate(records)
        for place, message in enumerate(record.messages)
        if message.role == "assistant" and message.tool_calls
    ]
    questions = [_question(records[number], place, toolboxes[number]) for number, place in asked]
    found: list[Check | Rejection] = [Check(name=STAGE, verdict="unjudged", detail="no step calls") for _ in records]
    steps = [0] * len(records)
    for (number, place), verdict in zip(asked, voted(questions, model, votes, task=TASK), strict=True):
        if isinstance(found[number], Rejection):
            continue
        steps[number] += 1
        if isinstance(verdict, Rejection):
            found[number] = Rejection(verdict.stage, verdict.reason, f"message {place}: {verdict.detail}")
        else:
            found[number] = Check(name=STAGE, detail=f"{steps[number]} steps pass; the last: {verdict.detail}")
    return found


def _question(record: Trajectory, place: int, toolbox: Toolbox) -> str:
    step = record.messages[place]
    named = {call.name for call in step.tool_calls or []}
    listed = "\n".join(f"- {t.name}({', '.join(t.properties)}): {t.description}" for t in toolbox if t.name in named)
    before = [m for m in record.messages[:place] if m.role != "system"]
    cut = before if len(before) <= MOST_BEFORE else [before[0], *before[-MOST_BEFORE + 1 :]]
    return (
        f"Functions:\n{listed}\n\nThe dialogue so far:\n{chr(10).join(map(said, cut))}\n\n"
        f"The next step:\n{said(step)}\n\nIs this step right, each of its values said or returned before?"
    )


def said(message: Message) -> str:
    """A message as a judge reads it, on lines of its own."""
    calls = [f"{c.name}({json.dumps(c.arguments, ensure_ascii=False)})" for c in message.tool_calls or []]
    text = message.content.strip()[:LONGEST]
    if message.role == "tool":
        return f"Result: {text}"
    who = "User" if message.role == "user" else "Assistant"
    return "\n".join([*([f"{who}: {text}"] if text else []), *(f"{who} calls {call}" for call in calls)])
