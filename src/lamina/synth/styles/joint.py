"""``parallel``: one tool called several times by one request; ``parallel-multiple``: several tools."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from lamina.checks import Candidate
from lamina.checks.answers import kept
from lamina.models import Request
from lamina.synth import prompts
from lamina.synth.calls import DrawnCall
from lamina.synth.chatter import joined
from lamina.synth.sampling import companions
from lamina.synth.settings import IN_PIECES, JOINABLE, LIKE_EXAMPLES, PLAIN
from lamina.synth.styles.style import Style, one_row
from lamina.synth.wording import Slot, slots_to_say
from lamina.synth.writers import (
    EXAMPLES,
    LONGEST_ANSWER,
    Assignment,
    Materials,
    ask,
    candidate_of,
    one_line,
    overlong,
    values_of,
)
from lamina.tools import Tool, Toolbox

ALONE = 0.5
"""Of a library's parallel rows offer the one tool alone (our choice)."""
CALLS = (2, 2, 2, 3)
"""How many in one request (our choice)."""
Requests = tuple[Request, ...]
Shown = tuple[str, ...]
Asked = Callable[[Materials, Sequence[DrawnCall], random.Random], tuple[Requests, Shown, str]]
"""Gives the requests to the model, what their examples show, and the wording."""


def parallel(m: Materials, rng: random.Random, count: int) -> list[Assignment]:
    """Only tools with a value to say, the same call twice is no request, and without lists: where one ends and the next
    begins ("the mean of 2, 3 and 4 and 5") cannot be told."""

    def drawn(tool: Tool) -> list[DrawnCall]:
        return _distinct(m, [tool] * rng.choice(CALLS), rng) if _can_be_told_apart(tool) else []

    return _assignments(m, "parallel", drawn, _in_one_breath, rng, count)


def parallel_multiple(m: Materials, rng: random.Random, count: int) -> list[Assignment]:
    def drawn(tool: Tool) -> list[DrawnCall]:
        return _distinct(m, [tool, *companions(tool, m.toolbox, rng, rng.choice(CALLS) - 1)], rng)

    return _assignments(m, IN_PIECES, drawn, _one_by_one, rng, count)


def joined_candidate(assignment: Assignment, texts: Sequence[str], m: Materials) -> Candidate:
    """The requests for the single calls, said as one; nothing where the writer left one out."""
    parts = [one_line(text) for text in texts]
    said = joined(parts, random.Random(assignment.seed)) if all(parts) else ""
    made = candidate_of(assignment, [said], m)
    made.raw, made.unread = kept("\n".join(texts)), overlong(texts)
    return made


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
    m: Materials, style: str, drawn: Callable[[Tool], list[DrawnCall]], asked: Asked, rng: random.Random, count: int
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
        requests, shown, wording = asked(m, calls, rng)
        alone = len(tools) == 1 and rng.random() < ALONE
        offered = Toolbox(tools) if alone and m.is_library else m.offered(tools, rng)
        shown = (*prompts.leaks(tools), *shown)
        seed = rng.randrange(1 << 31)
        found.append(
            Assignment(
                requests,
                style,
                seed,
                tuple(calls),
                shown=shown,
                offered=offered,
                expected_calls=len(calls),
                wording=wording,
            )
        )
    return found


def _in_one_breath(m: Materials, calls: Sequence[DrawnCall], rng: random.Random) -> tuple[Requests, Shown, str]:
    """One request to the model for all calls of one tool: it finds the words that they share. A tool that has examples
    has one of them beside it; like it means plainly."""
    slots = [slots_to_say(c.tool, c.arguments, rng) for c in calls]
    tool = calls[0].tool
    seeds = [rng.choice(pool)] if (pool := m.pools.get(tool.name)) else []
    wording = m.settings.wording(rng, bool(m.words.exemplars.get(tool.name)))
    wording = PLAIN if wording == LIKE_EXAMPLES else wording
    prompt = prompts.joint_prompt(tool, wording, seeds, slots)
    tokens = LONGEST_ANSWER + 24 * (len(calls) - 1)
    shown = values_of(seeds, m.toolbox, [s for one in slots for s in one])
    return (ask(prompt, m.settings, rng, tokens=tokens),), shown, wording


def _one_by_one(m: Materials, calls: Sequence[DrawnCall], rng: random.Random) -> tuple[Requests, Shown, str]:
    """A request to the model for each call: asked for several tools at once, a small one says the values and forgets
    what for in five of six (docs/results/library.md). All are worded alike."""
    slots = [slots_to_say(c.tool, c.arguments, rng) for c in calls]
    seeds = [m.words.exemplars.get(c.tool.name, [])[:EXAMPLES] for c in calls]
    wording = m.settings.wording(rng, all(seeds), JOINABLE)
    if wording == LIKE_EXAMPLES:
        asked = [prompts.call_first_prompt(c.tool, e, None, s) for c, e, s in zip(calls, seeds, slots, strict=True)]
    else:
        asked = [_piece(m, c.tool, wording, said, rng) for c, said in zip(calls, slots, strict=True)]
        seeds = []
    shown = values_of([e for known in seeds for e in known], m.toolbox, [s for said in slots for s in said])
    return tuple(ask(prompt, m.settings, rng) for prompt in asked), shown, wording


def _piece(m: Materials, tool: Tool, wording: str, slots: Sequence[Slot], rng: random.Random) -> str:
    """An example that says the same arguments is said again in the wording; without one the tool is described."""
    paths = {slot.path for slot in slots}
    alike = [e for e in m.words.exemplars.get(tool.name, []) if e.paths == paths] if wording != PLAIN else []
    if alike:
        return prompts.reworded_prompt(wording, rng.choice(alike).filled(list(slots)), slots)
    return prompts.first_prefix(tool, wording) + prompts.bracket(slots)


PARALLEL = Style(parallel)
PARALLEL_MULTIPLE = Style(parallel_multiple, one_row(joined_candidate))
