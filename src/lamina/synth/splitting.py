"""Split by group: rows that share a sentence frame, or nearly share one, stay on one side; so does a row that says
another's request within its own."""

from __future__ import annotations

import random
import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from rapidfuzz import process
from rapidfuzz.distance import LCSseq

from lamina.checks.contamination import contaminated_rows, requests_in, requests_said
from lamina.checks.near import WordCodes
from lamina.runs import Row, Run
from lamina.synth.augment import is_variant
from lamina.synth.contained import contained_pairs
from lamina.synth.grammar import WRITER as GRAMMAR
from lamina.trajectories import Check, Trajectory, TrajectoryStore

NEAR = 0.75
"""Frames whose longest common word subsequence is at least this share of the longer one are near-copies
(our choice; APIGen and ours call rows duplicates at 0.7 of the characters)."""
SHARES = {"test": 0.2, "validation": 0.1}
"""Of the rows of each style that stand in no group with a user's example; the rest train. Style by style, because
styles are few rows of few frames: drawn from all rows at once, three in four of the near-miss refusals of a build
went to the test set, and the model never learned to refuse them."""
MOST_GRAMMAR = 3
"""One in so many of the rows of the grammar, of models and of people. What says an example again with other values is
on neither side: a program composed it, and it must not make room for more that a program composed."""
BLOCK = 1000
"""Frames that are compared with the others at a time, and rows that are written in one transaction."""
CONTAMINATION = "contamination"


def split(run: Run, seed: int = 0, held_out: Mapping[str, str] | None = None) -> dict[str, int]:
    """Writes ``meta.split`` on every row: ``train``, ``validation`` or ``test``, ``surplus`` for grammar rows beyond
    ``MOST_GRAMMAR``, ``contaminated`` for copies of requests that a model will be scored on (``held_out``: each with
    the name of where it stands); ``meta.contaminated`` then says which. Returns the rows of each. Examples that the
    user wrote always train: they are in the prompts of the writers."""
    store = TrajectoryStore(run.store)
    rows = [_seen(row) for row in store.trajectories()]
    scored = list(held_out or ())
    copies = {rows[i].id: scored[j] for i, j in contaminated_rows([r.requests for r in rows], scored).items()}
    surplus = _surplus([row for row in rows if row.id not in copies])
    groups: dict[int, list[Seen]] = defaultdict(list)
    labels = _clusters([r.frame for r in rows], [r.tools for r in rows], [r.asked for r in rows])
    for row, label in zip(rows, labels, strict=True):
        groups[label].append(row)
    sides = _sides(groups, seed)
    placed: dict[str, tuple[str, int]] = {}
    for label, members in groups.items():
        for row in members:
            side = "contaminated" if row.id in copies else "surplus" if row.id in surplus else sides[label]
            placed[row.id] = side, label
    _write(run, placed, {id: f"{held_out[copied]}: {copied}" for id, copied in copies.items()} if held_out else {})
    store.export(run.folder)
    return dict(Counter(side for side, _ in placed.values()))


@dataclass(frozen=True)
class Seen:
    """What the split looks at: a tenth of a row or less, so that a hundred thousand rows are some 100 MB."""

    id: str
    writer: str
    style: str
    requests: tuple[str, ...]
    """As it stands and, where that is another, as it was written."""
    frame: str
    tools: str
    asked: tuple[str, ...] = ()
    """The request as it was written, before chatter was put around it, and what is said later in a conversation."""
    variant: bool = False


def _seen(row: Trajectory) -> Seen:
    said, clean = tuple(requests_in(row)), (row.meta.model_extra or {}).get("clean")
    asked = (clean or row.request, *requests_said(row)[1:])
    return Seen(row.id, row.meta.writer, row.meta.style, said, _frame(row), _tools(row), asked, is_variant(row))


def _write(run: Run, placed: Mapping[str, tuple[str, int]], copied: Mapping[str, str]) -> None:
    """Row after row; what was placed already by a killed run is written again, to the same effect."""
    store = TrajectoryStore(run.store)
    changed = (_placed(kept, placed, copied) for kept in run.store.iterate("trajectory"))
    while some := list(islice(changed, BLOCK)):
        store.update(*some)


