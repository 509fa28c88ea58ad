"""Step-wise judge: of a record of several steps, a model is shown each step that calls with everything before it, and
says whether the step follows from that (xLAM, arXiv 2409.03215 section 4: argument hallucination, which string match
cannot settle). The first step that fails fails the record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from lamina.checks.agreement import Agreement, agreement_of, labelled_rows
from lamina.checks.dialogue import dialogue, said, setting
from lamina.checks.judge import Opinion, voted
from lamina.models import Model
from lamina.tools import Toolbox
from lamina.trajectories import Trajectory

TASK = (
    "You check the next step of an assistant that calls functions in a dialogue. A value must come from what the user "
    "said or from an earlier result."
)
MOST_BEFORE = 12
"""Messages before the step that the judge reads; the first one, which has the request, always."""


def has_steps(record: Trajectory) -> bool:
    """Whether the question about one request and its calls does not fit: several requests, or several calling turns."""
    return sum(m.role == "user" for m in record.messages) > 1 or sum(bool(m.tool_calls) for m in record.messages) > 1


def measure_step_agreement(model: Model) -> Agreement:
    """Has the model judge 30 labelled steps, half of them wrong."""
    rows = labelled_rows("steps")
    questions = [_question(row, len(row.messages) - 1, row.toolbox()) for row in rows]
    return agreement_of(model.ref, rows, [one.passed for one in voted(questions, model, 1, task=TASK)])


def judge_steps(
    records: Sequence[Trajectory],
    model: Model,
    toolboxes: Sequence[Toolbox],
    *,
    votes: int = 1,
    needed: int | None = None,
) -> list[Opinion | None]:
    """An opinion a record, in order; None of one without any call, which has no step to judge."""
    asked = [
        (number, place)
        for number, record in enumerate(records)
        for place, message in enumerate(record.messages)
        if message.role == "assistant" and message.tool_calls
    ]
    questions = [_question(records[number], place, toolboxes[number]) for number, place in asked]
    found: list[Opinion | None] = [None] * len(records)
    steps = [0] * len(records)
    for (number, place), opinion in zip(asked, voted(questions, model, votes, needed, task=TASK), strict=True):
        before = found[number]
        if before is not None and not before.passed:
            continue
        steps[number] += 1
        where = f"{steps[number]} steps pass; the last: " if opinion.passed else f"message {place}: "
        found[number] = replace(opinion, where=where)
    return found


def _question(record: Trajectory, place: int, toolbox: Toolbox) -> str:
    step = record.messages[place]
    before = [m for m in record.messages[:place] if m.role != "system"]
    cut = before if len(before) <= MOST_BEFORE else [before[0], *before[-MOST_BEFORE + 1 :]]
    return (
        f"{setting(toolbox, record.meta.now)}The dialogue so far:\n{dialogue(cut)}\n\n"
        f"The next step:\n{said(step)}\n\nIs this step right, each of its values said or returned before?"
    )
