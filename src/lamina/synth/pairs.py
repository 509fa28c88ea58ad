"""``pairs``: APIGen's own way (arXiv 2406.18518 section 3.1). Tools and verified examples in; a request and the calls
that answer it out, several at a time where settings say so."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence

from lamina.checks import Candidate
from lamina.models import Request
from lamina.models.parsing import parse_calls
from lamina.synth import prompts
from lamina.synth.sampling import companions
from lamina.synth.styles.style import Style
from lamina.synth.writers import Assignment, Materials, blank_candidate
from lamina.trajectories import ToolCall

TOOLS = (1, 1, 2)
"""How many a prompt shows (our choice)."""
ANSWER_TOKENS = 200


def pairs(m: Materials, rng: random.Random, count: int) -> list[Assignment]:
    found = []
    names = m.names(rng)
    for _ in range(count):
        first = m.toolbox[next(names)]
        tools = [first, *companions(first, m.toolbox, rng, rng.choice(TOOLS) - 1)]
        examples = [
            (e.request, [{"name": e.tool, "arguments": e.arguments}])
            for t in tools
            for e in prompts.shuffled(m.pools.get(t.name, []), 3, rng)
        ]
        request = Request(
            messages=[], raw_prompt=prompts.pairs_prompt(tools, examples),
            constraint=prompts.pairs_schema(tools) if m.settings.constrained else None,
            max_tokens=ANSWER_TOKENS, temperature=m.settings.temperature, top_p=0.95, seed=rng.randrange(1 << 31),
            stop=() if m.settings.constrained else ("\n",),
        )  # fmt: skip
        offered = m.offered(tools, rng)
        found.append(Assignment((request,), "pairs", rng.randrange(1 << 31), offered=offered))
    return found


def read_pair(assignment: Assignment, texts: Sequence[str], m: Materials) -> Candidate:
    """An unreadable answer becomes a candidate without a request, which the format check rejects."""
    request, calls = _pair(texts[0])
    made = blank_candidate(assignment, request, texts, m)
    made.turns, made.style = [calls], "simple" if len(calls) < 2 else "parallel"
    return made


def _pair(text: str) -> tuple[str, list[ToolCall]]:
    try:
        row = json.loads(text)
        calls, problem = parse_calls(json.dumps(row["answers"]))
        return ("", []) if problem else (str(row["query"]), calls)
    except (ValueError, KeyError, TypeError):
        return "", []


PAIRS = Style(pairs, read_pair)
