"""Augmentation: verified requests said again with other values.

A small model that sees one request several times learns it by heart; one that sees the same sentence with other
values learns to copy values (measured: docs/results/first-build.md). Every variant is a call of its own: drawn,
really run, and checked like the row it comes from, whose writer it keeps (our choice; xLAM augments formats instead,
arXiv 2409.03215 section 4)."""

from __future__ import annotations

import random

from lamina.checks import Candidate
from lamina.synth.grammar import Words
from lamina.synth.wording import locate, spoken_slots
from lamina.trajectories import ToolCall, Trajectory

AUGMENTED = "values"
"""``meta.augmented`` of a variant."""


def is_variant(row: Trajectory) -> bool:
    return bool((row.meta.model_extra or {}).get("augmented"))


def with_other_values(row: Trajectory, words: Words, rng: random.Random) -> Candidate | None:
    """The sentence of a row with one call, for another call of the same shape; None where a value is not to be
    found in the sentence, or none of the drawn calls has this shape."""
    if row.meta.style != "simple" or len(row.calls) != 1:
        return None
    call = row.calls[0]
    clean = (row.meta.model_extra or {}).get("clean") or row.request
    exemplar = locate(words.toolbox[call.name], clean, call.arguments)
    if exemplar is None or not exemplar.slots or (drawn := words.drawn_like(exemplar, rng)) is None:
        return None
    request = exemplar.filled(spoken_slots(drawn.tool, drawn.arguments, rng))
    made = Candidate(
        request=request, turns=[[ToolCall.of(call.name, drawn.arguments)]], style="simple", writer=row.meta.writer,
        seed=rng.randrange(1 << 31), now=words.now, results=[[drawn.result]], augmented=AUGMENTED,
    )  # fmt: skip
    made.template = made.group = f"{call.name}: {exemplar.frame}"
    return made
