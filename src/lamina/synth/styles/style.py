"""What a style of rows is: how rows of it are asked for, and what becomes of the answers."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lamina.checks import Candidate
from lamina.synth.writers import Assignment, Materials, candidate_of

Read = Callable[[Assignment, Sequence[str], Materials], list[Candidate]]


def one_row(read: Callable[[Assignment, Sequence[str], Materials], Candidate]) -> Read:
    """For assignments of a single row."""
    return lambda assignment, texts, materials: [read(assignment, texts, materials)]


CALL_FIRST = one_row(candidate_of)


@dataclass(frozen=True)
class Style:
    """``assign(materials, rng, count)`` gives at most ``count`` rows to write; ``read`` makes the candidates, as many
    as its ``rows``, of what the model wrote for an assignment, in the order of its requests."""

    assign: Callable[[Materials, random.Random, int], list[Assignment]]
    read: Read = CALL_FIRST
