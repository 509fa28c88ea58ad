"""MetaTool: a request and the tools that serve it, without arguments; what each tool is for lies beside. As calls with
no arguments, marked ``tool-selection``."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

from lamina.trajectories.formats.format import Sample
from lamina.trajectories.formats.reading.beside import find_beside, those_of
from lamina.trajectories.formats.reading.chat import assistant, call
from lamina.trajectories.formats.reading.foreign import JSON, foreign, needs, others, record
from lamina.trajectories.formats.reading.refused import Refused
from lamina.trajectories.formats.reading.rows import raw_rows
from lamina.trajectories.formats.reading.toolspecs import tool_of


def detect(sample: Sample) -> str | None:
    if sample.has("Query", "Tool"):
        return "its columns are Query and Tool"
    if sample.has("query", "tool") and isinstance(sample.row["tool"], list):
        return "rows have a query and a list of tools by name"
    if sample.has("name_for_model", "description_for_model"):
        return "it is MetaTool's list of plugins"
    return None


def read_row(row: Any, path: Path) -> JSON:
    row = needs(row)
    if "name_for_model" in row:
        raise Refused("not-a-trajectory", "a description of a tool: no request and no call")
    query = row.get("query") or row.get("Query")
    if not query:
        raise Refused("no-request", "the query is empty")
    names = row.get("tool", row.get("Tool"))
    chosen = [str(n) for n in (names if isinstance(names, list) else [names]) if n]
    messages: list[JSON] = [{"role": "user", "content": str(query)}, assistant("", [call(n, {}) for n in chosen])]
    tools = those_of(chosen, _described(path.parent))
    return record(messages, tools, style="tool-selection", rest=others(row, "query", "Query", "tool", "Tool"))


@lru_cache(maxsize=4)
def _described(folder: Path) -> dict[str, JSON]:
    found: dict[str, JSON] = {}
    for name in ("plugin_des.json", "big_tool_des.json"):
        table = find_beside(folder / name, name)
        for raw in raw_rows(table) if table else []:
            for tool, text in raw.value.items() if isinstance(raw.value, dict) else []:
                found[str(tool)] = tool_of({"name": str(tool), "description": str(text)})
    return found


FORMAT = foreign("metatool", "MetaTool: requests and the tools that serve them", detect, read_row)
