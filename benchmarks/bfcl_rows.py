"""Training rows for a caller of unknown functions, from a pool of checked records: so many of each of BFCL's kinds of
request (``bfcl_tuned.py`` calls it; docs/results/bfcl-tuned.md).

usage: bfcl_rows.py POOL OUT.jsonl [--rows N] [--longest TOKENS] [--base REF] [--seed N]

Of a record its first request and the answer to it count. A record of one call can stand with its tool alone (simple),
with up to three others (multiple), or without its tool, so that no tool serves (irrelevance); one of several calls
with the called tools, and up to two others where these are several (parallel, parallel_multiple). Others are the
record's own, else drawn from all records. A record serves once before any serves twice, never twice in one kind.
The same pool and seed give the same rows.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import re
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from lamina.data.augmenting import noted
from lamina.trajectories import Message, Trajectory, read_trajectories, write_trajectories

SHARES = {"parallel": 0.16, "parallel_multiple": 0.16, "irrelevance": 0.20, "multiple": 0.24, "simple": 0.24}
"""In the order in which they choose: what few records can give comes first (our choice)."""
MOST_OF_A_SOURCE = {"desk": 0.15, "library": 0.3}
"""Of a kind; two sets of tools that many rows share would be learnt by heart (our choice)."""
MOST_OF_PARALLEL = {"desk-parallel": 0.4, "library": 0.4}
MADE_REFUSALS = 0.6
"""Of the irrelevance rows at least, those whose right tool was taken away; the others came without a call."""
MOST_CALLS, MOST_TOOLS = 5, 4
Tool = dict[str, Any]


def first_answer(record: Trajectory) -> Trajectory | None:
    """The first request and its answer, where it can be learnt: one message of the user's, no system text, tools, no
    call that uses another's result, none made twice."""
    at = next((i for i, m in enumerate(record.messages) if m.role == "assistant"), None)
    if at is None or [m.role for m in record.messages[:at]] != ["user"] or not record.tools:
        return None
    calls = record.messages[at].tool_calls or []
    values = [json.dumps(call.arguments, sort_keys=True) for call in calls]
    if any(re.search(r"API_call_\d|\$", v) for v in values) or len(calls) > MOST_CALLS:
        return None
    if "Inquirer:" in record.request:  # a whole dialogue in one message, of which the last request alone is answered
        return None
    if len({(c.name, v) for c, v in zip(calls, values, strict=True)}) < len(calls):
        return None
    names = {name_of(tool) for tool in record.tools}
    if any(call.name not in names for call in calls):
        return None
    answer = Message(role="assistant", tool_calls=calls or None)
    return record.model_copy(update={"messages": [record.messages[0], answer]}, deep=True)


def name_of(tool: Tool) -> str:
    return str(tool["function"]["name"])


def words_of(name: str) -> set[str]:
    """``getFilmDetails`` and ``get_film_details`` have the same."""
    parts = re.findall(r"[A-Za-z][a-z]+|[A-Z]+(?![a-z])", name)
    return {part.lower().rstrip("s") for part in parts if len(part) > 3}


def kinds_of(record: Trajectory) -> tuple[str, ...]:
    """The kinds of row that a record may be."""
    called = {call.name for call in record.calls}
    if not called:
        return ("irrelevance",)
    if len(record.calls) == 1:
        return ("simple", "multiple", "irrelevance")
    return ("parallel",) if len(called) == 1 else ("parallel_multiple",)


