"""Rating: a model gives the thoughts of a record one to five (xLAM, arXiv 2409.03215 section 4: low-quality reasoning,
"heuristics, then a model's rating"). The heuristics are ``reasoning``; what they let pass is rated here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lamina.checks.agreement import Agreement, agreement_of, labelled_rows
from lamina.checks.answers import answer_in, kept
from lamina.checks.dialogue import LONGEST as LONGEST_SAID
from lamina.checks.dialogue import said
from lamina.checks.reasons import Reason
from lamina.checks.rule import Rejection
from lamina.models import Model, Request
from lamina.trajectories import Check, Message, Trajectory

STAGE = "rating"
MOST = 5
LEAST = 3
"""What passes, of one to five (our choice)."""
SYSTEM = (
    "You rate the thoughts of an assistant before it calls a function. 5: the thought follows from the dialogue and "
    "leads to the call. 3: true, but says little. 1: it is off the topic, contradicts the dialogue or itself, makes "
    "something up, or says nothing. Answer with JSON: a short reason, then the rating."
)
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"reason": {"type": "string", "maxLength": 160}, "rating": {"enum": [1, 2, 3, 4, 5]}},
    "required": ["reason", "rating"],
    "additionalProperties": False,
}
LONGEST = 3000
"""Characters of a dialogue that are rated, from its end."""


def has_thoughts(record: Trajectory) -> bool:
    return any(_thought(message) for message in record.messages)


def measure_rating_agreement(model: Model, least: int = LEAST) -> Agreement:
    """Has the model rate 30 labelled thoughts, half of them poor; ``least`` decides what it lets pass."""
    rows = labelled_rows("thoughts")
    return agreement_of(model.ref, rows, [None if one is None else one[0] >= least for one in _rated(rows, model)])


def rate_records(records: Sequence[Trajectory], model: Model, *, least: int = LEAST) -> list[Check | Rejection]:
    """One verdict a record, in order; a record without thoughts has nothing to rate and is ``unjudged``. An answer that
    is no rating is a rejection of its own, never a pass."""
    asked = [number for number, record in enumerate(records) if has_thoughts(record)]
    found: list[Check | Rejection] = [Check(name=STAGE, verdict="unjudged", detail="no thoughts") for _ in records]
    for number, rated in zip(asked, _rated([records[n] for n in asked], model), strict=True):
        if rated is None:
            found[number] = Rejection(STAGE, Reason.JUDGEMENT_UNREADABLE, "the answer is not a rating")
            continue
        rating, why = rated
        if rating < least:
            found[number] = Rejection(STAGE, Reason.POOR_REASONING, f"rated {rating} of {MOST}: {why}")
        else:
            found[number] = Check(name=STAGE, detail=f"{rating} of {MOST}: {why}")
    return found


def _rated(records: Sequence[Trajectory], model: Model) -> list[tuple[int, str] | None]:
    if not records:
        return []
    requests = [
        Request(
            messages=[Message(role="system", content=SYSTEM), Message(role="user", content=_question(record))],
            constraint=SCHEMA,
            max_tokens=120,
        )
        for record in records
    ]
    return [_read(reply.text) for reply in model.generate(requests)]


def _read(text: str) -> tuple[int, str] | None:
    answer = answer_in(text, ("reason", "rating"))
    rating = answer["rating"] if answer is not None else None
    if answer is None or not isinstance(rating, int) or isinstance(rating, bool) or not 1 <= rating <= MOST:
        return None
    return rating, kept(str(answer["reason"]), LONGEST_SAID)


def _question(record: Trajectory) -> str:
    lines = []
    for message in record.messages:
        if message.role == "system":
            continue
        thought = _thought(message)
        bare = message.model_copy(update={"content": ""}) if thought else message
        lines += ([f"Assistant thinks: {thought}"] if thought else []) + [said(bare)]
    return f"{chr(10).join(lines)[-LONGEST:]}\n\nHow good is what the assistant thinks?"


def _thought(message: Message) -> str:
    """What stands before a call, or in a field of its own."""
    if message.role != "assistant":
        return ""
    own = getattr(message, "reasoning_content", None)
    beside = message.content if message.tool_calls else ""
    return str(own or beside or "").strip()
