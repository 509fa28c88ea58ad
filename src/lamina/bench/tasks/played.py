"""What tasks have in common whose samples are played, turn by turn, in an environment. Not a task itself.

Each prompt of such a sample holds all that was said before, so that kept as it is a long one takes the square of its
length: ``lean`` leaves out of each turn what the turn before has, and ``whole`` puts it back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lamina.bench.intervals import bounded_interval, wilson
from lamina.bench.tasks.task import Figure
from lamina.tools.tool import JSON

SOLVED = 0.999
"""Reward from which on a sample counts as right: sums of shares may miss 1 by their last digit."""


def lean(turns: Sequence[JSON]) -> list[JSON]:
    """Turns as ``turn_record`` makes them, without what they share with the turn before: ``messages`` are those that
    are new, ``sent`` is what lies between the characters that are equal at both ends. ``shared`` has their numbers:
    ``{"messages": n, "sent": [from the beginning, to the end]}``."""
    kept: list[JSON] = []
    for place, turn in enumerate(turns):
        row, before = dict(turn), turns[place - 1] if place else {}
        shared: JSON = {}
        known, text, sent = before.get("messages"), before.get("sent"), turn.get("sent")
        if known and turn["messages"][: len(known)] == known:
            shared["messages"], row["messages"] = len(known), turn["messages"][len(known) :]
        if text and sent is not None:
            head = _equal(text, sent)
            tail = _equal(text[head:][::-1], sent[head:][::-1])
            shared["sent"], row["sent"] = [head, tail], sent[head : len(sent) - tail]
        kept.append({**row, "shared": shared} if shared else row)
    return kept


def _equal(one: str, other: str) -> int:
    """How many characters the two have in common at their beginning."""
    return next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def whole(turns: Sequence[JSON]) -> Iterator[JSON]:
    """The turns as they were before ``lean``; those of other tasks pass as they are."""
    before: JSON = {}
    for turn in turns:
        row = {key: value for key, value in turn.items() if key != "shared"}
        shared = turn.get("shared") or {}
        if "messages" in shared:
            row["messages"] = [*before["messages"][: shared["messages"]], *turn["messages"]]
        if "sent" in shared:
            head, tail = shared["sent"]
            row["sent"] = before["sent"][:head] + turn["sent"] + before["sent"][len(before["sent"]) - tail :]
        before = row
        yield row


def played_figures(outcomes: Sequence[JSON], *, right: str, share: str) -> list[Figure]:
    """``right``: how the rate of right samples is called; ``share``: the score from 0 to 1 that each has. ``stopped``
    are those that used up their turns. All three over the samples that were scored, ``unscored`` over all where there
    are some."""
    scored = [o for o in outcomes if not o["unscored"]]
    rates = [(right, [o["right"] for o in scored]), ("stopped", [o["stopped"] for o in scored])]
    if len(scored) < len(outcomes):
        rates.append(("unscored", [o["unscored"] for o in outcomes]))
    found = [Figure(name, i) for name, hits in rates if (i := wilson(sum(hits), len(hits)))]
    mean = bounded_interval([o[share] for o in scored])
    return [found[0], Figure(share, mean), *found[1:]] if mean else found