class Forms:
    """The rows that records can be. ``pool``: tools of all records by name; ``fits``: whether a row is short enough to
    be learnt."""

    def __init__(self, pool: dict[str, Tool], fits: Callable[[Trajectory], bool], seed: int):
        self.pool, self.names, self.fits, self.seed = pool, sorted(pool), fits, seed

    def row(self, record: Trajectory, kind: str) -> Trajectory | None:
        """None where the record is too long for it."""
        called = list(dict.fromkeys(call.name for call in record.calls))
        rng = random.Random(f"{self.seed}:{kind}:{record.id}")
        if kind == "irrelevance":
            others = self._strangers(record, rng) if called else rng.sample(record.tools, len(record.tools))
            return self._row(record, kind, rng, [], others, 1, rng.randint(1, 3))
        if kind in ("simple", "parallel"):
            return self._row(record, kind, rng, called, [], 0, 0)
        others = self._others(record, rng)
        if kind == "multiple":
            return self._row(record, kind, rng, called, others, 1, rng.randint(1, 3))
        return self._row(record, kind, rng, called, others, 0, max(0, min(2, MOST_TOOLS - len(called))))

    def _others(self, record: Trajectory, rng: random.Random) -> list[Tool]:
        """Tools that are not called: the record's own, then any."""
        called = {call.name for call in record.calls}
        own = [tool for tool in record.tools if name_of(tool) not in called]
        own = rng.sample(own, len(own))
        there = {name_of(tool) for tool in record.tools}
        drawn = [self.pool[name] for name in rng.sample(self.names, MOST_TOOLS + len(there)) if name not in there]
        return own + drawn

    def _strangers(self, record: Trajectory, rng: random.Random) -> list[Tool]:
        """Tools that have no word in common with what is called, in their names, because they may do the same: the
        record's own, which were offered beside it, then any that have none in common with the request either."""
        called = set().union(*(words_of(call.name) for call in record.calls))
        asked = {word.lower().rstrip("s") for word in re.findall(r"[A-Za-z]{4,}", record.request)}
        own = {name_of(tool): tool for tool in record.tools if not words_of(name_of(tool)) & called}
        own = {name: tool for name, tool in own.items() if name not in {call.name for call in record.calls}}
        found = [n for n in rng.sample(self.names, 12) if n not in own and not words_of(n) & (called | asked)]
        return [*own.values(), *(self.pool[name] for name in found)]

    def _row(
        self, record: Trajectory, kind: str, rng: random.Random, called: list[str], others: Sequence[Tool],
        least: int, most: int,
    ) -> Trajectory | None:  # fmt: skip
        """With as many of the others as fit."""
        own = [tool for tool in record.tools if name_of(tool) in called]
        for count in range(min(most, len(others)), least - 1, -1):
            tools = [*own, *others[:count]]
            row = record.model_copy(update={"tools": rng.sample(tools, len(tools))}, deep=True)
            if kind == "irrelevance":
                row.messages = [row.messages[0], Message(role="assistant")]
            if self.fits(row):
                row = noted(row, "offer", self.seed)
                row.id, row.meta.style = f"{record.id}@{kind}", kind
                return row
        return None


def choose(records: dict[str, Trajectory], forms: Forms, rows: int, seed: int) -> list[Trajectory]:
    """``rows`` by ``SHARES``, fewer where a kind has too few."""
    used: Counter[str] = Counter()
    kinds = {id: kinds_of(one) for id, one in records.items()}
    chosen: list[Trajectory] = []
    for kind, share in SHARES.items():
        wanted, taken = round(rows * share), 0
        most = MOST_OF_PARALLEL if kind.startswith("parallel") else MOST_OF_A_SOURCE
        left = {source: int(part * wanted) for source, part in most.items()}
        left_native = int((1 - MADE_REFUSALS) * wanted)
        for id in sorted((i for i in kinds if kind in kinds[i]), key=lambda i: (used[i], digest(seed, kind, i))):
            source, native = records[id].meta.source, kinds[id] == ("irrelevance",)
            if taken == wanted or not left.get(source, 1) or (native and not left_native):
                continue
            row = forms.row(records[id], kind)
            if row is None:
                continue
            taken, left_native, used[id] = taken + 1, left_native - native, used[id] + 1
            left |= {source: left[source] - 1} if source in left else {}
            chosen.append(row)
        print(f"{kind}: {taken} of {wanted} wanted", flush=True)
    return sorted(chosen, key=lambda row: digest(seed, "order", row.id))


def digest(seed: int, *parts: str) -> bytes:
    return hashlib.blake2b("/".join([str(seed), *parts]).encode(), digest_size=8).digest()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pool", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--rows", type=int, default=800)
    parser.add_argument("--longest", type=int, default=512, help="tokens of a row in style full")
    parser.add_argument("--base", default="embedded", help="whose tokens")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    from lamina.training.counting import token_counter  # needs the extra train, the rows of a test do not

    records = {one.id: one for found in read_trajectories(given.pool) if (one := first_answer(found)) is not None}
    count = token_counter(given.base, "full")
    pool = {name_of(tool): tool for one in records.values() for tool in one.tools if "function" in tool}

    def fits(row: Trajectory) -> bool:
        counted = count(row)
        return counted is not None and counted[0] <= given.longest

    rows = choose(records, Forms(pool, fits, given.seed), given.rows, given.seed)
    write_trajectories(given.out, rows)
    counted = [count(row) or (0, 0) for row in rows]
    print(f"{len(rows)} rows, {sum(c[0] for c in counted)} tokens, {sum(c[1] for c in counted)} of them learnt")
    print("sources:", dict(Counter(row.meta.source for row in rows).most_common()))
    print("styles by source:", dict(Counter(f"{row.meta.style} {row.meta.source}" for row in rows).most_common()))


if __name__ == "__main__":
    main()
