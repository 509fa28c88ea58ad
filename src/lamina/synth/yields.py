"""What the rows of a synthesis are made of, and whether they are as many as were asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from lamina.errors import YieldError
from lamina.synth.settings import ATTEMPTS_PER_ROW
from lamina.synth.work import Work

EXAMPLES, VARIANTS, GRAMMAR = "your examples", "your examples with other values", "the grammar"
"""What rows are called that no model wrote; the others are called by their writer."""
MENDS = {
    "format": "name another --writer, which answers in one line",
    "execution": "see rejects.jsonl for what the functions refuse",
    "grounding": "give more examples beside the functions, or a larger --writer",
    "round trip": "see rejects.jsonl; give more examples beside the functions, or another --round-trip",
    "judge": "see rejects.jsonl; give a larger --writer, or another --judge",
    "novelty": "give more examples beside the functions, or ask for fewer --rows",
}
"""Of the stage that most of a writer's rows failed at."""


def check_yield(result: Mapping[str, Any], writer: str) -> None:
    """Raises YieldError where the model's part of a synthesis is nothing at all."""
    if not result["writers"].get(writer):
        raise YieldError(result["shortfall"])


def made_by(writer: str, *, variant: bool) -> str:
    """What a row of ``writer`` is called in the composition."""
    if writer == "examples":
        return VARIANTS if variant else EXAMPLES
    return GRAMMAR if writer == "grammar" else writer


def shortfall(work: Work, failures: Counter[tuple[str, str]]) -> str | None:
    """A sentence where fewer rows were written than asked for, or none by the model. The user's own examples are none
    of those asked for."""
    settings, by_model, composed = work.settings, work.by_model, work.verified["grammar"]
    attempts = work.targets - work.targets_of("grammar")
    if settings.wanted is None:
        if by_model:
            return None
        said = f"no row after {attempts} attempts by {settings.writer}"
    else:
        if by_model and by_model + composed >= settings.wanted:
            return None
        parts = f"{by_model} by {settings.writer}, {composed} by the grammar"
        said = f"{by_model + composed} of the {settings.wanted} rows asked for ({parts}) after {attempts} attempts"
        if attempts >= settings.attempts:
            said += f", the limit of {ATTEMPTS_PER_ROW} a row"
    if not failures:
        return said
    (stage, reason), count = failures.most_common(1)[0]
    return f"{said}; most failed at {stage} ({reason}, {count}): {MENDS.get(stage, 'see rejects.jsonl')}"
