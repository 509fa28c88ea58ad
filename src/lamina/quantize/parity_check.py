"""Whether two forms of one model give the same calls: the check after an export that everybody asks for."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

from lamina.models import Model, Reply, Request
from lamina.tools import Toolbox
from lamina.tools.tool import JSON

DIFFERENCES_KEPT = 50


def parity(
    reference: Model | Sequence[Reply],
    candidate: Model | Sequence[Reply],
    requests: Sequence[Request],
    toolbox: Toolbox | None = None,
) -> JSON:
    """Asks both the same, greedily and under the same constraint, and compares the calls (arguments by value, with
    defaults filled in, in order). Replies given in place of a model are taken as its answers to ``requests``, so
    that one reference need not be asked again for each candidate.

    Returns ``{"rate", "n", "low", "high", "same", "same_text", "differences"}``: the share of same answers with its
    Wilson 95 % interval, how many are the same letter for letter, and the first ``DIFFERENCES_KEPT`` that differ."""
    expected, given = _replies(reference, requests), _replies(candidate, requests)
    differences: list[JSON] = []
    same = 0
    for request, ours, theirs in zip(requests, expected, given, strict=True):
        if _meaning(ours, toolbox) == _meaning(theirs, toolbox):
            same += 1
        elif len(differences) < DIFFERENCES_KEPT:
            asked = request.messages[-1].content if request.messages else request.raw_prompt
            differences.append({"request": asked, "reference": ours.text, "candidate": theirs.text})
    low, high = wilson(same, len(requests))
    return {
        "rate": same / len(requests) if requests else None,
        "n": len(requests),
        "low": low,
        "high": high,
        "same": same,
        "same_text": sum((a.said, a.text) == (b.said, b.text) for a, b in zip(expected, given, strict=True)),
        "differences": differences,
    }


def wilson(successes: int, n: int, z: float = 1.96) -> tuple[float | None, float | None]:
    """The 95 % interval of a share (Wilson 1927); None without a trial."""
    if n == 0:
        return None, None
    share = successes / n
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return max(0.0, middle - half), min(1.0, middle + half)


def _replies(answering: Model | Sequence[Reply], requests: Sequence[Request]) -> Sequence[Reply]:
    if isinstance(answering, Sequence):
        return answering
    return answering.generate(requests)


def _meaning(reply: Reply, toolbox: Toolbox | None) -> str:
    """Equal for answers that do the same; one that cannot be parsed is only equal to the same text."""
    if reply.problem is not None:
        return reply.text
    calls = []
    for call in reply.calls:
        tool = toolbox.get(call.name) if toolbox else None
        calls.append([call.name, _by_value(tool.with_defaults(call.arguments) if tool else call.arguments)])
    return json.dumps(calls, sort_keys=True)


def _by_value(value: Any) -> Any:
    """84.0 is 84."""
    if isinstance(value, dict):
        return {key: _by_value(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_by_value(inner) for inner in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
