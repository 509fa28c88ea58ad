"""What the worlds of tool-query have in common."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from lamina.tools.tool import JSON, Tool

Gold = tuple[str, JSON]


@dataclass(frozen=True)
class Question:
    """``calls`` are the look-ups that the answer follows from."""

    kind: str
    text: str
    calls: tuple[Gold, ...]
    answer: str


class QueryWorld(Protocol):
    name: str
    tools: Sequence[Tool]

    def ask(self, name: str, arguments: JSON) -> Any:
        """What a look-up finds. Raises RefusedCallError where there is nothing."""
        ...

    def questions(self, chance: random.Random) -> Sequence[Question]: ...


def several(kinds: Sequence[Callable[[random.Random], Question | None]], each: int, chance: random.Random) -> list[
    Question
]:
    """``each`` distinct questions of every kind; a kind may return None for a draw without a clear answer."""
    found: dict[str, Question] = {}
    for kind in kinds:
        wanted = len(found) + each
        while len(found) < wanted:
            question = kind(chance)
            if question is not None:
                found.setdefault(question.text, question)
    return list(found.values())
