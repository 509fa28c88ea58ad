"""xLAM-2 and Hammer: the assistant's whole text is a bare JSON array of calls (``[]``: no tool fits), or xLAM's older
``{"thought", "tool_calls"}``. As chat rows, or as instruction and output with marked sections."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from lamina.trajectories.formats.format import Sample
from lamina.trajectories.formats.reading.chat import array_calls, assistant, call, messages_of
from lamina.trajectories.formats.reading.foreign import JSON, foreign, needs, others, record
from lamina.trajectories.formats.reading.loose import loose, unfenced
from lamina.trajectories.formats.reading.refused import Refused
from lamina.trajectories.formats.reading.toolspecs import tools_of
from lamina.trajectories.trajectory import Message, Trajectory

_SECTION = re.compile(r"\[BEGIN OF ([A-Z ]+)\]\s*(.*?)\s*\[END OF \1\]", re.S)


def detect(sample: Sample) -> str | None:
    if sample.has("instruction", "output") and "[BEGIN OF AVAILABLE TOOLS]" in str(sample.row["instruction"]):
        return "its instruction has xLAM's [BEGIN OF AVAILABLE TOOLS] section"
    for row in sample.rows:
        turns = row.get("messages", row.get("conversations")) if isinstance(row, dict) else None
        for turn in turns if isinstance(turns, list) else []:
            if (
                not isinstance(turn, dict)
                or turn.get("tool_calls")
                or turn.get("role", turn.get("from")) not in _SPEAKERS
            ):
                continue
            text = turn.get("content", turn.get("value"))
            if isinstance(text, str) and text.lstrip()[:1] in "[{`" and _has_calls(text):
                return "an assistant's whole text is a JSON array of calls"
    return None


_SPEAKERS = ("assistant", "gpt")


def _has_calls(text: str) -> bool:
    found = array_calls(text)
    return bool(found and found[1])


def read_row(row: Any, path: Path) -> JSON:
    row = needs(row)
    if "instruction" in row:
        return _sections(needs(row, "output"))
    key = "messages" if "messages" in row else "conversations"
    needs(row, key)
    messages = messages_of(row[key], _bare)
    return record(messages, tools_of(row.get("tools")), id=row.get("id"), rest=others(row, "id", key, "tools"))


def _bare(text: str) -> Any:
    return ("", []) if unfenced(text).strip() == "[]" else array_calls(text)


def _sections(row: JSON) -> JSON:
    sections = {name: text for name, text in _SECTION.findall(str(row["instruction"]))}
    if "QUERY" not in sections:
        raise Refused("no-request", "the instruction has no [BEGIN OF QUERY] section")
    parsed = array_calls(str(row["output"]))
    messages: list[JSON] = []
    if sections.get("TASK INSTRUCTION"):
        messages.append({"role": "system", "content": sections["TASK INSTRUCTION"]})
    messages.append({"role": "user", "content": sections["QUERY"]})
    if parsed is None:
        messages.append(assistant(str(row["output"]), []))
    else:
        messages.append(assistant("", [call(*c) for c in parsed[1]], parsed[0]))
    style = "irrelevance" if parsed is not None and not parsed[1] else None
    return record(
        messages, tools_of(loose(sections.get("AVAILABLE TOOLS", "[]"))), id=row.get("id"), style=style,
        format_instruction=sections.get("FORMAT INSTRUCTION"), rest=others(row, "id", "instruction", "output"),
    )  # fmt: skip


def write_row(trajectory: Trajectory) -> JSON:
    return {"id": trajectory.id, "messages": [_turn(m) for m in trajectory.messages], "tools": trajectory.tools}


def _turn(message: Message) -> JSON:
    row: JSON = message.model_dump(exclude_none=True)
    if calls := row.pop("tool_calls", None):
        row["content"] = json.dumps([c["function"] for c in calls], ensure_ascii=False)
        if message.content:
            row["thought"] = message.content
    return row


FORMAT = foreign(
    "xlam-2", "xLAM-2 and Hammer: bare JSON arrays of calls as the assistant's text", detect, read_row, write_row
)
