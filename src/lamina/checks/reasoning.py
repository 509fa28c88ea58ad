"""Reasoning: is a thought one? Heuristics for what is wrong whoever reads it; what they let pass, a model may rate
(xLAM, arXiv 2409.03215 section 4: "heuristics, then a model's rating"). The numbers are our choice."""

from __future__ import annotations

import re
from collections import Counter

from lamina.checks.reasons import Reason
from lamina.checks.rule import Rejection
from lamina.tools import Toolbox
from lamina.trajectories import Trajectory

STAGE = "reasoning"
SHINGLE = 8
"""Words in a row; a thought that says the same ones again and again is a loop."""
REPEATS = 4
LEAST_DISTINCT = 0.15
"""Share of different words below which a long thought says nothing."""
LONG = 200
"""Words."""


def check_reasoning(trajectory: Trajectory, toolbox: Toolbox) -> Rejection | None:
    for number, message in enumerate(trajectory.messages):
        if message.role != "assistant":
            continue
        reasoned = getattr(message, "reasoning_content", None)
        for text in filter(None, (message.content if message.tool_calls else "", reasoned)):
            if why := poor(str(text)):
                return Rejection(STAGE, Reason.POOR_REASONING, f"message {number}: {why}")
        called = [c.name for c in message.tool_calls or []]
        if called and (other := _decided_otherwise(str(reasoned or message.content), called, toolbox)):
            detail = f"message {number} decides to call {other} and calls {', '.join(called)}"
            return Rejection(STAGE, Reason.POOR_REASONING, detail)
    return None


def poor(text: str) -> str | None:
    """What is wrong with a thought on its own, or None."""
    if "\ufffd" in text or "\x00" in text:
        return "the thought is not readable text"
    words = re.findall(r"\w+", text.casefold())
    if len(words) >= SHINGLE * REPEATS:
        shingles = Counter(tuple(words[i : i + SHINGLE]) for i in range(len(words) - SHINGLE + 1))
        phrase, times = shingles.most_common(1)[0]
        if times >= REPEATS:
            return f"the thought says {' '.join(phrase)!r} {times} times"
    if len(words) >= LONG and len(set(words)) < LEAST_DISTINCT * len(words):
        return f"the thought has {len(set(words))} different words in {len(words)}"
    return None


_DECIDES = re.compile(
    r"\b(?:I(?:'ll| will| am going to| should)) (?:now )?(?:call|use|invoke) (?:the )?[`'\"]?([\w.-]+)"
)


def _decided_otherwise(thought: str, called: list[str], toolbox: Toolbox) -> str | None:
    """The tool that the last decision of a thought names, where the turn calls other ones alone."""
    decided = [name.rstrip(".") for name in _DECIDES.findall(thought)]
    named = [name for name in decided if name in toolbox]
    return named[-1] if named and not set(named) & set(called) else None
