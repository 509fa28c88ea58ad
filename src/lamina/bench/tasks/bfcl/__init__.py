"""``bfcl:CATEGORY``: the single-turn categories of the Berkeley Function Calling Leaderboard, version 4, and its
multi-turn ones (``multi_turn``) (Patil et al. 2025, "The Berkeley Function Calling Leaderboard"; Apache-2.0).

Every row brings its own functions. In a single turn one answer is asked for and judged by ``checker``; the data comes
from the leaderboard's own package (``data``)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lamina.bench.tasks.bfcl.categories import CATEGORIES, MOST_CALLS, MULTI_TURN, Category
from lamina.bench.tasks.bfcl.checker import Call, problem_of
from lamina.bench.tasks.bfcl.data import cache_folder, find_data, known_category, read_rows
from lamina.bench.tasks.bfcl.offered import offered_tools
from lamina.bench.tasks.task import (
    Conversation,
    Figure,
    Sample,
    Setting,
    Task,
    accuracy_figures,
    read_answer,
    strict_outcome,
)
from lamina.tools.tool import JSON
from lamina.trajectories.trajectory import Message

__all__ = ["ABOUT", "CATEGORIES", "MULTI_TURN", "BfclTask", "cache_folder", "find_data", "open_task"]

ABOUT = f"bfcl:CATEGORY, BFCL v4, single turn: {', '.join(CATEGORIES)}; played: {', '.join(MULTI_TURN)}"
VERSION = 2
IN_ALL = (*CATEGORIES, *MULTI_TURN)


def open_task(argument: str, data: str | Path | None = None) -> Task:
    """A worker is told the folder as ``CATEGORY,data=FOLDER``: what is played needs more than its row."""
    name, _, folder = argument.partition(",data=")
    if name not in MULTI_TURN:
        return BfclTask(known_category(argument), folder=data)
    from lamina.bench.tasks.bfcl.multi_turn import MultiTurnTask  # the agents are loaded for what is played alone

    return MultiTurnTask(name, folder=data or folder or None)


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
