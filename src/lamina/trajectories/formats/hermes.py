"""Hermes and ChatML tags: tools in ``<tools>``, calls in ``<tool_call>``, results in ``<tool_response>``, thoughts in
``<think>``; in ``conversations`` (from, value) or in ``messages`` (role, content)."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from lamina.trajectories.formats.format import Sample
from lamina.trajectories.formats.reading.chat import messages_of, tagged_calls
from lamina.trajectories.formats.reading.foreign import JSON, foreign, needs, others, record
from lamina.trajectories.formats.reading.loose import as_value, loose
from lamina.trajectories.formats.reading.toolspecs import tools_in_text, tools_of
from lamina.trajectories.trajectory import Message, Trajectory

_TOOLS = re.compile(r"<tools>\s*(.*?)\s*</tools>", re.S)
PROMPT = (
    "You are a function calling AI model. You are provided with function signatures within <tools></tools> XML tags. "
    "For each function call return a json object with function name and arguments within <tool_call></tool_call> "
    "XML tags.\n<tools>{tools}</tools>"
)


def detect(sample: Sample) -> str | None:
    for row in sample.rows:
        turns = row.get("conversations", row.get("messages")) if isinstance(row, dict) else None
        for turn in turns if isinstance(turns, list) else []:
            text = turn.get("value", turn.get("content")) if isinstance(turn, dict) else None
            if isinstance(text, str) and ("<tools>" in text or "<tool_call>" in text or "<tool_response>" in text):
                return "its turns hold <tools>, <tool_call> or <tool_response> tags"
    return None


def read_row(row: Any, path: Path) -> JSON:
    row = needs(row)
    key = "conversations" if "conversations" in row else "messages"
    needs(row, key)
    messages = messages_of(row[key], tagged_calls, text_results=True)
    tools = tools_of(row.get("tools"))
    for message in messages[:1]:
        if message["role"] == "system" and (block := _TOOLS.findall(message["content"])):
            tools = tools or _tools_in(block[-1])
            message["content"] = _without_tools(message["content"])
    if messages[0]["role"] == "system" and not messages[0]["content"]:
        messages = messages[1:]
    return record(messages, tools, id=row.get("id"), rest=others(row, "id", key, "tools"))


def _tools_in(block: str) -> list[JSON]:
    try:
        return tools_of(loose(block)) if block else []
    except ValueError:
        return tools_in_text(block)[0]


def _without_tools(text: str) -> str:
    """The system text without the list, and without Hermes's standing words where nothing else was said."""
    head, _, tail = PROMPT.partition("{tools}")
    head, tail = head.removesuffix("<tools>"), tail.removeprefix("</tools>")
    text = (
        re.sub(r"<tools>\s*(?:[\[{].*?)?\s*</tools>\Z", "", text.strip(), flags=re.S) if text.startswith(head) else text
    )
    return text.removeprefix(head).strip() if text.startswith(head) else _TOOLS.sub("<tools></tools>", text)


def write_row(trajectory: Trajectory) -> JSON:
    messages = list(trajectory.messages)
    tools = PROMPT.replace("{tools}", json.dumps(trajectory.tools, ensure_ascii=False))
    if messages and messages[0].role == "system":
        tools = f"{tools}\n\n{messages.pop(0).content}"
    turns: list[JSON] = [{"from": "system", "value": tools}, *(_turn(m) for m in messages)]
    return {"id": trajectory.id, "conversations": turns}


_FROM = {"user": "human", "assistant": "gpt", "tool": "tool", "system": "system"}


def _turn(message: Message) -> JSON:
    text = message.content
    if message.role == "tool":
        value = as_value(text)
        row = {"name": message.name, "content": value} if message.name else value
        text = f"<tool_response>\n{json.dumps(row, ensure_ascii=False)}\n</tool_response>"
    calls = [{"name": c.name, "arguments": c.arguments} for c in message.tool_calls or []]
    tags = [f"<tool_call>\n{json.dumps(c, ensure_ascii=False)}\n</tool_call>" for c in calls]
    thought = getattr(message, "reasoning_content", None)
    lead = [f"<think>\n{thought}\n</think>"] if thought else []
    return {"from": _FROM[message.role], "value": "\n".join([*lead, *([text] if text or not tags else []), *tags])}


FORMAT = foreign(
    "hermes", "Hermes/ChatML tags: <tools>, <tool_call>, <tool_response>, <think>", detect, read_row, write_row
)
