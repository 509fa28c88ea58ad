"""ToolRL's rlla: the tools as a numbered list in the instruction, the dialogue so far in marks (``<user>``,
``<think>``, ``<tool_call>``, ``<obs>``, ``<response>``), and the next turn as the output."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from lamina.trajectories.formats.format import Sample
from lamina.trajectories.formats.reading.chat import assistant, call, calls_in_lines, with_names
from lamina.trajectories.formats.reading.foreign import JSON, foreign, needs, others, record
from lamina.trajectories.formats.reading.loose import as_text, loose
from lamina.trajectories.formats.reading.refused import Refused
from lamina.trajectories.formats.reading.toolspecs import tool_of

_MARK = re.compile(r"<(user|think|tool_call|obs|response)>(.*?)</\1>", re.S)
_TOOL = re.compile(r"^\d+\. Name: (.*?)\nDescription: (.*?)\nParameters: (\{.*?\})\s*$", re.M | re.S)
_DIALOGUE = "**Dialogue Records History**"


def detect(sample: Sample) -> str | None:
    row = _flat(sample.row) if isinstance(sample.row, dict) else {}
    return "its input has rlla's dialogue records" if _DIALOGUE in str(row.get("input", "")) else None


def _flat(row: JSON) -> JSON:
    """The RL rows carry the same three texts in ``extra_info``."""
    return row["extra_info"] if isinstance(row.get("extra_info"), dict) else row


def read_row(row: Any, path: Path) -> JSON:
    row = needs(row)
    texts = needs(_flat(row), "instruction", "input", "output")
    head, *_ = str(texts["instruction"]).partition("**Steps for Each Turn**")
    tools = [tool_of({"name": n, "description": d, "parameters": loose(p)}) for n, d, p in _TOOL.findall(head)]
    messages: list[JSON] = []
    history = _MARK.findall(str(texts["input"])) + _MARK.findall(str(texts["output"]))
    thought = ""
    calls: list[JSON] = []
    for mark, text in history:
        if mark in ("think", "user", "obs") and calls:
            messages.append(assistant("", calls, thought))
            thought, calls = "", []
        if mark == "think":
            thought = text.strip()
        elif mark == "tool_call":
            calls = [call(*c) for c in calls_in_lines(text.strip())]
        elif mark == "response":
            messages.append(assistant(text.strip(), calls, thought))
            thought, calls = "", []
        elif mark == "user":
            messages.append({"role": "user", "content": text.strip()})
        else:
            messages += _observations(text.strip())
    if calls or thought:
        messages.append(assistant("", calls, thought))
    if not any(m["role"] == "user" for m in messages):
        raise Refused("no-request", "the dialogue has no <user>")
    rest = others(row, "instruction", "input", "output", "extra_info", "prompt", "reward_model")
    return record(with_names(messages), tools, rest=rest)


def _observations(text: str) -> list[JSON]:
    try:
        rows = loose(text)
    except ValueError:
        return [{"role": "tool", "content": text}]
    if isinstance(rows, list) and rows and all(isinstance(r, dict) and "name" in r and "results" in r for r in rows):
        return [{"role": "tool", "name": str(r["name"]), "content": as_text(r["results"])} for r in rows]
    return [{"role": "tool", "content": text}]


FORMAT = foreign("toolrl", "ToolRL's rlla rows: instruction, dialogue in marks, output", detect, read_row)
