"""The page of samples of a bench: each prompt once, with the answer of every model below it, to be filtered."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from lamina.reports.browsing import MOST, write_browsable
from lamina.runs import RecordStore
from lamina.runs.run import STORE

JSON = dict[str, Any]
PAGE = "samples.html"
LONGEST = 6000
"""Characters of a prompt or an answer on the page; one that was cut says so."""
FIELDS = [
    ("kind", "verdict"), ("task", "task"), ("right", "right in"), ("wrong", "wrong in"), ("unscored", "unscored in"),
]  # fmt: skip


def write_samples_page(folder: Path, models: Sequence[str]) -> Path | None:
    """Writes ``samples.html`` of a run; None where it has no samples. ``models``: the order in which their answers
    stand. Raises StorageError."""
    places = {name: i for i, name in enumerate(models)}
    if not (folder / STORE).exists():
        return None
    with RecordStore(folder / STORE) as store:
        together: dict[tuple[str, str], list[JSON]] = {}
        for row in store.iterate("sample"):
            record = json.loads(row.payload)
            together.setdefault((record["task"], record["sample"]), []).append(record)
    if not together:
        return None
    for records in together.values():
        records.sort(key=lambda record: places.get(_name(record), len(places)))
    rows = [_row(task, sample, records) for (task, sample), records in islice(together.items(), MOST)]
    brand = '<a href="report.html">Report of the run</a>'
    return write_browsable(folder / PAGE, rows, len(together), "Samples", FIELDS, brand)


def _row(task: str, sample: str, records: list[JSON]) -> JSON:
    """``kind`` is what the models' verdicts have in common; ``good`` colours the row."""
    verdicts: dict[str, list[str]] = {"right": [], "wrong": [], "unscored": []}
    steps = _asked(records[0])
    for record in records:
        name = _name(record)
        verdict = "unscored" if record["scores"].get("unscored") else "right" if record["right"] else "wrong"
        verdicts[verdict].append(name)
        steps.append({"who": name, "text": _cut(_said(record)), "mark": verdict, "note": _note(record)})
    present = [verdict for verdict, names in verdicts.items() if names]
    kind = "models differ" if len(present) > 1 else f"all {present[0]}" if len(records) > 1 else present[0]
    return {"id": sample, "kind": kind, "good": present == ["right"], "task": task, "steps": steps, **verdicts}


def _asked(record: JSON) -> list[JSON]:
    first = record["transcript"][0] if record["transcript"] else {}
    steps = [{"who": m["role"], "text": _cut(str(m.get("content") or ""))} for m in first.get("messages") or []]
    wanted = first.get("target", first.get("expected"))
    if wanted is not None:
        steps.append({"who": "wanted", "text": _cut(wanted if isinstance(wanted, str) else _written(wanted))})
    return steps


def _said(record: JSON) -> str:
    """The answers of all turns."""
    answers = [str(turn.get("answer") or "") for turn in record["transcript"]]
    return "\n".join(answers) or "(nothing)"


def _note(record: JSON) -> str:
    turns = record["transcript"]
    tokens = sum(turn.get("completion_tokens") or 0 for turn in turns)
    told = [f"{name} {value:.3g}" for name, value in record["scores"].items() if type(value) is float]
    told += ["cut at the limit"] if record["scores"].get("cut") else []
    told += [str(reason)[:300] for reason in record["reasons"][:2]]
    return "; ".join([f"{tokens} tokens", *told])


def _written(wanted: Any) -> str:
    return json.dumps(wanted, ensure_ascii=False)


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} … ({len(text):,} characters in all)"


def _name(record: JSON) -> str:
    return f"{record['model']} {record['precision']}".strip()
