"""How many tokens a record is: as the trainer would read it, with the tools in its prompt."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lamina.models.model import PromptStyle
from lamina.models.templates import LAMINA_TEMPLATE, with_end_mark
from lamina.tools import Toolbox
from lamina.training.base import tokenizer_of
from lamina.training.rows import IGNORED, token_rows
from lamina.trajectories import Trajectory

ANY_LENGTH = 1 << 40


def token_counter(ref: str, style: PromptStyle = "full") -> Callable[[Trajectory], tuple[int, int] | None]:
    """For a model reference: tokens that are read and those of them that are learnt; None for a record that training
    refuses at any length. Raises ModelReferenceError, MissingExtraError, ModelError."""
    tokenizer: Any = tokenizer_of(ref)
    template = with_end_mark(LAMINA_TEMPLATE, tokenizer.eos_token)
    no_tools = Toolbox([])

    def count(trajectory: Trajectory) -> tuple[int, int] | None:
        rows, _ = token_rows([trajectory], no_tools, tokenizer, template, style=style, max_length=ANY_LENGTH)
        return (len(rows[0].labels), sum(label != IGNORED for label in rows[0].labels)) if rows else None

    return count
