"""xlam-function-calling-60k: ``query``, ``tools`` and ``answers``, the last two as JSON text; parameters are flat and
their types are Python's (``str, optional``). Hammer's evaluation rows are the same with lists, and a dialogue as the
query. No answers means that no tool fits."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from lamina.trajectories.formats.format import Sample
from lamina.trajectories.formats.reading.chat import array_calls, assistant, call, messages_of
from lamina.trajectories.formats.reading.foreign import JSON, foreign, needs, others, record
from lamina.trajectories.formats.reading.loose import calls_of, loose
from lamina.trajectories.formats.reading.refused import Refused
from lamina.trajectories.formats.reading.toolspecs import tools_of
from lamina.trajectories.trajectory import Trajectory

NO_TOOL_FITS = "irrelevance"


def detect(sample: Sample) -> str | None:
    return "rows have query, tools and answers" if sample.has("query", "tools", "answers") else None


def read_row(row: Any, path: Path) -> JSON:
    row = needs(row, "query", "tools", "answers")
    query = row["query"]
    messages = messages_of(query, array_calls) if isinstance(query, list) else [{"role": "user", "content": str(query)}]
    if not any(m["role"] == "user" and m["content"].strip() for m in messages):
        raise Refused("no-request", "the query is empty")
    made = [call(*c) for c in calls_of(loose(row["answers"]) or [])]
    messages.append(assistant("", made))
    style = None if made else NO_TOOL_FITS
    return record(messages, _tools(row["tools"]), id=row.get("id"), style=style,
                  rest=others(row, "id", "query", "tools", "answers"))  # fmt: skip


def _tools(value: Any) -> list[JSON]:
    """Of tools that do not say what they require, what their types do not call optional is required. A default does not
    make it optional: xLAM's own calls give such arguments (``lamina.tools.json_shapes`` reads lists of tools alike)."""
    rows = loose(value) if isinstance(value, str) else value
    tools = tools_of(rows)
    for row, tool in zip(rows if isinstance(rows, list) else [], tools, strict=False):
        flat = row.get("parameters") if isinstance(row, dict) else None
        told = isinstance(flat, dict) and isinstance(flat.get("properties"), dict)
        if not isinstance(flat, dict) or told or "required" in row or not all(map(_is_open, flat.values())):
            continue
        parameters = tool["function"]["parameters"]
        known = parameters["properties"]
        parameters["required"] = [name for name in known if _must(flat.get(name))]
    return tools


def _is_open(spec: Any) -> bool:
    return isinstance(spec, dict) and "required" not in spec


def _must(spec: Any) -> bool:
    return isinstance(spec, dict) and "optional" not in str(spec.get("type", "")).lower()


def write_row(trajectory: Trajectory) -> JSON:
    """The first request and the calls of the first turn that has any: the format holds one turn and, by design, nothing
    that came back of its calls. Types stay those of
    JSON Schema, in ``parameters`` as a whole, so that ``required`` and nesting are kept."""
    calls = next((m.tool_calls for m in trajectory.messages if m.tool_calls), [])
    answers = [{"name": c.name, "arguments": c.arguments} for c in calls]
    tools = [t.get("function", t) for t in trajectory.tools]
    return {
        "id": trajectory.id,
        "query": trajectory.request,
        "tools": json.dumps(tools, ensure_ascii=False),
        "answers": json.dumps(answers, ensure_ascii=False),
    }


FORMAT = foreign(
    "xlam-60k", "xlam-function-calling-60k: query, tools, answers", detect, read_row, write_row, lacks=["results"]
)
