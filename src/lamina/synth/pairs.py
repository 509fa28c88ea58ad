"""``pairs``: APIGen's own way (arXiv 2406.18518 section 3.1). Tools and verified examples in; requests with the calls
that answer them out, ``per_request`` of them at a time, in a style and a wording that are asked for.

There is a style here for each that has calls: a request without one, or one that leaves a value out, is right or wrong
for no reason that a rule could see, and ``call-first`` draws what it must not say."""

from __future__ import annotations

import random
from collections.abc import Sequence
from functools import partial
from typing import Any

from lamina.checks import Candidate, Reason, Rejection
from lamina.checks.answers import LONGEST_KEPT
from lamina.checks.arguments import check_call
from lamina.models import Request
from lamina.synth import prompts
from lamina.synth.chatter import joined
from lamina.synth.pair_answers import Pair, pairs_in
from lamina.synth.sampling import companions
from lamina.synth.styles.style import Style
from lamina.synth.writers import Assignment, Materials, blank_candidate, give_calls
from lamina.tools import Tool, Toolbox
from lamina.trajectories import ToolCall

MORE = (1, 1, 2)
"""Tools that a prompt shows beside the first where the style has several (our choice)."""
CALLS = (2, 2, 2, 3)
"""Of each parallel row of a prompt, as ``call-first`` has it (our choice)."""
ALONE = 0.5
"""Of a library's parallel rows offer the one tool alone, as ``call-first`` has it."""
SHOWN = 3
"""Examples of each tool in a prompt (our choice)."""
ANSWER_TOKENS = 200
"""Of one pair (our choice)."""
ROUNDS = 4
STAGE = "format"


def assign(style: str, m: Materials, rng: random.Random, count: int) -> list[Assignment]:
    """Requests to the model for ``count`` pairs, the last one for what is left; fewer where tools don't suit."""
    found: list[Assignment] = []
    left, names = count, m.names(rng)
    for _ in range(ROUNDS * count):
        if left <= 0:
            break
        tools = _tools(style, m.toolbox[next(names)], m.toolbox, rng)
        if tools:
            rows = min(m.settings.per_request, left)
            found.append(_assignment(style, tools, rows, m, rng))
            left -= rows
    return found


def read_pairs(assignment: Assignment, texts: Sequence[str], m: Materials) -> list[Candidate]:
    """As many candidates as pairs were asked for: those that were not written or cannot be read say so."""
    written = pairs_in(texts[0], assignment.rows)
    missing = assignment.rows - len(written)
    made = [_candidate(assignment, pair, m) for pair in written]
    for _ in range(missing):
        absent = blank_candidate(assignment, "", texts, m)
        told = f"the writer wrote {len(written)} of the {assignment.rows} pairs it was asked for"
        goes_on = len(texts[0]) > LONGEST_KEPT * assignment.rows
        absent.unread = absent.unread if goes_on else Rejection(STAGE, Reason.NO_ANSWER, told)
        made.append(absent)
    for place, candidate in enumerate(made):
        candidate.seed += place  # rejects that are alike stay apart by their seeds
    return made


def _tools(style: str, first: Tool, toolbox: Toolbox, rng: random.Random) -> list[Tool]:
    """What the prompt shows; nothing where there is no row of the style for the tool."""
    if style == "simple":
        return [first]
    if style == "parallel":
        return [first] if first.properties else []
    beside = companions(first, toolbox, rng, rng.choice(MORE))
    return [first, *beside] if beside else []


def _assignment(style: str, tools: list[Tool], rows: int, m: Materials, rng: random.Random) -> Assignment:
    wording = m.settings.wording(rng, has_examples=False)
    calls = {"parallel": rng.choice(CALLS), "parallel-multiple": len(tools)}.get(style, 1)
    shown = _shown(style, tools, m, rng)
    request = Request(
        messages=[], raw_prompt=prompts.pairs_prompt(tools, shown, style, wording, rows, calls),
        constraint=prompts.pairs_schema(tools, style, rows, calls) if m.settings.constrained else None,
        max_tokens=ANSWER_TOKENS * rows, temperature=m.settings.temperature, top_p=0.95, seed=rng.randrange(1 << 31),
        stop=() if m.settings.constrained else ("\n\n\n", "\nFunctions:"),
    )  # fmt: skip
    alone = m.is_library and (style == "simple" or (style == "parallel" and rng.random() < ALONE))
    offered = Toolbox(tools) if alone else m.offered(tools, rng)
    seed = rng.randrange(1 << 31)
    expected = calls if calls > 1 else 0
    return Assignment((request,), style, seed, offered=offered, wording=wording, rows=rows, expected_calls=expected)


def _shown(style: str, tools: Sequence[Tool], m: Materials, rng: random.Random) -> list[tuple[str, list[Any]]]:
    """Examples of the style, made of those of single calls."""
    drawn = [prompts.shuffled(m.pools.get(tool.name, []), 2 * SHOWN, rng) for tool in tools]
    if style == "parallel-multiple":
        together = list(zip(*drawn, strict=False))[:SHOWN]
    elif style == "parallel":
        together = list(zip(drawn[0][::2], drawn[0][1::2], strict=False))
    else:
        together = [(example,) for pool in drawn for example in pool[:SHOWN]]
    return [
        (joined([e.request for e in some], rng), [{"name": e.tool, "arguments": e.arguments} for e in some])
        for some in together
    ]


def _candidate(assignment: Assignment, pair: Pair, m: Materials) -> Candidate:
    made = blank_candidate(assignment, pair.request, [pair.raw], m)
    if made.unread is not None:
        return made
    if pair.problem:
        made.unread = Rejection(STAGE, Reason.UNREADABLE, pair.problem)
        return made
    calls = [ToolCall.of(c.name, c.arguments) for c in pair.calls]
    fit = all(check_call(call, m.toolbox) is None for call in calls)
    give_calls(made, calls, m.toolbox if fit else Toolbox([]))
    return made


STYLES = ("simple", "multiple", "parallel", "parallel-multiple")
PAIRS: dict[str, Style] = {style: Style(partial(assign, style), read_pairs) for style in STYLES}
