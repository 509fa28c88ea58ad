"""Mix: a recipe's sources become one data set, split by group. xLAM's last step (arXiv 2409.03215, section 3.3).

Everything is read twice and never held: first each record gets a verdict (a byte) and a number drawn from its id
and the seed, then the records with the smallest numbers are written. So the choice does not depend on the order of the
sources, and adding rows to one changes nothing for the others but their share."""

from __future__ import annotations

import hashlib
from array import array
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from lamina.checks.contamination import contaminated_rows, requests_in
from lamina.checks.reasons import Reason
from lamina.data.checking import Checker
from lamina.data.importing import Numbered, add_all, batches
from lamina.data.presenting import present
from lamina.data.recipe import ANY, GENERAL, Recipe, Source
from lamina.data.shares import quotas
from lamina.data.sources import copy_of_scored, files_of, records_of, requests_of
from lamina.runs import Progress, Run
from lamina.trajectories import Reject, Trajectory, TrajectoryStore

CountTokens = Callable[[Trajectory], "tuple[int, int] | None"]
"""Of a record, the tokens that a trainer reads and those it learns; None where it would refuse the record."""
STAGE = "mix"
KEPT = 0
REASONS = list(Reason)
SIDES = 1 << 32
COMPARED = 1_000
"""Requests that are compared with the held-out ones at once."""


@dataclass
class Tokens:
    """Of what is taken from one source. ``refused``: records that the trainer would not take."""

    read: int = 0
    learnt: int = 0
    longest: int = 0
    refused: int = 0

    def add(self, counted: tuple[int, int] | None) -> None:
        if counted is None:
            self.refused += 1
            return
        self.read, self.learnt = self.read + counted[0], self.learnt + counted[1]
        self.longest = max(self.longest, counted[0])


@dataclass
class Ledger:
    """Of one source: a verdict for each of its rows (0, or 1 + the place of the reason) and the number drawn for it."""

    verdicts: array[int] = field(default_factory=lambda: array("B"))
    draws: array[int] = field(default_factory=lambda: array("Q"))
    tokens: Tokens = field(default_factory=Tokens)
    copied: dict[int, str] = field(default_factory=dict)
    """Of rows that copy a held-out request, which; few."""

    def put(self, reason: Reason | None, draw: int) -> None:
        self.verdicts.append(KEPT if reason is None else 1 + REASONS.index(reason))
        self.draws.append(draw)

    @property
    def kept(self) -> int:
        return self.verdicts.count(KEPT)

    def take(self, count: int) -> None:
        """Leaves the ``count`` smallest draws of what is kept."""
        if count >= self.kept:
            return
        kept = sorted((draw, row) for row, draw in enumerate(self.draws) if self.verdicts[row] == KEPT)
        for _, row in kept[count:]:
            self.verdicts[row] = 1 + REASONS.index(Reason.OVER_SHARE)


def mix(recipe: Recipe, run: Run, progress: Progress, count: CountTokens | None = None) -> dict[str, Any]:
    """Writes the mix into ``run``. Returns ``{"rows", "sources": [{"name", "license", "read", "taken", "left_out":
    {reason: n}}], "split": {side: n}}``, and of each source its ``tokens`` where they are counted. Rows that were left
    out are rejects, with the reason."""
    ledgers = _judged(recipe, progress)
    for source, ledger in zip(recipe.source, ledgers, strict=True):
        ledger.take(source.cap or ledger.kept)
    for ledger, quota in zip(ledgers, quotas(recipe, [ledger.kept for ledger in ledgers]), strict=True):
        ledger.take(quota)
    sides: Counter[str] = Counter()
    store = TrajectoryStore(run.store)
    with progress.stage("mix", total=sum(len(ledger.verdicts) for ledger in ledgers)) as bar:
        for batch in batches(_written(recipe, ledgers, sides, count)):
            add_all(store, batch)
            bar.advance(len(batch), taken=sides.total())
    store.export(run.folder)
    sources = [_account(source, ledger) for source, ledger in zip(recipe.source, ledgers, strict=True)]
    if count is not None:
        for told, ledger in zip(sources, ledgers, strict=True):
            told["tokens"] = asdict(ledger.tokens)
    return {"rows": sides.total(), "sources": sources, "split": dict(sides)}


def _judged(recipe: Recipe, progress: Progress) -> list[Ledger]:
    held_out = requests_of(recipe.held_out)
    seen: set[bytes] = set()
    ledgers = []
    with progress.stage("read the sources") as bar:
        for source in recipe.source:
            ledger, waiting = Ledger(), list[tuple[int, list[str]]]()
            for _, found in _verdicts(source):
                if isinstance(found, Reject):
                    ledger.put(Reason(found.reason) if found.reason in REASONS else Reason.UNREADABLE, 0)
                    continue
                reason = _repeated(found, seen) if recipe.dedupe else None
                ledger.put(reason, _draw(recipe.seed, source.name, found.id))
                waiting.append((len(ledger.verdicts) - 1, requests_in(found)))
                if len(waiting) == COMPARED:
                    _mark_copies(ledger, waiting, held_out)
                bar.advance(1, source=source.name)
            _mark_copies(ledger, waiting, held_out)
            ledgers.append(ledger)
    return ledgers


