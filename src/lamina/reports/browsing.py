"""The page of rows: every row of a run, passed or rejected, to be searched and filtered in a browser, offline."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from lamina.runs import RecordStore
from lamina.runs.files import atomic_file
from lamina.runs.run import STORE

JSON = dict[str, Any]
MOST = 5000
"""Rows of each kind on the page (our choice: a few megabytes); the store has all of them."""
PAGE = "rows.html"


def write_rows_page(folder: Path) -> Path | None:
    """Writes ``rows.html``; None where the run has no rows. What models wrote stands in the page as data, is shown as
    text and never becomes markup."""
    if not (folder / STORE).exists():
        return None
    with RecordStore(folder / STORE) as store:
        passed = store.count("trajectory")
        rejected = store.count("reject")
        if not passed + rejected:
            return None
        rows = [*islice(_passed(store), MOST), *islice(_rejected(store), MOST)]
    data = json.dumps({"rows": rows, "all": {"passed": passed, "rejected": rejected}}, ensure_ascii=False)
    template = Path(__file__).parent / "templates"
    page = (template / "rows.html").read_text("utf-8")
    page = page.replace("/*STYLE*/", (template / "report.css").read_text("utf-8"))
    page = page.replace("/*SCRIPT*/", (template / "rows.js").read_text("utf-8"))
    # "</script" or "<!--" in a row would end the block that it stands in
    page = page.replace("/*DATA*/", data.replace("<", "\\u003c"))
    with atomic_file(folder / PAGE) as file:
        file.write(page.encode("utf-8", "replace"))
    return folder / PAGE


def _passed(store: RecordStore) -> Iterator[JSON]:
    for row in store.iterate("trajectory"):
        record = json.loads(row.payload)
        meta = record.get("meta") or {}
        steps = [_step(message) for message in record.get("messages") or []]
        calls = [c for m in record.get("messages") or [] for c in m.get("tool_calls") or []]
        yield {
            "id": record.get("id"),
            "kind": "passed",
            "style": meta.get("style") or "",
            "writer": meta.get("writer") or "",
            "wording": meta.get("wording") or "",
            "split": meta.get("split") or "",
            "tools": sorted({c["function"]["name"] for c in calls}),
            "offered": [t.get("function", t).get("name") for t in record.get("tools") or []],
            "steps": steps,
            "evidence": _told([e for check in meta.get("checks") or [] for e in check.get("evidence") or []]),
        }


def _rejected(store: RecordStore) -> Iterator[JSON]:
    for row in store.iterate("reject"):
        reject = json.loads(row.payload)
        record = reject.get("record") or {}
        calls = record.get("calls") or []
        said = record.get("script") or [record.get("request") or ""]
        yield {
            "id": reject.get("id"),
            "kind": "rejected",
            "style": record.get("style") or "",
            "writer": record.get("writer") or "",
            "wording": record.get("wording") or "",
            "stage": reject.get("stage"),
            "reason": reject.get("reason"),
            "detail": str(reject.get("detail") or "")[:400],
            "tools": sorted({str(c.get("name")) for c in calls}),
            "steps": [
                *({"who": "text", "text": str(text)[:1000]} for text in said if text),
                *({"who": "call", "text": _written(c)} for c in calls),
            ],
            "evidence": _told(record.get("evidence") or []),
        }


def _told(evidence: list[JSON]) -> list[str]:
    """Where each argument comes from, as a person reads it."""
    said = {"default": "the default", "missing": "not said", "untraceable": "no words stand for it"}
    return [f"{e['argument']}: {said.get(e['verdict']) or '“' + str(e.get('words'))[:100] + '”'}" for e in evidence]


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
