"""What one answer given to everything would score, where answers are of a closed set: letters, yes or no, refusing or
not. A model that does no better may only have habits, and a quantization that changes a habit looks like a gain or a
loss (our choice)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable

from lamina.tools.tool import JSON

_TO_REFUSE = frozenset({"safe", "unsafe"})


def constant_answer(rows: Iterable[JSON]) -> float | None:
    """The share, from 0 to 1, on which the best constant answer is right: of each set of choices its most frequent
    target. It is chosen on these very rows, so of few rows it is a little high. None where a row is not of a closed
    set, and where all targets are one: ``asks_one_thing`` knows where that is no chance."""
    targets: dict[Hashable, Counter[str]] = defaultdict(Counter)
    for row in rows:
        target = row.get("target")
        if not isinstance(target, str) or (closed := _choices_of(row, target)) is None:
            return None
        targets[closed][target] += 1
    if sum(len(counts) for counts in targets.values()) < 2:
        return None
    return sum(max(counts.values()) for counts in targets.values()) / sum(c.total() for c in targets.values())


def asks_one_thing(rows: Iterable[JSON]) -> str | None:
    """What keeps advice from resting on requests to refuse alone, or on requests to answer alone: one habit is right on
    all of them. Said as what the task "has …"; None of other rows."""
    targets = {row.get("target") if isinstance(row.get("target"), str) else None for row in rows}
    if targets == {"unsafe"}:
        return "has requests to refuse alone, so that a file which refuses everything would look safest"
    if targets == {"safe"}:
        return "has no request to refuse, so that a file which never refuses would look best"
    return None


def _choices_of(row: JSON, target: str) -> Hashable | None:
    """``choices`` are written out, of ``options`` there is the number: they are letters."""
    choices = row.get("choices")
    if choices:
        return tuple(choices) if target in choices else None
    if row.get("options"):
        return int(row["options"])
    return _TO_REFUSE if target in _TO_REFUSE else None
