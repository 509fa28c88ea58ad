"""What the worlds of tool-query have in common."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from lamina.tools.tool import JSON, Tool

Gold = tuple[str, JSON]
DRAWS = 1000
"""Without a question that is new, after which a kind is taken to have no more of them."""


@dataclass(frozen=True)
class Question:
    """``calls`` are the look-ups that the answer follows from."""

    kind: str
    text: str
    calls: tuple[Gold, ...]
    answer: str


class QueryWorld(Protocol):
    @property
    def name(self) -> str: ...

    @property
    def tools(self) -> Sequence[Tool]: ...

    def ask(self, name: str, arguments: JSON) -> Any:
        """What a look-up finds. Raises RefusedCallError where there is nothing."""
        ...

    def questions(self, chance: random.Random) -> Sequence[Question]: ...


def several(
    kinds: Sequence[Callable[[random.Random], Question | None]], each: int, chance: random.Random
) -> list[Question]:
    """``each`` distinct questions of every kind; a kind may return None for a draw without a clear answer.

    Raises ValueError where a world is too small to hold so many, instead of drawing for ever."""
    found: dict[str, Question] = {}
    for kind in kinds:
        wanted = len(found) + each
        in_vain = 0
        while len(found) < wanted:
            question = kind(chance)
            if question is None or question.text in found:
                in_vain += 1
                if in_vain == DRAWS:
                    raise ValueError(f"no more than {len(found) - wanted + each} of {each} questions of a kind")
                continue
            found[question.text], in_vain = question, 0
    return list(found.values())
