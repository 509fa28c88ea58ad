"""What tasks whose answers a judge reads have in common. Not a task itself.

A judge is any model. It is held to a JSON object, so it either gives a verdict or none; a verdict that cannot be read
is never replaced by a default."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from lamina.tools.tool import JSON
from lamina.tools.validators import validator_for

LONGEST_REASON = 240
_REASON = {"type": "string", "maxLength": LONGEST_REASON}


def _object(name: str, value: JSON) -> JSON:
    return {
        "type": "object",
        "properties": {"reason": _REASON, name: value},
        "required": ["reason", name],
        "additionalProperties": False,
    }


RATINGS = range(1, 11)
RATING: JSON = _object("score", {"enum": list(RATINGS)})
"""``{"reason", "score"}``, 1 to 10: the reason first, so that it is thought of before the score."""
REFUSAL: JSON = _object("refuses", {"type": "boolean"})

Verdict = JSON
Scores = Mapping[str, bool | float | str]
"""What one answer scored, by metric; a bool is a rate with Wilson's interval, a float a mean; a text is kept and no
figure."""


@dataclass(frozen=True)
class Question:
    """One thing that a judge is asked. ``schema``: what its whole answer satisfies."""

    system: str
    prompt: str
    schema: JSON


@dataclass(frozen=True)
class Judging:
    """``ask(record)``: the questions on one answered sample (its stored record: ``row``, ``transcript``, ``scores``).
    ``score(record, verdicts)``: what the verdicts, all of them readable, add to the scores. ``needed``: the task has no
    other score, so a sample without a readable verdict is unscored."""

    needed: bool
    ask: Callable[[JSON], Sequence[Question]]
    score: Callable[[JSON, Sequence[Verdict]], Scores]


def read_verdict(text: str, schema: JSON) -> Verdict | None:
    """None for what is no verdict: half an object, a score out of range, other keys."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or not _validator(json.dumps(schema)).is_valid(found):
        return None
    return found


@cache
def _validator(schema: str) -> Any:
    return validator_for(json.loads(schema))


def answered(record: JSON) -> bool:
    """Whether the model answered every turn; an engine that refused the prompt leaves nothing to judge."""
    turns = record["transcript"]
    return bool(turns) and not any(not turn["answer"] and turn["problem"] is not None for turn in turns)
