"""``parallel``: one tool called several times by one request; ``parallel-multiple``: several tools."""

from __future__ import annotations

import random
from collections.abc import Callable

from lamina.synth import prompts
from lamina.synth.calls import DrawnCall
from lamina.synth.sampling import companions
from lamina.synth.styles.style import Style
from lamina.synth.wording import spoken_slots
from lamina.synth.writers import LONGEST_ANSWER, Assignment, Materials, ask, values_of
from lamina.tools import Tool, Toolbox

ALONE = 0.5
"""Of a library's parallel rows offer the one tool alone (our choice)."""
CALLS = (2, 2, 2, 3)
"""How many in one request (our choice)."""


def parallel(m: Materials, rng: random.Random, count: int) -> list[Assignment]:
    """Only tools with a value to say, the same call twice is no request, and without lists: where one ends and the next
    begins ("the mean of 2, 3 and 4 and 5") cannot be told."""

    def drawn(tool: Tool) -> list[DrawnCall]:
        return _distinct(m, [tool] * rng.choice(CALLS), rng) if _can_be_told_apart(tool) else []

    return _assignments(m, "parallel", drawn, rng, count)


def parallel_multiple(m: Materials, rng: random.Random, count: int) -> list[Assignment]:
    def drawn(tool: Tool) -> list[DrawnCall]:
        return _distinct(m, [tool, *companions(tool, m.toolbox, rng, rng.choice(CALLS) - 1)], rng)

    return _assignments(m, "parallel-multiple", drawn, rng, count)


def _can_be_told_apart(tool: Tool) -> bool:
    return bool(tool.properties) and not any(p.get("type") == "array" for p in tool.properties.values())


def _distinct(m: Materials, tools: list[Tool], rng: random.Random) -> list[DrawnCall]:
    """One call of each, no two the same; those that cannot be drawn are left out."""
    found: dict[str, DrawnCall] = {}
    for tool in tools:
        if call := m.words.drawn(tool, rng):
            found.setdefault(f"{tool.name}{call.arguments}", call)
    return list(found.values())


def _assignments(
    m: Materials, style: str, drawn: Callable[[Tool], list[DrawnCall]], rng: random.Random, count: int
) -> list[Assignment]:
    found: list[Assignment] = []
    names = m.names(rng)
    for _ in range(4 * count):
        if len(found) >= count:
            break
        calls = drawn(m.toolbox[next(names)])
        if len(calls) < 2:
            continue
        tools = list({c.tool.name: c.tool for c in calls}.values())
        slots = [spoken_slots(c.tool, c.arguments, rng) for c in calls]
        seeds = [rng.choice(pool) for t in tools if (pool := m.pools.get(t.name))]
        prompt = prompts.joint_prompt(tools, seeds, slots)
        request = ask(prompt, m.settings, rng, tokens=LONGEST_ANSWER + 24 * (len(calls) - 1))
        alone = len(tools) == 1 and rng.random() < ALONE
        offered = Toolbox(tools) if alone and m.is_library else m.offered(tools, rng)
        shown = (*prompts.leaks(tools), *values_of(seeds, m.toolbox, [s for said in slots for s in said]))
        found.append(Assignment((request,), style, rng.randrange(1 << 31), tuple(calls), shown=shown, offered=offered))
    return found


PARALLEL = Style(parallel)
PARALLEL_MULTIPLE = Style(parallel_multiple)
