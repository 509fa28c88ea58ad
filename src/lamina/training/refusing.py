"""Rows that a training left out: said in words, and as rejects with a reason code."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from lamina.checks.reasons import Reason
from lamina.tools.tool import JSON
from lamina.training.rows import TrainingData
from lamina.trajectories import Reject

SHOWN = 3
_CODES = (
    ("longer than max_length", Reason.TOO_LONG),
    ("not among its tools", Reason.UNKNOWN_FUNCTION),
    ("no assistant turn", Reason.NO_ANSWER),
    ("no answer to compare", Reason.NO_ANSWER),
)


def refusals_in_words(refused: Sequence[JSON]) -> str:
    """``3 (calls fly, which is not among its tools: 2; …)``, the most frequent reasons first; without their lengths,
    rows that are too long have one reason."""
    reasons = Counter(re.sub(r"^\d+ tokens, ", "", one["reason"]) for one in refused)
    told = [reason if len(reasons) == 1 else f"{reason}: {count:,}" for reason, count in reasons.most_common(SHOWN)]
    return f"{len(refused):,} ({'; '.join([*told, *(['…'] if len(reasons) > SHOWN else [])])})"


def nothing_left(refused: Sequence[JSON]) -> str:
    """Why there is nothing to train on."""
    return f"nothing to train on: {'rows refused: ' + refusals_in_words(refused) if refused else 'there are no rows'}"


def as_rejects(refused: Sequence[JSON], found: TrainingData) -> Iterator[Reject]:
    """Each refusal with its row."""
    rows = {row.id: row for row in [*found.held, *found.train]}
    for one in refused:
        code = next((code for said, code in _CODES if said in one["reason"]), Reason.FILTERED)
        record = rows[one["id"]].model_dump(exclude_none=True) if one["id"] in rows else None
        yield Reject(id=one["id"], stage="train", reason=code, detail=one["reason"], record=record)
