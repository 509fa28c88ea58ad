"""How many tokens a training reads and learns, known before it: row by row, and over all its steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lamina.tools import Toolbox
from lamina.tools.tool import JSON
from lamina.training.preferences import Answers, answered, make_pairs
from lamina.training.rows import IGNORED, NO_MORE, RAISE, token_rows
from lamina.training.settings import TrainSettings
from lamina.trajectories import Trajectory


@dataclass(frozen=True)
class Length:
    """Of a row, or of the longer half of a pair: its tokens, and those of them that are learnt. ``all_learnt``: of both
    halves of a pair."""

    tokens: int
    learnt: int
    all_learnt: int


def lengths_of(
    rows: Sequence[Trajectory], wrong: Answers | None, toolbox: Toolbox, tokenizer: Any, template: str,
    settings: TrainSettings, max_length: int,
) -> tuple[list[Length], list[JSON]]:  # fmt: skip
    """And the refusals. Where preferences are learnt and the wrong answers are not known yet (None), they count as
    long as the right ones."""
    mend = NO_MORE if max_length < settings.max_length else RAISE
    how: Any = {"style": settings.prompt_style, "max_length": max_length, "mend": mend}
    if settings.method == "dpo" and wrong is not None:
        made = make_pairs(rows, wrong, toolbox, tokenizer, template, **how)
        halves = [(len(p.prompt_ids), len(p.chosen_ids), len(p.rejected_ids)) for p in made.pairs]
        return [Length(asked + max(a, b), max(a, b), a + b) for asked, a, b in halves], made.refused
    twice = settings.method == "dpo"
    if twice:
        rows = [answered(row, row.turns[0]) if row.turns else row for row in rows]
    told, refused = token_rows(rows, toolbox, tokenizer, template, **how, learn=settings.learn)
    learnt = [sum(label != IGNORED for label in row.labels) for row in told]
    return [Length(len(row.input_ids), n, 2 * n if twice else n) for row, n in zip(told, learnt, strict=True)], refused


def tokens_read(lengths: Sequence[Length], order: Sequence[int], settings: TrainSettings) -> int:
    """Over the whole training. Rows lie end to end; pairs are padded to the longest of their batch, twice over."""
    if settings.method == "sft":
        return sum(lengths[i].tokens for i in order)
    batches = (order[i : i + settings.batch] for i in range(0, len(order), settings.batch))
    return sum(2 * len(batch) * max(lengths[i].tokens for i in batch) for batch in batches)
