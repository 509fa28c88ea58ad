"""OpenAI chat messages: ``tools`` or legacy ``functions``, ``tool_calls`` or legacy ``function_call``, arguments as
text or as an object, content as text or in parts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from lamina.trajectories.formats.format import Sample
from lamina.trajectories.formats.reading.chat import messages_of
from lamina.trajectories.formats.reading.foreign import JSON, foreign, needs, others, record
from lamina.trajectories.formats.reading.toolspecs import tools_of
from lamina.trajectories.trajectory import Message, Trajectory


def detect(sample: Sample) -> str | None:
    if not sample.has("messages") or not isinstance(sample.row["messages"], list):
        return None
    return "rows have messages with roles" if _roles(sample.row["messages"]) else None


def _roles(messages: list[Any]) -> bool:
    return bool(messages) and isinstance(messages[0], dict) and "role" in messages[0]


def read_row(row: Any, path: Path) -> JSON:
    row = needs(row, "messages")
    functions = row.get("tools") or row.get("functions") or []
    rest = others(row, "id", "messages", "tools", "functions", "meta")
    meta = row["meta"] if isinstance(row.get("meta"), dict) else {}
    return record(messages_of(row["messages"]), tools_of(functions), id=row.get("id"), rest=rest, **meta)


def write_row(trajectory: Trajectory) -> JSON:
    return {"id": trajectory.id, "messages": [message_row(m) for m in trajectory.messages], "tools": trajectory.tools}


def message_row(message: Message) -> JSON:
    """One message as the API takes it: arguments as JSON text."""
    row: JSON = message.model_dump(exclude_none=True)
    for made in row.get("tool_calls") or []:
        made["function"]["arguments"] = json.dumps(made["function"]["arguments"], ensure_ascii=False)
    return row


FORMAT = foreign("openai", "OpenAI chat messages with tools (or legacy functions)", detect, read_row, write_row)
