"""The loss of held-out rows: a mean over their learnt tokens, however many batches and processes read them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from lamina.training.processes import process_count
from lamina.training.rows import IGNORED, Row


@dataclass(frozen=True)
class Validation:
    """Held-out rows as they are read; ``batches``: of all processes together; ``tokens``: of them that are learnt."""

    rows: list[Row]
    batches: int
    tokens: int

    def part(self, scores: Any, targets: Any, together: Callable[[Any], Any]) -> tuple[Any, float]:
        """What one batch has of the loss, and all processes' batches of the token accuracy, each times the number of
        batches, over which Transformers and TRL take the mean. ``together`` sums over the processes."""
        import torch

        loss = torch.nn.functional.cross_entropy(scores, targets, reduction="sum")
        right = together((scores.argmax(-1) == targets).sum().float()).item() / process_count()
        share = self.batches / self.tokens
        return loss * share, right * share


def validation_of(rows: Sequence[Row], batch: int) -> Validation:
    """After ``rows`` stand some that have nothing to learn, so that each process reads the same number of full batches:
    accelerate would read rows twice, and Transformers counts a batch by its rows."""
    missing = -len(rows) % (batch * process_count())
    nothing = Row("", rows[0].input_ids[:1], [IGNORED])
    read = [*rows, *[nothing] * missing]
    tokens = sum(label != IGNORED for row in rows for label in row.labels[1:])
    return Validation(read, len(read) // batch, tokens)
