"""ToolBench: answer trees (the chain that was kept for training, with its functions), and instruction files (requests
and APIs without an answer). The authors' access keys, defaults of their wrappers, are taken out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lamina.trajectories.formats.format import Sample
from lamina.trajectories.formats.reading.chat import messages_of
from lamina.trajectories.formats.reading.foreign import JSON, foreign, needs, others, record
from lamina.trajectories.formats.reading.refused import Refused
from lamina.trajectories.formats.reading.toolspecs import tool_of, without_secrets


def detect(sample: Sample) -> str | None:
    if sample.has("answer_generation") and ("tree" in sample.row or "trys" in sample.row):
        return "it is an answer tree (tree, answer_generation)"
    if sample.has("api_list", "query"):
        return "rows have a query and an api_list"
    if sample.has("tool_name", "api_name", "response_examples") or sample.has("standardized_name", "api_list"):
        return "it describes one tool of ToolBench"
    return None


def read_row(row: Any, path: Path) -> JSON:
    given, row = row, without_secrets(needs(row))
    lost = ["access keys"] if row != given else []
    if "api_list" in row and "query" in row:
        return _request(row, lost)
    if "answer_generation" not in row:
        raise Refused("not-a-trajectory", "a description of a tool: no request and no call")
    answer = needs(row["answer_generation"])
    steps = answer.get("train_messages") or []
    if not answer.get("valid_data", True) or not steps:
        raise Refused("failed-trajectory", "the search found no answer: there is no chain to learn from")
    gave = answer.get("finish_type") == "give_answer"
    messages = messages_of(max(steps, key=len))
    tools = [tool_of(f) for f in answer.get("function") or []]
    return record(
        messages, tools, id=path.stem, group=path.parent.name, reward=1.0 if row.get("win") and gave else 0.0,
        rest={k: answer.get(k) for k in ("query_count", "finish_type", "query")} | {"win": row.get("win")},
        lost=[*lost, *(k for k in _DROPPED if row.get(k))] or None,
    )  # fmt: skip


_DROPPED = ("tree", "trys", "compare_candidates", "forward_args")
"""The search that led to the chain, its other branches and its settings."""


def _request(row: JSON, lost: list[str]) -> JSON:
    tools = []
    for api in row["api_list"]:
        name = f"{api.get('api_name', '')}_for_{api.get('tool_name', '')}"
        kept = {k: v for k, v in api.items() if k not in ("api_name", "tool_name", "api_description")}
        tool = tool_of({**kept, "name": name, "description": str(api.get("api_description") or "").strip() or name})
        tools.append(tool)
    rest = others(row, "api_list", "query", "query_id")
    id = row.get("query_id")
    return record([{"role": "user", "content": str(row["query"])}], tools, id=f"query-{id}" if id is not None else None,
                  style="request-only", rest=rest, lost=lost or None)  # fmt: skip


FORMAT = foreign("toolbench", "ToolBench answer trees and instruction files", detect, read_row)
