"""NESTful: a request and calls that take each other's results (``$var1.field$``). The tools lie beside, in the file
whose name ends in ``-spec`` where this one's ends in ``-data``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lamina.trajectories.formats.format import Sample
from lamina.trajectories.formats.reading.beside import find_beside, tools_beside
from lamina.trajectories.formats.reading.chat import assistant, call
from lamina.trajectories.formats.reading.foreign import JSON, foreign, needs, others, record
from lamina.trajectories.formats.reading.loose import loose
from lamina.trajectories.formats.reading.refused import Refused
from lamina.trajectories.formats.reading.toolspecs import tool_of, tools_of


def detect(sample: Sample) -> str | None:
    if (
        sample.has("input", "output")
        and isinstance(sample.row["output"], list | str)
        and "label" in str(sample.row["output"])
    ):
        return "rows have an input and an output of labelled calls"
    if sample.has("name", "output_parameters"):
        return "it is a NESTful list of tools"
    return None


def read_row(row: Any, path: Path) -> JSON:
    if isinstance(row, dict) and "output_parameters" in row and "input" not in row:
        raise Refused("not-a-trajectory", "a description of a tool: no request and no call")
    row = needs(row, "input", "output")
    calls, result = [], None
    for one in loose(row["output"]) or []:
        one = needs(one, "name")
        if one["name"] == "var_result":
            result = one.get("arguments")
            continue
        made = call(str(one["name"]), one.get("arguments") or {})
        if one.get("label"):
            made["id"] = str(one["label"])
        calls.append(made)
    names = {c["function"]["name"] for c in calls}
    tools = tools_of(row["tools"]) if row.get("tools") else _beside(path)
    kept = [t for t in tools if t["function"]["name"] in names] if not row.get("tools") else tools
    messages: list[JSON] = [{"role": "user", "content": str(row["input"])}, assistant("", calls)]
    rest = others(row, "id", "sample_id", "input", "output", "tools")
    id = row.get("id", row.get("sample_id"))
    return record(messages, kept, id=id, style="nested", result=result, rest=rest)


def _beside(path: Path) -> list[JSON]:
    table = find_beside(path, path.name.replace("-data", "-spec")) if "-data" in path.name else None
    return list(tools_beside(table, _spec).values()) if table else []


def _spec(row: Any) -> JSON:
    """``x-references``: an argument may be a reference to an earlier result, whatever its type."""
    kept = {k: v for k, v in row.items() if k in ("name", "description", "arguments", "parameters",
                                                   "output_parameters")}  # fmt: skip
    sent = [row[k] for k in ("path_parameters", "query_parameters") if isinstance(row.get(k), dict)]
    if sent:  # whether an argument stands in the address or behind it is the caller's business, not the model's
        kept["parameters"] = {name: told for part in sent for name, told in part.items()}
    return tool_of(kept)


FORMAT = foreign("nestful", "NESTful: calls that take each other's results", detect, read_row)
