"""ToolTalk: one conversation a file, each assistant turn with the calls it made before it spoke. Its tools are Python
code in the authors' repository and not in the file; a call that raised has its exception as the result."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lamina.trajectories.formats.format import Sample
from lamina.trajectories.formats.reading.chat import assistant, call, with_names
from lamina.trajectories.formats.reading.foreign import JSON, foreign, needs, others, record
from lamina.trajectories.formats.reading.loose import as_text, loose_object
from lamina.trajectories.formats.reading.toolspecs import tools_of


def detect(sample: Sample) -> str | None:
    return "it has a conversation and the apis_used in it" if sample.has("conversation", "apis_used") else None


def read_row(row: Any, path: Path) -> JSON:
    row = needs(row, "conversation")
    messages: list[JSON] = []
    for turn in row["conversation"]:
        turn = needs(turn, "role", "text")
        for made in turn.get("apis") or []:
            request = needs(needs(made, "request")["request"], "api_name")
            name = str(request["api_name"])
            messages.append(assistant("", [call(name, loose_object(request.get("parameters")))]))
            result = f"Exception: {made['exception']}" if made.get("exception") else as_text(made.get("response"))
            messages.append({"role": "tool", "name": name, "content": result})
        text = str(turn["text"])
        messages.append({"role": "user", "content": text} if turn["role"] == "user" else assistant(text, []))
    metadata = row.get("metadata") if isinstance(row.get("metadata"), dict) else {}
    rest = others(row, "conversation", "name", "tools", "conversation_id")
    return record(with_names(messages), tools_of(row.get("tools")), id=row.get("name"), group=path.stem,
                  now=metadata.get("timestamp"), rest=rest)  # fmt: skip


FORMAT = foreign("tooltalk", "ToolTalk conversations, one a file", detect, read_row)
