"""What a style of rows is: how rows of it are asked for, and what becomes of the answers."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lamina.checks import Candidate
from lamina.synth.writers import Assignment, Materials, candidate_of


@dataclass(frozen=True)
class Style:
    """``assign(materials, rng, count)`` gives at most ``count`` rows to write; ``read`` makes a candidate of what the
    model wrote for one, in the order of its requests."""

    assign: Callable[[Materials, random.Random, int], list[Assignment]]
    read: Callable[[Assignment, Sequence[str], Materials], Candidate] = candidate_of
