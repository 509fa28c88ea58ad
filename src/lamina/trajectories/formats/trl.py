"""TRL's conversational rows: ``messages`` (or ``prompt`` and ``completion``), ``tools``, arguments as objects."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lamina.trajectories.formats import openai_messages
from lamina.trajectories.formats.format import Sample
from lamina.trajectories.formats.reading.foreign import JSON, foreign, needs
from lamina.trajectories.trajectory import Trajectory


def detect(sample: Sample) -> str | None:
    if sample.has("prompt", "completion") and isinstance(sample.row["prompt"], list):
        return "rows have a prompt and a completion of messages"
    return None


def read_row(row: Any, path: Path) -> JSON:
    if isinstance(row, dict) and "messages" not in row:
        row = needs(row, "prompt", "completion")
        both = [m for key in ("prompt", "completion") for m in row[key]]
        row = {**{k: v for k, v in row.items() if k not in ("prompt", "completion")}, "messages": both}
    return openai_messages.read_row(row, path)


def write_row(trajectory: Trajectory) -> JSON:
    messages = [m.model_dump(exclude_none=True) for m in trajectory.messages]
    return {"id": trajectory.id, "messages": messages, "tools": trajectory.tools}


FORMAT = foreign(
    "trl", "TRL conversational rows: messages and tools, or prompt and completion", detect, read_row, write_row
)
