"""Shape: what a data set is made of, counted in one pass."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from lamina.trajectories import Reject, Trajectory


def shape_of(records: Iterable[Trajectory | Reject]) -> dict[str, Any]:
    """``{"records", "rejected": {reason: n}, "sources": {source: n}, "styles", "tools", "calls", "messages",
    "parallel", "multi_turn", "without_calls", "with_thoughts", "characters"}``; of tools, calls, messages and
    characters the smallest, the median and the largest number a record has."""
    sizes: dict[str, Counter[int]] = {k: Counter() for k in ("tools", "calls", "messages", "characters")}
    sources: Counter[str] = Counter()
    styles: Counter[str] = Counter()
    rejected: Counter[str] = Counter()
    kinds: Counter[str] = Counter()
    names: set[str] = set()
    for one in records:
        if isinstance(one, Reject):
            rejected[one.reason] += 1
            continue
        sources[one.meta.source] += 1
        styles[one.meta.style or "-"] += 1
        calls = one.calls
        names.update(call.name for call in calls)
        sizes["tools"][len(one.tools)] += 1
        sizes["calls"][len(calls)] += 1
        sizes["messages"][len(one.messages)] += 1
        sizes["characters"][_rounded(sum(len(m.content) for m in one.messages))] += 1
        kinds.update(_kinds(one))
    return {
        "records": sources.total(),
        "rejected": dict(rejected.most_common()),
        "sources": dict(sources.most_common()),
        "styles": dict(styles.most_common()),
        "functions_called": len(names),
        **{kind: kinds[kind] for kind in ("parallel", "multi_turn", "without_calls", "with_thoughts", "with_results")},
        **{name: _spread(counted) for name, counted in sizes.items()},
    }


def _kinds(one: Trajectory) -> list[str]:
    turns = one.turns
    found = ["parallel"] if any(len(turn) > 1 for turn in turns) else []
    if sum(m.role == "user" for m in one.messages) > 1:
        found.append("multi_turn")
    if not any(turns):
        found.append("without_calls")
    if any(m.role == "tool" for m in one.messages):
        found.append("with_results")
    if any((m.tool_calls and m.content.strip()) or getattr(m, "reasoning_content", None) for m in one.messages):
        found.append("with_thoughts")
    return found


def _rounded(n: int) -> int:
    """To two digits, so that what is kept does not grow with the records."""
    digits = max(0, len(str(n)) - 2)
    return round(n, -digits)


def _spread(counted: Counter[int]) -> dict[str, float]:
    if not counted:
        return {"least": 0, "median": 0, "most": 0}
    half, seen = counted.total() / 2, 0
    middle = 0.0
    for value in sorted(counted):
        seen += counted[value]
        if seen >= half:
            middle = value
            break
    return {"least": min(counted), "median": middle, "most": max(counted)}
