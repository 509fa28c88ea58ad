"""A log of an MCP session: JSON-RPC messages, one a line; ``tools/list`` brings the tools, each ``tools/call`` and its
result are a turn. Requests of people are not on the wire: a log that has them (``method: user/message``) gives them,
otherwise the record starts with the first call."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lamina.trajectories.formats.format import Sample
from lamina.trajectories.formats.reading.chat import assistant, call
from lamina.trajectories.formats.reading.foreign import JSON, foreign, record
from lamina.trajectories.formats.reading.loose import as_text, loose_object
from lamina.trajectories.formats.reading.refused import Refused
from lamina.trajectories.formats.reading.toolspecs import tools_of


def detect(sample: Sample) -> str | None:
    rows = [_inner(row) for row in sample.rows]
    return "its lines are JSON-RPC messages" if rows and all("jsonrpc" in r for r in rows) else None


def _inner(row: Any) -> JSON:
    """Proxies wrap each message (``{"ts", "direction", "message": {…}}``)."""
    for key in ("message", "payload", "data"):
        if isinstance(row, dict) and "jsonrpc" not in row and isinstance(row.get(key), dict):
            return dict(row[key])
    return row if isinstance(row, dict) else {}


def read_row(row: Any, path: Path) -> JSON:
    rows = [_inner(one) for one in (row if isinstance(row, list) else [row])]
    tools: list[JSON] = []
    messages: list[JSON] = []
    waiting: dict[str, str] = {}
    for one in rows:
        given = one.get("params")
        parameters: JSON = given if isinstance(given, dict) else {}
        if one.get("method") == "tools/call":
            id = f"call_{one.get('id')}"
            made = call(str(parameters["name"]), loose_object(parameters.get("arguments")), id)
            parallel = messages and messages[-1].get("tool_calls") and waiting
            messages[-1]["tool_calls"].append(made) if parallel else messages.append(assistant("", [made]))
            waiting[id] = str(parameters["name"])
        elif one.get("method") in ("user/message", "assistant/message"):
            role = one["method"].partition("/")[0]
            messages.append({"role": role, "content": str(parameters.get("text", ""))})
        elif f"call_{one.get('id')}" in waiting and ("result" in one or "error" in one):
            id = f"call_{one['id']}"
            name = waiting.pop(id)
            messages.append({"role": "tool", "name": name, "tool_call_id": id, "content": _result(one)})
        elif isinstance(one.get("result"), dict) and isinstance(one["result"].get("tools"), list):
            tools += tools_of(one["result"]["tools"])
    if not any(m.get("tool_calls") for m in messages):
        raise Refused("not-a-trajectory", "no tools/call is in the log")
    return record(messages, tools, id=path.stem)


def _result(one: JSON) -> str:
    if "error" in one:
        error = one["error"]
        return f"Error: {error.get('message', error) if isinstance(error, dict) else error}"
    result = one["result"]
    content = result.get("content") if isinstance(result, dict) else None
    if isinstance(content, list) and content and all(isinstance(c, dict) and c.get("type") == "text" for c in content):
        return "\n".join(str(c.get("text", "")) for c in content)
    if isinstance(result, dict) and result.get("structuredContent") is not None:
        return as_text(result["structuredContent"])
    return as_text(result)


FORMAT = foreign("mcp-log", "an MCP session: JSON-RPC messages with tools/call", detect, read_row, whole_file=True)