def _verdicts(source: Source) -> Iterator[Numbered]:
    """Each row of a source as it would be taken, or as a reject."""
    checker = Checker()
    for number, one in enumerate(records_of(files_of([source.path]), source.format)):
        if isinstance(one, Reject):
            yield number, one
            continue
        if copy := copy_of_scored(one):
            yield number, copy
            continue
        if not _wanted(source, one):
            yield number, _reject(one, Reason.FILTERED, f"not what the source {source.name} is asked for")
            continue
        verdict = checker.check(one) if source.check else None
        yield number, one if verdict is None else (verdict.reject or verdict.record)


def _wanted(source: Source, one: Trajectory) -> bool:
    calls = "none" if source.general else source.calls
    if calls != "any" and bool(one.calls) != (calls == "some"):
        return False
    users = sum(message.role == "user" for message in one.messages)
    if source.turns != "any" and (users > 1) != (source.turns == "multi"):
        return False
    if source.most_tools is not None and len(one.tools) > source.most_tools:
        return False
    return not source.styles or one.meta.style in source.styles


def _repeated(one: Trajectory, seen: set[bytes]) -> Reason | None:
    """Sixteen bytes a record: the same conversation, whatever id and meta say."""
    said = [(m.role, m.content.strip(), [(c.name, c.arguments) for c in m.tool_calls or []]) for m in one.messages]
    mark = hashlib.blake2b(repr(said).encode(errors="replace"), digest_size=16).digest()
    if mark in seen:
        return Reason.DUPLICATE
    seen.add(mark)
    return None


def _mark_copies(ledger: Ledger, waiting: list[tuple[int, list[str]]], held_out: Mapping[str, str]) -> None:
    """``waiting``: places in the ledger and their requests."""
    scored = list(held_out)
    for number, other in contaminated_rows([requests for _, requests in waiting], scored).items():
        place = waiting[number][0]
        ledger.verdicts[place] = 1 + REASONS.index(Reason.CONTAMINATED)
        ledger.copied[place] = f"a copy of {held_out[scored[other]]}: {scored[other][:200]}"
    waiting.clear()


def _draw(seed: int, source: str, id: str) -> int:
    digest = hashlib.blake2b(f"{seed}/{source}/{id}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") | 1


def _written(
    recipe: Recipe, ledgers: list[Ledger], sides: Counter[str], count: CountTokens | None
) -> Iterator[Numbered]:
    position = 0
    for source, ledger in zip(recipe.source, ledgers, strict=True):
        for number, found in _verdicts(source):
            verdict = ledger.verdicts[number]
            if isinstance(found, Trajectory):
                found.id = f"{source.name}/{found.id}"
                if verdict == KEPT:
                    found.meta.source = source.name
                    found.meta.style = GENERAL if source.general else found.meta.style
                    found.meta.license = source.license or found.meta.license
                    found.meta.split = _side(recipe, found.meta.group or found.id)
                    sides[found.meta.split] += 1
                    found = _presented(source, found, recipe.seed)
                    if count is not None:
                        ledger.tokens.add(count(found))
                else:
                    detail = ledger.copied.get(number) or f"left out of {source.name}"
                    found = _reject(found, REASONS[verdict - 1], detail)
            else:
                found.id = f"{source.name}/{found.id}"
            yield position, found
            position += 1


def _presented(source: Source, one: Trajectory, seed: int) -> Trajectory:
    if not source.present or source.general:
        return one
    return present(one, seed, format=None if source.present == ANY else source.present)


def _side(recipe: Recipe, group: str) -> str:
    """Of the whole group, from its name and the seed."""
    digest = hashlib.blake2b(f"{recipe.seed}/split/{group}".encode(), digest_size=4).digest()
    at = int.from_bytes(digest, "big") / SIDES
    if at < recipe.test:
        return "test"
    return "validation" if at < recipe.test + recipe.validation else "train"


def _reject(one: Trajectory, reason: Reason, detail: str) -> Reject:
    record = one.model_dump(exclude_none=True)
    return Reject(id=one.id, stage=STAGE, reason=reason.value, detail=detail, record=record)


def _account(source: Source, ledger: Ledger) -> dict[str, Any]:
    left = Counter(REASONS[verdict - 1].value for verdict in ledger.verdicts if verdict != KEPT)
    return {
        "name": source.name, "path": Path(source.path).name, "license": source.license, "read": len(ledger.verdicts),
        "taken": ledger.kept, "left_out": dict(left.most_common()),
    }  # fmt: skip