def _placed(kept: Row, placed: Mapping[str, tuple[str, int]], copied: Mapping[str, str]) -> tuple[int, Trajectory]:
    row = Trajectory.from_json(kept.payload)
    side, label = placed[row.id]
    row.meta.split, row.meta.group = side, f"g{label}"
    if row.id in copied:
        others = [check for check in row.meta.checks if check.name != CONTAMINATION]
        told = Check(name=CONTAMINATION, verdict="rejected", detail=f"a copy of {copied[row.id]}")
        row.meta = row.meta.model_copy(update={"contaminated": copied[row.id], "checks": [*others, told]})
    return kept.position, row


def _sides(groups: dict[int, list[Seen]], seed: int) -> dict[int, str]:
    """Groups with an example of the user train; of the others each style gives its ``SHARES``, whole groups in
    random order. A group larger than the room left for its style trains."""
    labels = sorted(groups)
    random.Random(seed).shuffle(labels)
    free = [label for label in labels if not any(row.writer == "examples" for row in groups[label])]
    sides = dict.fromkeys(labels, "train")
    by_style: dict[str, list[int]] = defaultdict(list)
    for label in free:
        by_style[Counter(row.style for row in groups[label]).most_common(1)[0][0]].append(label)
    for own in by_style.values():
        total = sum(len(groups[label]) for label in own)
        room = {side: round(share * total) for side, share in SHARES.items()}
        for label in own:
            size = len(groups[label])
            side = next((name for name, left in room.items() if size <= left), "train")
            if side != "train":
                room[side] -= size
            sides[label] = side
    return sides


def _surplus(rows: list[Seen]) -> set[str]:
    """Grammar rows beyond ``MOST_GRAMMAR``."""
    composed = [r.id for r in rows if r.writer == GRAMMAR]
    others = sum(r.writer != GRAMMAR and not r.variant for r in rows)
    allowed = others // (MOST_GRAMMAR - 1)
    # drawn, not the tail: the tail is one style
    excess = len(composed) - allowed
    return set(random.Random(0).sample(composed, excess)) if excess > 0 else set()


def _frame(row: Trajectory) -> str:
    """The request with its values masked, where they were found in it. What a writer said after a user's example with
    other values has the example's frame, and goes where the example goes."""
    extra = row.meta.model_extra or {}
    return extra.get("frame") or extra.get("template") or extra.get("clean") or row.request


def _tools(row: Trajectory) -> str:
    return " ".join(sorted({call.name for call in row.calls}))


def _clusters(frames: list[str], tools: list[str], asked: Sequence[Sequence[str]] = ()) -> list[int]:
    """Union of near-equal frames of the same tools, and of rows whose requests (``asked``) contain another's; the label
    is the index of the first member. Compared within a tool set, time grows with the rows of each, not with the square
    of all, and memory with one block."""
    parent = list(range(len(frames)))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    def join(i: int, j: int) -> None:
        a, b = root(i), root(j)
        parent[max(a, b)] = min(a, b)

    codes = WordCodes()
    first: dict[tuple[str, str], int] = {}
    for i, (frame, named) in enumerate(zip(frames, tools, strict=True)):
        join(i, first.setdefault((named, codes.coded(_words(frame))), i))
    blocks: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for (named, words), i in first.items():
        blocks[named].append((words, i))
    for block in blocks.values():
        for start in range(0, len(block), BLOCK):
            some = block[start : start + BLOCK]
            scores = process.cdist(
                [words for words, _ in some], [words for words, _ in block],
                scorer=LCSseq.normalized_similarity, score_cutoff=NEAR, workers=2, processor=None,
            )  # fmt: skip
            for i, j in zip(*scores.nonzero(), strict=True):
                join(some[int(i)][1], block[int(j)][1])
    for i, j in contained_pairs(asked, tools) if asked else ():
        join(i, j)
    return [root(i) for i in range(len(frames))]


def _words(frame: str) -> list[str]:
    return re.findall(r"[\w{}.]+", frame.casefold())
