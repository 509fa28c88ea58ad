"""xLAM's unified format (arXiv 2409.03215, section 3): task instruction, tools, format instruction, few-shot examples,
query, and steps of thought, tool calls, next observation and user input. Any record maps onto it and back without
loss: a key that is absent from a step says that there was no such message."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lamina.trajectories.formats.format import Sample
from lamina.trajectories.formats.reading.chat import assistant, call, with_names
from lamina.trajectories.formats.reading.foreign import JSON, foreign, needs, others, record
from lamina.trajectories.formats.reading.loose import as_text, calls_of, loose, loose_object
from lamina.trajectories.formats.reading.refused import Refused
from lamina.trajectories.formats.reading.toolspecs import tools_of
from lamina.trajectories.trajectory import Message, Trajectory

_KNOWN = ("unique_trajectory_id", "id", "task_instruction", "tools", "query", "steps", "meta", "format_instruction",
          "few_shot_examples")  # fmt: skip


def detect(sample: Sample) -> str | None:
    return "rows have query and steps" if sample.has("query", "steps") else None


def read_row(row: Any, path: Path) -> JSON:
    row = needs(row, "steps")
    messages: list[JSON] = []
    if row.get("task_instruction"):
        messages.append({"role": "system", "content": str(row["task_instruction"])})
    if "query" in row and row["query"] is not None:
        messages.append({"role": "user", "content": str(row["query"])})
    steps = loose(row["steps"])
    if not isinstance(steps, list):
        raise Refused("unreadable", "steps is not a list")
    for step in steps:
        messages += _messages_of_step(loose_object(step))
    meta = {k: row[k] for k in ("format_instruction", "few_shot_examples") if row.get(k)}
    meta |= row["meta"] if isinstance(row.get("meta"), dict) else {}
    id = row.get("unique_trajectory_id", row.get("id"))
    return record(with_names(messages), tools_of(row.get("tools")), id=id, rest=others(row, *_KNOWN), **meta)


def _messages_of_step(step: JSON) -> list[JSON]:
    found: list[JSON] = []
    if "system_input" in step:
        found.append({"role": "system", "content": str(step["system_input"])})
    if "thought" in step or step.get("tool_calls"):
        found.append(_assistant(step))
    observation = step.get("next_observation")
    for one in observation if isinstance(observation, list) else [observation]:
        if one not in (None, ""):
            shaped = isinstance(one, dict) and isinstance(one.get("content"), str)
            found.append({"role": "tool", **(one if shaped else {"content": as_text(one)})})
    if step.get("user_input") not in (None, ""):
        found.append({"role": "user", "content": str(step["user_input"])})
    elif step.get("empty_user_input"):
        found.append({"role": "user", "content": ""})
    return found


def _assistant(step: JSON) -> JSON:
    calls = []
    for made in step.get("tool_calls") or []:
        (name, arguments), *_ = calls_of(made)
        calls.append(call(name, arguments, made.get("id") if isinstance(made, dict) else None))
    return {**assistant(str(step.get("thought") or ""), calls), **step.get("message", {})}


def write_row(trajectory: Trajectory) -> JSON:
    messages = list(trajectory.messages)
    row: JSON = {"unique_trajectory_id": trajectory.id, "task_instruction": "", "tools": trajectory.tools}
    if messages and messages[0].role == "system" and messages[0].content and not messages[0].name:
        row["task_instruction"] = messages.pop(0).content
    meta = trajectory.meta.model_dump(exclude_none=True)
    row["format_instruction"] = meta.pop("format_instruction", "")
    row["few_shot_examples"] = meta.pop("few_shot_examples", [])
    row["query"] = messages.pop(0).content if messages and messages[0].role == "user" else None
    row["steps"] = _steps(messages)
    row["meta"] = meta
    return row


def _steps(messages: list[Message]) -> list[JSON]:
    steps: list[JSON] = []
    for message in messages:
        last = steps[-1] if steps else {}
        if message.role == "assistant":
            steps.append(_step(message))
        elif message.role == "tool":
            if not steps or "user_input" in last:
                steps.append({})
            steps[-1].setdefault("next_observation", []).append(_observation(message))
        elif message.role == "user":
            if not steps or "user_input" in last:
                steps.append({})
            steps[-1]["user_input"] = message.content
            if not message.content:
                steps[-1]["empty_user_input"] = True
        else:
            steps.append({"system_input": message.content})
    for number, step in enumerate(steps, 1):
        step["step_id"] = number
    return steps


def _step(message: Message) -> JSON:
    calls: list[JSON] = []
    for made in message.tool_calls or []:
        calls.append({"name": made.name, "arguments": made.arguments, **({"id": made.id} if made.id else {})})
    found: JSON = {"thought": message.content, "tool_calls": calls}
    more = message.model_dump(exclude_none=True, exclude={"role", "content", "tool_calls"})
    return {**found, **({"message": more} if more else {})}


def _observation(message: Message) -> JSON:
    return message.model_dump(exclude_none=True, exclude={"role"})


FORMAT = foreign("xlam-unified", "xLAM's unified format: query and steps", detect, read_row, write_row)
