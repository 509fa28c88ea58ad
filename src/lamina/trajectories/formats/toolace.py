"""ToolACE: the tools in ``system``, calls as Python text (``[get weather(city="Paris")]``), results as a list of
name and results. Call text is parsed, never evaluated."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from lamina.trajectories.formats.format import Sample
from lamina.trajectories.formats.reading.chat import messages_of, python_text_calls
from lamina.trajectories.formats.reading.foreign import JSON, foreign, needs, others, record
from lamina.trajectories.formats.reading.loose import as_value
from lamina.trajectories.formats.reading.toolspecs import tools_in_text
from lamina.trajectories.trajectory import Message, ToolCall, Trajectory

PROMPT = (
    "You are an expert in composing functions. You are given a question and a set of possible functions. Based on the "
    "question, you will need to make one or more function/tool calls to achieve the purpose. If none of the functions "
    "can be used, point it out. Here is a list of functions in JSON format that you can invoke:\n"
)


def detect(sample: Sample) -> str | None:
    if not sample.has("conversations", "system"):
        return None
    system = str(sample.row["system"])
    if "list of functions" in system or "functions in JSON" in system:
        return "its system text lists functions in JSON beside conversations"
    return None


def read_row(row: Any, path: Path) -> JSON:
    row = needs(row, "conversations")
    turns = list(row["conversations"])
    system = str(row.get("system") or "")
    tools, start, end = tools_in_text(system)
    words = (system[:start] + system[end:]).strip() if tools else system
    words = words.removeprefix(PROMPT.strip()).strip()
    if words:
        turns.insert(0, {"from": "system", "value": words})
    messages = messages_of(turns, python_text_calls, text_results=True)
    return record(messages, tools, id=row.get("id"), rest=others(row, "id", "conversations", "system"))


def write_row(trajectory: Trajectory) -> JSON:
    messages = list(trajectory.messages)
    system = PROMPT + json.dumps([t.get("function", t) for t in trajectory.tools], ensure_ascii=False)
    if messages and messages[0].role == "system":
        system = f"{system}\n\n{messages.pop(0).content}"
    turns: list[JSON] = []
    results: list[Message] = []
    for message in [*messages, None]:
        if message is not None and message.role == "tool":
            results.append(message)
            continue
        if results:
            turns.append({"from": "tool", "value": _results(results)})
            results = []
        if message is not None:
            turns.append({"from": message.role, "value": _text(message)})
    return {"id": trajectory.id, "system": system, "conversations": turns}


def _results(results: list[Message]) -> str:
    rows = [{"name": m.name or "", "results": as_value(m.content)} for m in results]
    return json.dumps(rows, ensure_ascii=False)


def _text(message: Message) -> str:
    calls = ", ".join(_python(c) for c in message.tool_calls or [])
    thought = getattr(message, "reasoning_content", None) or (message.content if calls else "")
    lead = f"<think>{thought}</think>\n" if thought else ""
    return f"{lead}[{calls}]" if calls else lead + message.content


def _python(made: ToolCall) -> str:
    """A call as Python text; ``repr`` of JSON values is Python literals."""
    arguments = ", ".join(f"{name}={value!r}" for name, value in made.arguments.items())
    return f"{made.name}({arguments})"


FORMAT = foreign("toolace", "ToolACE: calls as Python text, tools in the system text", detect, read_row, write_row)
