"""What a training reads: rows, or pairs of answers, as tokens; what is held out beside them; in which order, and in
how many steps."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lamina.errors import InputError
from lamina.tools import Toolbox
from lamina.tools.tool import JSON
from lamina.training.base import Base
from lamina.training.preferences import Answers, Pair, make_pairs
from lamina.training.refusing import nothing_left
from lamina.training.rows import NO_MORE, RAISE, Row, learnt_template, token_rows
from lamina.training.settings import TrainSettings
from lamina.training.trainer import order_of_rows
from lamina.training.weights import context_of
from lamina.trajectories import Trajectory


@dataclass(frozen=True)
class Material:
    """``rows`` for supervised training, ``pairs`` where preferences are learnt; the other one is empty. ``refused``:
    ``{"id", "reason"}`` of each row left out, and of each held-out one. ``order``: row numbers as they are seen."""

    rows: list[Row]
    pairs: list[Pair]
    held: list[Row]
    refused: list[JSON]
    order: list[int]
    steps: int

    @property
    def count(self) -> int:
        return len(self.rows) or len(self.pairs)


def material_of(
    train: Sequence[Trajectory], held: Sequence[Trajectory], base: Base, settings: TrainSettings, toolbox: Toolbox,
    wrong: Answers,
) -> Material:  # fmt: skip
    """``wrong``: the answers that method ``dpo`` prefers the rows' over. Raises InputError without anything to train
    on."""
    template = learnt_template(settings.learn, base.tokenizer.eos_token)
    longest = min(settings.max_length, context_of(base.model.config, settings.max_length))
    mend = NO_MORE if longest < settings.max_length else RAISE
    how: Any = {"style": settings.prompt_style, "max_length": longest, "mend": mend}
    rows: list[Row] = []
    pairs: list[Pair] = []
    if settings.method == "dpo":
        pairing = make_pairs(train, wrong, toolbox, base.tokenizer, template, **how)
        pairs, refused = pairing.pairs, pairing.refused
    else:
        rows, refused = token_rows(train, toolbox, base.tokenizer, template, **how, learn=settings.learn)
    held_rows, held_refused = token_rows(held, toolbox, base.tokenizer, template, **how, learn=settings.learn)
    count = len(rows) or len(pairs)
    if not count:
        raise InputError(nothing_left(refused))
    order = order_of_rows(count, settings.epochs, settings.seed)
    steps = math.ceil(len(order) / (settings.batch * settings.accumulate))
    return Material(rows, pairs, held_rows, refused + held_refused, order, steps)
