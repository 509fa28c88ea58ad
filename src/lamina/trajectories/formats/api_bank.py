"""API-Bank: one dialogue a file, a turn a line (User, AI, API). The tools are in ``all_apis.csv`` above the files; a
search for tools that the dialogue makes brings its own."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from lamina.trajectories.formats.format import Sample
from lamina.trajectories.formats.reading.beside import find_beside, those_of, tools_beside
from lamina.trajectories.formats.reading.chat import assistant, call, with_names
from lamina.trajectories.formats.reading.foreign import JSON, foreign, needs, record
from lamina.trajectories.formats.reading.loose import as_text, literal, loose_object
from lamina.trajectories.formats.reading.refused import Refused
from lamina.trajectories.formats.reading.toolspecs import tool_of

_SEARCH = {
    "name": "ToolSearcher",
    "description": "Searches for relevant tools in library based on the keywords.",
    "parameters": {"keywords": {"type": "str", "description": "The keyword to search for.", "required": True}},
}


def detect(sample: Sample) -> str | None:
    roles = {row.get("role") for row in sample.rows if isinstance(row, dict) and ("text" in row or "api_name" in row)}
    return "its lines are turns of User, AI and API" if roles and roles <= {"User", "AI", "API"} else None


def read_row(row: Any, path: Path) -> JSON:
    if not isinstance(row, list) or not row:
        raise Refused("unreadable", "the file has no turns")
    messages: list[JSON] = []
    names: list[str] = []
    found: dict[str, JSON] = {}
    for turn in row:
        turn = needs(turn, "role")
        if turn["role"] == "API":
            _call(needs(turn, "api_name"), messages, found)
            names.append(str(turn["api_name"]))
        elif turn["role"] in ("User", "AI"):
            text = str(turn.get("text") or "")
            messages.append({"role": "user", "content": text} if turn["role"] == "User" else assistant(text, []))
        else:
            raise Refused("unreadable", f"unknown role {turn['role']!r}")
    table = find_beside(path, "all_apis.csv", floors=2)
    known = {**(tools_beside(table, _api) if table else {}), "ToolSearcher": tool_of(_SEARCH), **found}
    return record(with_names(messages), those_of([*names, *found], known), id=path.stem, group=path.stem)


def _call(turn: JSON, messages: list[JSON], found: dict[str, JSON]) -> None:
    name = str(turn["api_name"])
    made = call(name, loose_object(turn.get("param_dict")))
    if messages and messages[-1]["role"] == "assistant" and "tool_calls" not in messages[-1]:
        messages[-1]["tool_calls"] = [made]  # what the assistant said before it called is part of that turn
    else:
        messages.append(assistant("", [made]))
    result = turn.get("result") or {}
    exception = result.get("exception") if isinstance(result, dict) else None
    output = result.get("output") if isinstance(result, dict) else result
    messages.append(
        {"role": "tool", "name": name, "content": f"Exception: {exception}" if exception else as_text(output)}
    )
    if name == "ToolSearcher":
        for tool in output if isinstance(output, list) else [output]:
            try:
                one = tool_of(tool)
            except ValueError:
                continue
            found[one["function"]["name"]] = one


def _api(row: Any) -> JSON:
    """A line of ``all_apis.csv``: ``api_info`` is Python text with literals in it."""
    info = str(row["api_info"])
    description = _assigned(info, "description")
    told = _assigned(info, "input_parameters")
    parameters = _signature(str(row.get("input_parameters") or "")) | (told if isinstance(told, dict) else {})
    needed = list(parameters)
    return tool_of(
        {"name": row["类名"], "description": description or "", "parameters": parameters, "required": needed}
    )


_PARAMETER = re.compile(r"(\w+)\s*:\s*(\w+(?:\[[^\]]*\])?)")


def _signature(text: str) -> JSON:
    """``(token: str, time: datetime)``: what the words leave out (the token, mostly) is taken all the same."""
    return {name: {"type": kind} for name, kind in _PARAMETER.findall(text)}


def _assigned(text: str, name: str) -> Any:
    """The literal that is assigned to ``name`` in a piece of Python text."""
    _, found, rest = text.partition(f"{name} = ")
    lines = rest.splitlines() if found else []
    for count in range(1, len(lines) + 1):
        try:
            return literal("\n".join(lines[:count]))
        except ValueError:
            continue
    return None


FORMAT = foreign("api-bank", "API-Bank dialogues, one a file", detect, read_row, whole_file=True)
