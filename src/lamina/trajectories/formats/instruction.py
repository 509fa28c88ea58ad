"""Instruction rows, as Alpaca, Dolly and many others have them: ``instruction`` (with ``input`` or ``context``)
and ``output`` (or ``response``), and of LLaMA-Factory's form ``system``, ``history`` (pairs) and ``tools``. Where a row
has tools, an output that is a JSON list of calls is calls; in all other rows it is text, whatever it looks like."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from lamina.trajectories.formats.format import Sample
from lamina.trajectories.formats.reading.chat import messages_of
from lamina.trajectories.formats.reading.foreign import JSON, foreign, needs, others, record
from lamina.trajectories.formats.reading.loose import Calls, calls_of, loose
from lamina.trajectories.formats.reading.refused import Refused
from lamina.trajectories.formats.reading.toolspecs import tools_of
from lamina.trajectories.trajectory import Message, Trajectory

_ANSWERS, _INPUTS = ("output", "response"), ("input", "context")


def detect(sample: Sample) -> str | None:
    answer = next((key for key in _ANSWERS if sample.has("instruction", key)), None)
    if answer and all(isinstance(sample.row[key], str) for key in ("instruction", answer)):
        return f"rows have an instruction and its {answer}"
    return None


def read_row(row: Any, path: Path) -> JSON:
    row = needs(row, "instruction")
    answer = next((key for key in _ANSWERS if isinstance(row.get(key), str)), None)
    if answer is None:
        raise Refused("no-answer", "the row has neither output nor response")
    request = "\n\n".join(str(row[key]) for key in ("instruction", *_INPUTS) if row.get(key))
    if not request.strip():
        raise Refused("no-request", "the instruction is empty")
    tools = tools_of(row["tools"]) if row.get("tools") else []
    turns: list[JSON] = [{"role": "system", "content": str(row["system"])}] if row.get("system") else []
    for asked, said in row.get("history") or []:
        turns += [{"role": "user", "content": str(asked)}, {"role": "assistant", "content": str(said)}]
    turns += [{"role": "user", "content": request}, {"role": "assistant", "content": row[answer]}]
    rest = others(row, "id", "instruction", answer, *_INPUTS, "system", "history", "tools")
    return record(messages_of(turns, _calls if tools else None), tools, id=row.get("id"), rest=rest)


def _calls(text: str) -> tuple[str, Calls] | None:
    """Of an output that is nothing but a JSON list of calls, or one of them."""
    if text.strip()[:1] not in ("[", "{"):
        return None
    try:
        return "", calls_of(loose(text))
    except ValueError:
        return None


def write_row(trajectory: Trajectory) -> JSON:
    messages = [m for m in trajectory.messages if m.role != "system"]
    system = [m.content for m in trajectory.messages if m.role == "system"]
    said = [(m.role, _text(m)) for m in messages]
    pairs = [(a[1], b[1]) for a, b in zip(said[::2], said[1::2], strict=False)]
    if [role for role, _ in said] != ["user", "assistant"] * len(pairs) or not pairs:
        pairs = [(trajectory.request, next((text for role, text in said if role == "assistant"), ""))]
    row: JSON = {"id": trajectory.id, "instruction": pairs[-1][0], "input": "", "output": pairs[-1][1]}
    row |= {"system": system[0]} if system else {}
    row |= {"history": [list(pair) for pair in pairs[:-1]]} if len(pairs) > 1 else {}
    return row | ({"tools": json.dumps(trajectory.tools, ensure_ascii=False)} if trajectory.tools else {})


def _text(message: Message) -> str:
    calls = [{"name": c.name, "arguments": c.arguments} for c in message.tool_calls or []]
    return json.dumps(calls, ensure_ascii=False) if calls else message.content


FORMAT = foreign(
    "instruction", "Instruction rows: Alpaca, Dolly, LLaMA-Factory", detect, read_row, write_row, lacks=["results"]
)
