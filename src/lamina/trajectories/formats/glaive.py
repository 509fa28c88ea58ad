"""Glaive function calling v2: the tools in ``system``, the dialogue as one text in ``chat``; the arguments of a call
stand in single quotes inside its JSON."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from lamina.trajectories.formats.format import Sample
from lamina.trajectories.formats.reading.chat import messages_of
from lamina.trajectories.formats.reading.foreign import JSON, foreign, needs, others, record
from lamina.trajectories.formats.reading.loose import Calls, calls_of, loose
from lamina.trajectories.formats.reading.refused import Refused
from lamina.trajectories.formats.reading.toolspecs import tools_in_text
from lamina.trajectories.trajectory import Message, Trajectory

_MARK = re.compile(r"(?:\A|(?<=\s)|(?<=>))(USER|ASSISTANT|FUNCTION RESPONSE|FUNCTION_RESPONSE):\s?")
_ROLES = {"USER": "user", "ASSISTANT": "assistant", "FUNCTION RESPONSE": "tool", "FUNCTION_RESPONSE": "tool"}
_END = "<|endoftext|>"
_CALL = "<functioncall>"
PROMPT = "You are a helpful assistant with access to the following functions. Use them if required -"
NO_TOOLS = "You are a helpful assistant, with no access to external functions."


def detect(sample: Sample) -> str | None:
    if sample.has("chat", "system") and isinstance(sample.row["chat"], str):
        return "rows have a system text and a chat with USER: and ASSISTANT:"
    return None


def read_row(row: Any, path: Path) -> JSON:
    row = needs(row, "chat")
    chat = str(row["chat"])
    marks = list(_MARK.finditer(chat))
    if not marks:
        raise Refused("unreadable", "the chat has no USER: or ASSISTANT:")
    turns: list[JSON] = []
    for mark, following in zip(marks, [*marks[1:], None], strict=True):
        text = chat[mark.end() : following.start() if following else len(chat)]
        turns.append({"role": _ROLES[mark[1]], "content": text.replace(_END, "").strip()})
    system, tools = _system(str(row.get("system") or ""))
    if system:
        turns.insert(0, {"role": "system", "content": system})
    return record(messages_of(turns, functioncalls), tools, id=row.get("id"), rest=others(row, "id", "chat", "system"))


def _system(text: str) -> tuple[str, list[JSON]]:
    tools, start, end = tools_in_text(text)
    words = (text[:start] + text[end:]).strip().removeprefix("SYSTEM:").strip()
    return ("" if words in (PROMPT, NO_TOOLS, NO_TOOLS.replace(",", "")) else words.removeprefix(PROMPT).strip()), tools


def functioncalls(text: str) -> tuple[str, Calls] | None:
    if _CALL not in text:
        return None
    words, *parts = text.split(_CALL)
    return words.strip(), [made for part in parts for made in calls_of(loose(part.strip()))]


def write_row(trajectory: Trajectory) -> JSON:
    messages = list(trajectory.messages)
    tools = "\n".join(json.dumps(t.get("function", t), ensure_ascii=False) for t in trajectory.tools)
    system = f"{PROMPT}\n{tools}" if tools else NO_TOOLS
    if messages and messages[0].role == "system":
        system = f"{PROMPT}\n{tools}\n\n{messages.pop(0).content}"
    chat = "\n\n".join(_turn(m) for m in messages)
    return {"id": trajectory.id, "system": system, "chat": chat}


def _turn(message: Message) -> str:
    if message.role == "tool":
        return f"FUNCTION RESPONSE: {message.content}"
    if message.role != "assistant":
        return f"USER: {message.content}"
    calls = [
        json.dumps({"name": c.name, "arguments": c.arguments}, ensure_ascii=False) for c in message.tool_calls or []
    ]
    words = [message.content] if message.content or not calls else []
    return "ASSISTANT: " + " ".join([*words, *(f"{_CALL} {made}" for made in calls)]) + f" {_END}"


FORMAT = foreign("glaive", "Glaive function calling v2: system and chat as text", detect, read_row, write_row)
