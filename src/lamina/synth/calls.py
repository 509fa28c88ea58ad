"""Draws valid calls: arguments from ``values``, kept only if the call really runs."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

from lamina.synth.values import ValuePool, draw_arguments
from lamina.tools import Tool
from lamina.tools.execution import CallResult, Executor, carried_error

DRAWS_PER_CALL = 12
"""How many draws a valid call may take before the tool is called hard to draw for (our choice)."""


@dataclass(frozen=True)
class DrawnCall:
    tool: Tool
    arguments: dict[str, Any]
    result: CallResult


def draw_calls(
    tool: Tool, count: int, rng: random.Random, pool: ValuePool, executor: Executor, now: str
) -> list[DrawnCall]:
    """At most ``count`` calls that ran; fewer where the tool refuses most of what is drawn."""
    found: list[DrawnCall] = []
    for _ in range(DRAWS_PER_CALL):
        drawn = [draw_arguments(tool, rng, pool) for _ in range(2 * (count - len(found)))]
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
            return found[:count]
    return found


def _repeats_choice(tool: Tool, arguments: dict[str, Any]) -> bool:
    """Two arguments with the same choices and the same value: kilometers to kilometers."""
    chosen = [
        (tuple(schema["enum"]), arguments[name])
        for name, schema in tool.properties.items()
        if "enum" in schema and name in arguments
    ]
    return len(chosen) != len(set(map(str, chosen)))
