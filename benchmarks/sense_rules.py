"""What the rules of sense (``synth.rules``) refuse of rows that a reader found right or faulty, and of requests that
people wrote.

usage: sense_rules.py        (seconds; docs/results/library.md)

The rules were written after reading the faulty ones, so the figures say what they do and not what they would do on new
rows; ``examples.jsonl`` of the desk was looked at, too, once the rules stood.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

from lamina.checks import Candidate, Rejection
from lamina.synth.rules import RULES, Case
from lamina.tools import Toolbox, read_tools
from lamina.trajectories import ToolCall, read_queries, with_examples

HERE = Path(__file__).parent
EXAMPLES = HERE.parent / "examples"
CLOCK = "2026-11-23T10:00:00"


def objection(request: str, calls: list[dict[str, Any]], toolbox: Toolbox) -> Rejection | None:
    made = [ToolCall.of(call["name"], call["arguments"]) for call in calls]
    return RULES["sense"](Case(Candidate(request, [made], "", "a model", 0, CLOCK), toolbox)) if made else None


def read_rows(file: Path) -> list[tuple[str, list[dict[str, Any]], bool]]:
    """Request, calls and whether a reader found a fault; of rows with one request."""
    found = []
    for line in file.read_text("utf-8").splitlines():
        row = json.loads(line)
        if "messages" in row:
            asked = [m["content"] for m in row["messages"] if m["role"] == "user"]
            calls = [call for m in row["messages"] for call in m.get("calls") or []]
        else:
            asked, calls = [row["query"]], row["calls"]
        if len(asked) == 1:
            found.append((asked[0], calls, bool(row["fault"])))
    return found


def show(name: str, rows: list[tuple[str, list[dict[str, Any]], bool]], toolbox: Toolbox) -> None:
    counted: Counter[tuple[bool, bool]] = Counter()
    for request, calls, fault in rows:
        found = objection(request, calls, toolbox)
        counted[fault, found is not None] += 1
        if found and not fault:
            print(f"  refused: {request[:90]!r}: {found.detail[:80]}")
    faulty, right = (counted[fault, True] + counted[fault, False] for fault in (True, False))
    print(
        f"{name:34} refused: {counted[True, True]:2} of {faulty:2} faulty, {counted[False, True]:2} of {right:4} right"
    )


def main() -> None:
    library, bare = read_tools(EXAMPLES / "library"), read_tools(EXAMPLES / "desk" / "tools.py")
    queries = read_queries(EXAMPLES / "desk" / "examples.jsonl", bare)
    desk = with_examples(bare, queries)
    show("library, 100 rows", read_rows(HERE / "library_read.jsonl"), library)
    show("library, 50 rows, calls of several", read_rows(HERE / "library_read_again.jsonl"), library)
    show("library, 100 rows, whole run", read_rows(HERE / "library_read_third.jsonl"), library)
    show("desk, 100 rows", read_rows(HERE / "round_trip_read.jsonl"), desk)
    people = [(q.query, [{"name": c.name, "arguments": c.arguments} for c in q.calls], False) for q in queries]
    show("desk, people's, examples shown", people, desk)
    show("desk, people's, none shown", people, bare)


if __name__ == "__main__":
    main()
