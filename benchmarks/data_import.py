"""The table of docs/results/data-formats.md: every sample of the shared data, read, checked, and taken through each
writable format.

usage: data_import.py [DATA]     DATA: the shared data folder, else the one beside the checkout

Rows are counted independently of the readers (lines of JSON Lines, entries of arrays, lines of CSV, one for a file that
is one object), so that a reader that skips rows is seen. Files that are no data sets (licences, databases, documents)
are named in OTHERS and left out."""

from __future__ import annotations

import csv
import json
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from lamina.data import Checker
from lamina.errors import InputError
from lamina.trajectories import Reject, read_trajectories
from lamina.trajectories.formats import detect_format, formats
from lamina.trajectories.formats.reading.losses import MEANING

SOURCES = (
    "fc-format-samples", "glaive-toolcall", "rlla-4k", "hammer-fc", "api-bank", "toolalpaca", "toolbench-sample",
    "nestful", "seal-tools", "tooltalk", "metatool", "tau2-bench", "gorilla-misc", "stabletoolbench",
)  # fmt: skip
OTHERS = ("init_database", "databases", "documents", "response_examples", "db.json", "user_db.json", "split_tasks.json",
          "tau1_flights.json", "tau1_reservations.json", "tau1_users.json", "exceptions.json", "all_apis.csv",
          "plugin_des.json", "big_tool_des.json", "example_eval.jsonl", "hermes_few_shot.json")  # fmt: skip
"""Databases, tables of tools that readers take from beside the data, a benchmark's predictions, a prompt."""


@dataclass
class Source:
    files: int = 0
    rows: int = 0
    records: int = 0
    unread: Counter[str] = field(default_factory=Counter)
    accepted: int = 0
    mended: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    formats: Counter[str] = field(default_factory=Counter)
    unaccounted: int = 0


def rows_of(file: Path) -> int:
    """Rows that stand in a file, counted without Lamina."""
    if file.suffix == ".csv":
        with open(file, encoding="utf-8-sig", newline="") as table:
            return sum(1 for _ in csv.DictReader(table))
    text = file.read_text(encoding="utf-8-sig")
    try:
        value = json.loads(text)
    except ValueError:
        return sum(1 for line in text.splitlines() if line.strip())
    return len(value) if isinstance(value, list) else 1


def read(source: Path, checker: Checker, trips: dict[str, Counter[str]]) -> Source:
    found = Source()
    for file in sorted(f for f in source.rglob("*") if f.suffix in (".json", ".jsonl", ".csv")):
        if set(file.relative_to(source).parts) & set(OTHERS):
            continue
        try:
            name = detect_format(file).name
        except InputError:
            name = "unknown"
        rejects: list[Reject] = []
        whole = name in ("api-bank", "mcp-log")
        seen: set[str] = set()
        found.files += 1
        found.formats[name] += 1
        rows = 1 if whole else rows_of(file)
        found.rows += rows
        n = 0
        for number, record in enumerate(read_trajectories(file, rejects.append)):
            n += 1
            found.records += 1
            verdict = checker.check(record)
            if verdict.rejection:
                found.rejected[verdict.rejection.reason.value] += 1
                continue
            found.accepted += 1
            found.mended += bool(verdict.mended)
            seen.add(str(number))
            for target in (f for f in formats().values() if f.losses):
                assert target.losses is not None
                lost = target.losses(verdict.record)
                held = not set(lost) & {*MEANING, "record"}
                trips[target.name]["held" if held else "told"] += 1
        found.unread.update(r.reason for r in rejects)
        found.unaccounted += max(0, rows - n - len(rejects))
    return found


def main() -> None:
    given = sys.argv[1:]
    data = Path(given[0]) if given else Path(__file__).resolve().parents[2] / "shared" / "data"
    checker = Checker()
    trips: dict[str, Counter[str]] = {f.name: Counter() for f in formats().values() if f.losses}
    total = Source()
    print(
        "| source | format | files | rows | records | accepted | of these mended | rejected by the checks | no record |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    for name in SOURCES:
        one = read(data / name, checker, trips)
        for key in ("files", "rows", "records", "accepted", "mended", "unaccounted"):
            setattr(total, key, getattr(total, key) + getattr(one, key))
        total.rejected += one.rejected
        total.unread += one.unread
        row = [name, ", ".join(one.formats), one.files, one.rows, one.records, one.accepted, one.mended,
               _listed(one.rejected), _listed(one.unread)]  # fmt: skip
        print("| " + " | ".join(map(str, row)) + " |")
    print(f"| **all** | | {total.files} | {total.rows} | {total.records} | {total.accepted} | {total.mended} | "
          f"{_listed(total.rejected)} | {_listed(total.unread)} |")  # fmt: skip
    print(f"\nrows that became neither a record nor a reject: {total.unaccounted}\n")
    print("| format | accepted records it holds (same calls, same results) | it tells that it cannot |\n|---|---|---|")
    for name, counts in trips.items():
        print(f"| {name} | {counts['held']} | {counts['told']} |")


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{reason} {n}" for reason, n in counts.most_common()) or "-"


if __name__ == "__main__":
    main()
