"""tau-bench: recorded trajectories (``traj``: OpenAI messages, with the reward). Its few-shot texts, which leave the
calls out, and its tasks, which are no trajectories yet, are refused with that reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lamina.trajectories.formats.format import Sample
from lamina.trajectories.formats.reading.chat import messages_of
from lamina.trajectories.formats.reading.foreign import JSON, foreign, needs, others, record
from lamina.trajectories.formats.reading.refused import Refused
from lamina.trajectories.formats.reading.toolspecs import tools_of


def detect(sample: Sample) -> str | None:
    if sample.has("traj"):
        return "rows have a traj"
    if sample.has("messages_display"):
        return "rows have a messages_display"
    if sample.has("user_scenario", "evaluation_criteria"):
        return "rows are tasks with a user_scenario"
    if sample.has("simulations", "tasks"):
        return "it is a file of tau2 simulations"
    return None


def read_row(row: Any, path: Path) -> JSON | list[JSON]:
    row = needs(row)
    if "simulations" in row:
        return [_simulation(one, row) for one in row["simulations"]]
    if "messages_display" in row:
        raise Refused("not-a-trajectory", "a dialogue as text that leaves its calls out ('assistant: None')")
    if "user_scenario" in row:
        raise Refused("not-a-trajectory", "a task: a user's part and a goal, but nothing that happened")
    needs(row, "traj")
    id = f"{row.get('task_id')}-{row.get('trial', 0)}" if "task_id" in row else None
    rest = others(row, "traj", "task_id", "trial", "reward", "tools", "info")
    info = row.get("info") if isinstance(row.get("info"), dict) else {}
    return record(messages_of(row["traj"]), tools_of(row.get("tools")), id=id, reward=_number(row.get("reward")),
                  group=str(row.get("task_id", "")), rest={**rest, "task": info.get("task")})  # fmt: skip


def _simulation(one: JSON, row: JSON) -> JSON:
    info = one.get("reward_info") or {}
    messages = messages_of(needs(one, "messages")["messages"])
    return record(messages, tools_of(row.get("tools")), id=one.get("id"), reward=_number(info.get("reward")),
                  group=str(one.get("task_id", "")), rest=others(one, "messages", "id", "reward_info"))  # fmt: skip


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) else None


FORMAT = foreign("tau-bench", "tau-bench trajectories with their reward", detect, read_row)
