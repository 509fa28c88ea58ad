"""``bfcl:CATEGORY``: the single-turn categories of the Berkeley Function Calling Leaderboard, version 4.

Every row brings its own functions. One answer is asked for and judged by ``checker``; the data comes from the
leaderboard's own package (``data``)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lamina.bench.tasks.bfcl.categories import CATEGORIES, Category
from lamina.bench.tasks.bfcl.checker import Call, problem_of
from lamina.bench.tasks.bfcl.data import cache_folder, find_data, known_category, read_rows
from lamina.bench.tasks.bfcl.offered import offered_tools
from lamina.bench.tasks.task import (
    Conversation,
    Figure,
    Sample,
    Setting,
    accuracy_figures,
    read_answer,
    strict_outcome,
)
from lamina.tools.tool import JSON
from lamina.trajectories.trajectory import Message

__all__ = ["ABOUT", "CATEGORIES", "BfclTask", "cache_folder", "find_data", "open_task"]

ABOUT = f"bfcl:CATEGORY, BFCL v4, single turn: {', '.join(CATEGORIES)}"
VERSION = 1
MOST_CALLS = 12
"""What the constraint lets a model write; no ground truth has more than 8 calls."""


def open_task(argument: str, data: str | Path | None = None) -> BfclTask:
    return BfclTask(known_category(argument), folder=data)


class BfclTask:
    """``folder`` overrides where the data is looked for."""

    paired_metric = "accuracy"
    needs_tools = False

    def __init__(self, category: Category, *, folder: str | Path | None = None):
        self.category = category
        self.name = self.spec = f"bfcl:{category.name}"
        self.folder = folder

    def samples(self) -> list[Sample]:
        return [
            Sample(row.id, {"messages": row.messages, "functions": row.functions, "answers": row.answers})
            for row in read_rows(self.category.name, self.folder)
        ]

    def judge(self, sample: Sample, calls: Sequence[Any]) -> str | None:
        """What is wrong with calls as anybody wrote them (``[{"name", "arguments"}]``), or None."""
        return self._problem(sample, read_answer(calls))

    def solve(self, sample: Sample, setting: Setting) -> Conversation:
        tools = offered_tools(sample.row["functions"], self.category.language)
        messages = [Message(role=m["role"], content=m["content"]) for m in sample.row["messages"]]
        request = setting.ask(messages, tools=tools, most_calls=MOST_CALLS)
        reply = yield request
        return strict_outcome(request, reply, lambda calls: self._problem(sample, calls))

    def figures(self, outcomes: Sequence[JSON]) -> list[Figure]:
        return accuracy_figures(outcomes)

    def counts_in_pair(self, scores: JSON) -> bool:
        return not scores["unscored"]

    def _problem(self, sample: Sample, calls: Sequence[Call] | None) -> str | None:
        return problem_of(self.category, sample.row["functions"], sample.row["answers"], calls)
