"""The page of rows: every row of a run, passed or rejected, to be searched and filtered in a browser, offline."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lamina.reports.rows import writer_of
from lamina.runs import RecordStore, Row
from lamina.runs.files import atomic_file
from lamina.runs.run import STORE
from lamina.runs.sampling import Reservoir

JSON = dict[str, Any]
MOST = 5000
"""Rows of each kind on the page (our choice: a few megabytes), drawn evenly from all there are: the first ones alone
would all be of the writers that come first."""
SEED = 0
PAGE = "rows.html"


def write_rows_page(folder: Path, categories: Mapping[str, str] | None = None) -> Path | None:
    """Writes ``rows.html`` of a run; None where it has no rows. ``categories`` by tool."""
    if not (folder / STORE).exists():
        return None
    with RecordStore(folder / STORE) as store:
        if not store.count("trajectory") and not store.count("reject"):
            return None
        drawn = {kind: Reservoir[Row](MOST, SEED) for kind in ("trajectory", "reject")}
        for kind, some in drawn.items():
            for row in store.iterate(kind):
                some.offer(row)
    passed, rejected = ([json.loads(row.payload) for row in some.in_order()] for some in drawn.values())
    counts = {"passed": drawn["trajectory"].seen, "rejected": drawn["reject"].seen}
    brand = '<a href="report.html">Report of the run</a>'
    return write_page(folder / PAGE, passed, rejected, counts, brand, categories)


def write_page(
    page: Path,
    passed: Sequence[JSON],
    rejected: Sequence[JSON],
    counts: dict[str, int],
    brand: str = "Lamina",
    categories: Mapping[str, str] | None = None,
    seed: int = SEED,
) -> Path:
    """Of records and rejects as they stand on disk; ``counts`` says of how many they are drawn evenly, ``seed`` with
    which seed. What models wrote stands in the page as data, is shown as text and never becomes markup; ``brand`` is
    our own markup. ``categories`` by tool: a row is of those of the tools that it calls. Raises StorageError."""
    rows = [*map(_passed, passed), *map(_rejected, rejected)]
    for row in rows:
        row["category"] = sorted({categories[name] for name in row["tools"] if categories and categories.get(name)})
    return _write(page, {"rows": rows, "all": counts, "seed": seed}, "Rows", brand)


def write_browsable(
    page: Path,
    rows: list[JSON],
    left_out: Mapping[str, int],
    title: str,
    fields: Sequence[tuple[str, str]],
    brand: str,
    packed: Sequence[str] = (),
) -> Path:
    """Of rows made elsewhere: ``{"id", "kind", "good", "steps": [{"who", "text", "mark"?, "note"?, "image"? (a data
    URL)}], …}``, with what ``fields`` (key and name of a filter) name. ``left_out``: by task, how many more there
    are, of which those here are drawn evenly, with ``SEED``. A step with ``rest``
    goes on with that one of ``packed`` (``sampled.Packed``), shown where it is opened, and then with ``end``. Text is
    treated as in ``write_page``."""
    of = {"rows": len(rows) + sum(left_out.values())}
    held = {"rows": rows, "all": of, "seed": SEED, "left_out": dict(left_out), "fields": [list(f) for f in fields]}
    return _write(page, held, title, brand, packed)


def _write(page: Path, held: JSON, title: str, brand: str, packed: Sequence[str] = ()) -> Path:
    data = json.dumps(held, ensure_ascii=False)
    template = Path(__file__).parent / "templates"
    text = (template / "rows.html").read_text("utf-8")
    text = text.replace("/*STYLE*/", (template / "report.css").read_text("utf-8"))
    text = text.replace("/*SCRIPT*/", (template / "rows.js").read_text("utf-8"))
    text = text.replace("<!--BRAND-->", brand).replace("<!--TITLE-->", title)
    blocks = "\n".join(f'<script type="text/plain" id="packed{i}">{text}</script>' for i, text in enumerate(packed))
    text = text.replace("<!--PACKED-->", blocks)
    # "</script" or "<!--" in a row would end the block that it stands in
    text = text.replace("/*DATA*/", data.replace("<", "\\u003c"))
    with atomic_file(page) as file:
        file.write(text.encode("utf-8", "replace"))
    return page


def _passed(record: JSON) -> JSON:
    meta = record.get("meta") or {}
    return {
        "id": record.get("id"),
        "kind": "passed",
        "style": meta.get("style") or "",
        "writer": writer_of(meta) if meta.get("writer") else meta.get("source") or "",
        "wording": meta.get("wording") or "",
        "split": meta.get("split") or "",
        "tools": _called(record),
        "offered": [t.get("function", t).get("name") for t in record.get("tools") or []],
        "steps": _steps(record),
        "evidence": _told([e for check in meta.get("checks") or [] for e in check.get("evidence") or []]),
    }


def _rejected(reject: JSON) -> JSON:
    """A reject keeps what synthesis drew, a whole record, or the raw text of a row that is none."""
    record = reject.get("record") or {}
    whole = record.get("messages") is not None
    meta = record.get("meta") or {} if whole else record
    return {
        "id": reject.get("id"),
        "kind": "rejected",
        "style": meta.get("style") or "",
        "writer": writer_of(meta) if meta.get("writer") else meta.get("source") or "",
        "wording": meta.get("wording") or "",
        "stage": reject.get("stage"),
        "reason": reject.get("reason"),
        "detail": str(reject.get("detail") or "")[:400],
        "tools": _called(record) if whole else sorted({str(c.get("name")) for c in record.get("calls") or []}),
        "steps": _steps(record) if whole else _drawn(record, str(reject.get("raw") or "")),
        "evidence": _told(record.get("evidence") or []),
    }


def _drawn(record: JSON, raw: str) -> list[JSON]:
    said = record.get("script") or [record.get("request") or raw]
    return [
        *({"who": "text", "text": str(text)[:1000]} for text in said if text),
        *({"who": "call", "text": _written(c)} for c in record.get("calls") or []),
    ]


def _called(record: JSON) -> list[str]:
    calls = [c for m in record.get("messages") or [] for c in m.get("tool_calls") or []]
    return sorted({c["function"]["name"] for c in calls})


def _told(evidence: list[JSON]) -> list[str]:
    """Where each argument comes from, as a person reads it."""
    said = {"default": "the default", "missing": "not said", "untraceable": "no words stand for it"}
    return [f"{e['argument']}: {said.get(e['verdict']) or '“' + str(e.get('words'))[:100] + '”'}" for e in evidence]


def _steps(record: JSON) -> list[JSON]:
    """The messages; a result of which the record holds only the beginning says so."""
    cut = (record.get("meta") or {}).get("truncated")
    cut = cut if isinstance(cut, list) else []
    steps, results = [], 0
    for message in record.get("messages") or []:
        step = _step(message)
        if message["role"] == "tool":
            if results in cut:
                step["note"] = f"cut: the record holds the first {len(message.get('content') or ''):,} characters"
            results += 1
        steps.append(step)
    return steps


def _step(message: JSON) -> JSON:
    if message.get("tool_calls"):
        return {"who": "call", "text": "\n".join(_written(c["function"]) for c in message["tool_calls"])}
    text = str(message.get("content") or "")
    return {"who": message["role"], "text": text[:1000] or ("(no call)" if message["role"] == "assistant" else "")}


def _written(call: JSON) -> str:
    arguments = ", ".join(
        f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in (call.get("arguments") or {}).items()
    )
    return f"{call.get('name')}({arguments})"[:1000]
