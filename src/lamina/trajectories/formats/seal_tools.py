"""Seal-Tools: a query and ``calling``; the tools lie beside, in ``tool.jsonl``. A value ``API_call_0`` is the result of
an earlier call."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lamina.trajectories.formats.format import Sample
from lamina.trajectories.formats.reading.beside import find_beside, those_of, tools_beside
from lamina.trajectories.formats.reading.chat import assistant, call
from lamina.trajectories.formats.reading.foreign import JSON, foreign, needs, others, record
from lamina.trajectories.formats.reading.loose import calls_of, loose
from lamina.trajectories.formats.reading.refused import Refused


def detect(sample: Sample) -> str | None:
    if sample.has("query", "calling"):
        return "rows have a query and calling"
    if sample.has("api_name", "api_description", "responses"):
        return "it is Seal-Tools' list of tools"
    return None


def read_row(row: Any, path: Path) -> JSON:
    if isinstance(row, dict) and "api_name" in row and "query" not in row:
        raise Refused("not-a-trajectory", "a description of a tool: no request and no call")
    row = needs(row, "query", "calling")
    rows = loose(row["calling"]) or []
    calls = [call(*made, _result_name(row)) for made, row in zip(calls_of(rows), rows, strict=True)]
    table = find_beside(path, "tool.jsonl")
    tools = those_of([c["function"]["name"] for c in calls], tools_beside(table)) if table else []
    responses = [r.get("responses") for r in rows if isinstance(r, dict)]
    messages: list[JSON] = [{"role": "user", "content": str(row["query"])}, assistant("", calls)]
    rest = others(row, "id", "query", "calling")
    return record(messages, tools, id=row.get("id"), rest={**rest, "responses": responses})


def _result_name(row: Any) -> str | None:
    """``API_call_0``: by this name later calls refer to the result of a call, so it is the call's id."""
    names = row.get("responses") if isinstance(row, dict) else None
    return names[0] if isinstance(names, list) and len(names) == 1 and isinstance(names[0], str) else None


FORMAT = foreign("seal-tools", "Seal-Tools: query and calling, tools beside", detect, read_row)
