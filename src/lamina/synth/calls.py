"""Draws valid calls: arguments from ``values``, kept only if the call really runs."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from lamina.synth.values import ValuePool, draw_arguments
from lamina.tools import PythonTarget, Tool
from lamina.tools.execution import CallResult, Executor, carried_error

DRAWS_PER_CALL = 12
"""How many draws a valid call may take before the tool is called hard to draw for (our choice)."""
FEW = 4
"""Calls drawn at a time where any will do."""
MANY = 10
"""Calls drawn at a time where they have to say certain arguments."""
TRIES = 3
"""Times that more are drawn because none fits."""
SPAN = 16
"""Batches that calls of a pure tool are drawn ahead for."""
AHEAD = 128
"""Of these, calls for one batch of all tools together; of one tool at least ``FEW``."""


@dataclass(frozen=True)
class DrawnCall:
    tool: Tool
    arguments: dict[str, Any]
    result: CallResult


@dataclass
class Stock:
    """Drawn calls at hand. Running them is what takes time, so they are drawn and run many at a time.

    Of a tool that is declared pure they are drawn for ``SPAN`` batches at once, each batch having its own: what a
    batch uses follows from its number, not from what earlier ones left over, so that a killed run goes on with the
    same rows."""

    pool: ValuePool
    executor: Executor
    now: str
    tools: int
    seed: int = 0
    _batch: int | None = None
    _kept: dict[str, list[DrawnCall]] = field(default_factory=dict)
    _ahead: dict[str, tuple[int, list[DrawnCall]]] = field(default_factory=dict)

    def begin(self, batch: int | None = None) -> None:
        """Forgets what is left over. ``batch``: its number; None for a phase that is none."""
        self._kept.clear()
        self._batch = batch

    def take(self, tool: Tool, rng: random.Random, fits: Callable[[DrawnCall], bool] | None = None) -> DrawnCall | None:
        """A call of the tool that ``fits``; None where what is drawn does not run or fit."""
        if (kept := self._kept.get(tool.name)) is None:
            kept = self._kept[tool.name] = self._of_the_batch(tool)
        for left in reversed(range(TRIES + 1 if fits else 2)):
            for i, call in enumerate(kept):
                if fits is None or fits(call):
                    return kept.pop(i)
            if left:
                kept += draw_calls(tool, MANY if fits else FEW, rng, self.pool, self.executor, self.now)
        return None

    def _of_the_batch(self, tool: Tool) -> list[DrawnCall]:
        if self._batch is None or not (isinstance(tool.target, PythonTarget) and tool.target.pure):
            return []
        span, place = divmod(self._batch, SPAN)
        of, calls = self._ahead.get(tool.name, (-1, []))
        if of != span:
            rng = random.Random(f"{self.seed}/calls/{tool.name}/{span}")
            count = SPAN * max(FEW, AHEAD // self.tools)
            calls = draw_calls(tool, count, rng, self.pool, self.executor, self.now)
            self._ahead[tool.name] = span, calls
        return calls[place::SPAN]


def draw_calls(
    tool: Tool, count: int, rng: random.Random, pool: ValuePool, executor: Executor, now: str
) -> list[DrawnCall]:
    """``count`` calls that ran, or a few more; fewer where the tool refuses most of what is drawn."""
    found: list[DrawnCall] = []
    for _ in range(DRAWS_PER_CALL):
        wanted = count - len(found)
        drawn = [draw_arguments(tool, rng, pool) for _ in range(wanted + max(2, wanted // 4))]
        drawn = [a for a in drawn if not _repeats_choice(tool, a) and not tool.problems(a)]
        if not drawn:
            continue
        ran = executor.run_many([[(tool.name, a)] for a in drawn], [now] * len(drawn))
        found += [
            DrawnCall(tool, a, r[0])
            for a, r in zip(drawn, ran, strict=True)
            if r and r[0].ok and not carried_error(tool, r[0].value)
        ]
        if len(found) >= count:
            break
    return found


def _repeats_choice(tool: Tool, arguments: dict[str, Any]) -> bool:
    """Two arguments with the same choices and the same value: kilometers to kilometers."""
    chosen = [
        (tuple(schema["enum"]), arguments[name])
        for name, schema in tool.properties.items()
        if "enum" in schema and name in arguments
    ]
    return len(chosen) != len(set(map(str, chosen)))
