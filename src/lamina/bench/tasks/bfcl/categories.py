"""The categories of BFCL v4; of the single-turn ones their language, and what a right answer is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Language = Literal["python", "java", "javascript"]
Rule = Literal["one", "any_order", "no_call", "some_call"]
"""``one``: a single call that matches. ``any_order``: as many calls as the ground truth has, each matching one.
``no_call``: the functions on offer don't fit the request. ``some_call``: whatever call, they do."""


@dataclass(frozen=True)
class Category:
    """``named``: several functions are on offer and the ground truth names the one to call; else there is one."""

    name: str
    rule: Rule
    language: Language = "python"
    named: bool = True

    @property
    def has_answers(self) -> bool:
        """Whether there is a file of right answers; (ir)relevance needs none."""
        return self.rule in ("one", "any_order")


CATEGORIES: dict[str, Category] = {
    category.name: category
    for category in (
        Category("simple_python", "one", named=False),
        Category("simple_java", "one", "java", named=False),
        Category("simple_javascript", "one", "javascript", named=False),
        Category("multiple", "one"),
        Category("parallel", "any_order"),
        Category("parallel_multiple", "any_order"),
        Category("irrelevance", "no_call"),
        Category("live_simple", "one", named=False),
        Category("live_multiple", "one"),
        Category("live_parallel", "any_order"),
        Category("live_parallel_multiple", "any_order"),
        Category("live_irrelevance", "no_call"),
        Category("live_relevance", "some_call"),
    )
}
MULTI_TURN = ("multi_turn_base", "multi_turn_miss_func", "multi_turn_miss_param", "multi_turn_long_context")
"""Played on the leaderboard's simulators (``multi_turn``)."""
MOST_CALLS = 12
"""What the constraint lets a model write in one answer. No right answer of a single turn has more than 8 calls; a turn
of several answers may have more (34 in one row of long_context)."""
