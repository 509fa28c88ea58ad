"""ShareGPT conversations with ``function_call`` and ``observation`` turns, as APIGen-MT-5k and LLaMA-Factory keep
them: ``conversations`` (from, value), ``tools`` and ``system`` beside them. Preference rows (``chosen``, ``rejected``)
give the chosen answer; the rejected one is kept in ``meta.rejected``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from lamina.trajectories.formats.format import Sample
from lamina.trajectories.formats.reading.chat import listed_results, messages_of, tagged_calls
from lamina.trajectories.formats.reading.foreign import JSON, foreign, needs, others, record
from lamina.trajectories.formats.reading.toolspecs import tools_of
from lamina.trajectories.trajectory import Message, Trajectory


def detect(sample: Sample) -> str | None:
    return "rows have conversations of from and value" if sample.has("conversations") else None


def read_row(row: Any, path: Path) -> JSON:
    row = needs(row, "conversations")
    turns = list(row["conversations"])
    if row.get("system"):
        turns.insert(0, {"from": "system", "value": row["system"]})
    if isinstance(row.get("chosen"), dict):
        turns += _unrolled(row["chosen"])
    messages = messages_of(turns, tagged_calls, text_results=True)
    rest = others(row, "id", "conversations", "system", "tools", "chosen", "rejected")
    return record(messages, tools_of(row.get("tools")), id=row.get("id"), rest=rest, rejected=row.get("rejected"))


def _unrolled(answer: JSON) -> list[JSON]:
    """An answer that holds its calls and their results in tags, as turns of their own."""
    turns: list[JSON] = []
    rest = str(answer.get("value", ""))
    while "<tool_response>" in rest:
        before, _, rest = rest.partition("<tool_response>")
        result, _, rest = rest.partition("</tool_response>")
        turns += [{"from": "gpt", "value": before.strip()}, {"from": "tool", "value": result.strip()}]
    return [*turns, {"from": "gpt", "value": rest.strip()}] if rest.strip() else turns


def write_row(trajectory: Trajectory) -> JSON:
    messages = list(trajectory.messages)
    system = messages.pop(0).content if messages and messages[0].role == "system" else ""
    tools = json.dumps([t.get("function", t) for t in trajectory.tools], ensure_ascii=False)
    row: JSON = {"id": trajectory.id, "conversations": [turn_row(m) for m in messages], "tools": tools}
    return {**row, "system": system} if system else row


_FROM = {"user": "human", "assistant": "gpt", "tool": "observation", "system": "system"}


def turn_row(message: Message) -> JSON:
    """Parallel calls are one ``function_call`` turn with a list; the thought goes with it."""
    if not message.tool_calls:
        thought = getattr(message, "reasoning_content", None)
        value = f"<think>{thought}</think>\n{message.content}" if thought else message.content
        if message.role == "tool" and (listed_results(value) or "<tool_response>" in value):
            # it would be read as several results: one result, which is this text
            value = json.dumps([{"name": message.name or "", "results": value}], ensure_ascii=False)
        return {"from": _FROM[message.role], "value": value}
    calls = [{"name": c.name, "arguments": c.arguments} for c in message.tool_calls]
    value = json.dumps(calls if len(calls) > 1 else calls[0], ensure_ascii=False)
    row: JSON = {"from": "function_call", "value": value}
    return {**row, "thought": message.content} if message.content else row


FORMAT = foreign(
    "sharegpt",
    "ShareGPT conversations with function_call turns (APIGen-MT, LLaMA-Factory)",
    detect,
    read_row,
    write_row,
)
