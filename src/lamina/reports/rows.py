"""What the report takes from the run's record store: counts by writer, style and tool, and rows to read.
Everything is read once, in flat memory; records are plain dicts here."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lamina.runs import RecordStore
from lamina.runs.run import STORE

JSON = dict[str, Any]
_A_BUCKET = 10
"""Examples kept of one style and tool, or of one reason: enough where a run has only one of them."""
UNKNOWN = "not known"
EXAMPLES, GRAMMAR = "your examples", "the grammar"
NO_MODELS = {"examples": EXAMPLES, "grammar": GRAMMAR, "none": "nobody (no call ran)"}
"""Writers that are no model, as a reader calls them."""
GROUPED_BY = ("writer", "style", "wording", "category", "tool")


@dataclass
class Group:
    """Rows of one writer, style or tool: how many passed, and how many failed at each stage."""

    name: str
    verified: int = 0
    failed: Counter[str] = field(default_factory=Counter)

    def failed_at(self, stages: Iterable[str]) -> int:
        return sum(self.failed[stage] for stage in stages)

    @property
    def targets(self) -> int:
        return self.verified + sum(self.failed.values())


@dataclass
class Rows:
    """``groups`` by what they are grouped by; ``reasons`` per stage; ``passed`` and ``rejected`` to read."""

    groups: dict[str, dict[str, Group]] = field(default_factory=lambda: {by: {} for by in GROUPED_BY})
    reasons: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    passed: list[JSON] = field(default_factory=list)
    rejected: list[JSON] = field(default_factory=list)
    verified: int = 0


def read_rows(folder: Path, categories: Mapping[str, str] | None = None, examples: int = 10) -> Rows:
    """``categories`` by tool. Empty where the folder has no store. Raises ``StorageError`` for a damaged one."""
    rows = Rows()
    if not (folder / STORE).exists():
        return rows
    passed: dict[Any, list[JSON]] = defaultdict(list)
    rejected: dict[Any, list[JSON]] = defaultdict(list)
    with RecordStore(folder / STORE) as store:
        for record in _payloads(store, "trajectory"):
            rows.verified += 1
            facts = _facts(record, categories or {})
            for group in _groups(rows, facts):
                group.verified += 1
            _keep(passed[facts["style"][0], facts["tool"][0]], record)
        for reject in _payloads(store, "reject"):
            stage, reason = str(reject.get("stage")), str(reject.get("reason"))
            rows.reasons[stage][reason] += 1
            for group in _groups(rows, _facts(reject.get("record") or {}, categories or {})):
                group.failed[stage] += 1
            _keep(rejected[stage, reason], reject)
    rows.passed = [_example(record) for record in _round_robin(passed, examples)]
    rows.rejected = [_reject_example(reject) for reject in _round_robin(rejected, examples)]
    return rows


def read_misses(folder: Path, model: str, precision: str, task: str, most: int = 40) -> list[JSON]:
    """The samples of one benched model on one task that came out wrong, in the order of the task; what could not be
    asked is not wrong."""
    found: list[JSON] = []
    if not (folder / STORE).exists():
        return found
    with RecordStore(folder / STORE) as store:
        for record in _payloads(store, "sample"):
            about = (record.get("model"), record.get("precision"), record.get("task"))
            unscored = (record.get("scores") or {}).get("unscored")
            if about == (model, precision, task) and not (record.get("right") or unscored) and len(found) < most:
                found.append(_miss(record))
    return found


def _payloads(store: RecordStore, kind: str) -> Iterator[JSON]:
    for row in store.iterate(kind):
        yield json.loads(row.payload)


def _facts(record: JSON, categories: Mapping[str, str]) -> dict[str, list[str]]:
    """What the row counts under, by what it is grouped by; a refusal calls ``no call``. Rejects stand in a form of
    their own, without messages."""
    meta = record.get("meta") or record
    turns = _turns(record)
    calls = [c["function"] for turn in turns for c in turn] or record.get("calls") or []
    tools = list(dict.fromkeys(str(call["name"]) for call in calls))
    return {
        "writer": [writer_of(meta)],
        "style": [str(meta.get("style") or UNKNOWN)],
        "wording": [str(meta["wording"])] if meta.get("wording") else [],
        "category": list(dict.fromkeys(categories[tool] for tool in tools if categories.get(tool))),
        "tool": tools or ["no call" if turns or "calls" in record else UNKNOWN],
    }


def writer_of(meta: JSON) -> str:
    """Variants of what somebody wrote are a line of their own, called what they are."""
    name = str(meta.get("writer") or UNKNOWN)
    name = NO_MODELS.get(name, name)
    return f"{name} with other {meta['augmented']}" if meta.get("augmented") else name


def _turns(record: JSON) -> list[list[JSON]]:
    messages = record.get("messages") or []
    return [m.get("tool_calls") or [] for m in messages if m.get("role") == "assistant"]


def _groups(rows: Rows, facts: dict[str, list[str]]) -> Iterator[Group]:
    for by, names in facts.items():
        for name in names:
            yield rows.groups[by].setdefault(name, Group(name))


def _keep(bucket: list[JSON], record: JSON) -> None:
    if len(bucket) < _A_BUCKET:
        bucket.append(record)


def _round_robin(buckets: dict[Any, list[JSON]], most: int) -> list[JSON]:
    """One of each bucket, then a second of each, and so on."""
    chosen = [bucket[i] for i in range(_A_BUCKET) for bucket in buckets.values() if len(bucket) > i]
    return chosen[:most]


def _example(record: JSON) -> JSON:
    meta = record.get("meta") or {}
    return {
        "id": record.get("id"),
        "style": meta.get("style"),
        "writer": writer_of(meta),
        "now": meta.get("now"),
        "turns": _steps(record),
        "checks": [c.get("name") for c in meta.get("checks") or [] if c.get("verdict") == "passed"],
    }


def _steps(record: JSON) -> list[JSON]:
    """The messages as steps to print: ``{"who", "text"}`` or ``{"who", "calls"}``."""
    steps = []
    for message in record.get("messages") or []:
        who = message.get("role")
        if message.get("tool_calls"):
            steps.append({"who": who, "calls": message["tool_calls"]})
        elif who == "assistant" and not message.get("content"):
            steps.append({"who": who, "calls": []})
        elif message.get("content"):
            steps.append({"who": who, "text": message["content"]})
    return steps


def _reject_example(reject: JSON) -> JSON:
    record = reject.get("record") or {}
    shown = _example(record) if record.get("messages") else _drawn_example(record)
    about = {key: reject.get(key) for key in ("id", "stage", "reason", "detail")}
    said = any("text" in turn for turn in shown["turns"])
    return shown | about | {"raw": None if said else reject.get("raw")}


def _drawn_example(record: JSON) -> JSON:
    """What synthesis drew for a row that came to nothing: in a form of its own, with the pieces of a conversation as
    its ``script``."""
    said = record.get("script") or [record.get("request")]
    turns: list[JSON] = [{"who": "user", "text": str(text)} for text in said if text]
    if record.get("calls") or ("calls" in record and turns):
        turns.append({"who": "assistant", "calls": record["calls"]})
    about = {"style": record.get("style"), "writer": writer_of(record) if record.get("writer") else None}
    return {**about, "turns": turns}


def _last_said(messages: Iterable[JSON]) -> str:
    """By the user."""
    said = [str(message.get("content") or "") for message in messages if message.get("role") == "user"]
    return said[-1] if said else ""


def _miss(record: JSON) -> JSON:
    row = record.get("row") or {}
    transcript = record.get("transcript") or []
    last = transcript[-1] if transcript else {}
    return {
        "id": record.get("sample"),
        "request": row.get("query") or _last_said(row.get("messages") or []),
        "kind": row.get("kind"),
        "now": row.get("now"),
        "expected": row.get("calls") or [],
        "answered": [call for turn in transcript for call in turn.get("calls") or []],
        "raw": last.get("answer") if last.get("problem") else None,
        "reasons": record.get("reasons") or [],
    }
