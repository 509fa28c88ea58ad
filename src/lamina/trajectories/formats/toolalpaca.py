"""ToolAlpaca: one API a row, with several instructions and their golden calls: a record for each. Parameters are told
in words (``Required. string. The city.``)."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from lamina.trajectories.formats.format import Sample
from lamina.trajectories.formats.reading.chat import assistant, call
from lamina.trajectories.formats.reading.foreign import JSON, foreign, needs, others, record
from lamina.trajectories.formats.reading.loose import calls_of, loose
from lamina.trajectories.formats.reading.refused import Refused
from lamina.trajectories.formats.reading.toolspecs import tool_of

_PARAMETERS = re.compile(r"Parameters:\s*(\{.*?\})\s*(?:\n|\Z)", re.S)


def detect(sample: Sample) -> str | None:
    if sample.has("Instructions", "Function_Description"):
        return "rows have Instructions and Function_Description"
    if sample.has("API", "Auth", "Link"):
        return "rows are entries of ToolAlpaca's API list"
    return None


def read_row(row: Any, path: Path) -> list[JSON | Refused]:
    if isinstance(row, dict) and "API" in row and "Instructions" not in row:
        raise Refused("not-a-trajectory", "an entry of a list of APIs: no request and no call")
    row = needs(row, "Instructions", "Function_Description")
    tools = [_tool(n, str(text)) for n, text in row["Function_Description"].items() if n != "components"]
    answers = row.get("Golden_Answers") or row.get("Instances") or []
    api = str(row.get("Name", ""))
    rest = others(row, "Instructions", "Function_Description", "Golden_Answers", "Name", *_DROPPED)
    lost = [key for key in _DROPPED if row.get(key)]
    found: list[JSON | Refused] = []
    for number, request in enumerate(row["Instructions"]):
        answer = answers[number] if number < len(answers) else None
        messages: list[JSON] = [{"role": "user", "content": str(request)}]
        try:
            made = _calls(answer) if answer else []
        except ValueError as error:
            found.append(Refused("unreadable", f"instruction {number + 1}: {error}"))
            continue
        if answer is not None:
            messages.append(assistant("", made))
        found.append(record(messages, tools, group=api, rest=rest, lost=lost or None))
    return found


_DROPPED = ("Documentation", "NLDocumentation", "Function_Projection", "Functions", "Introduction")
"""The API told in other words; a record has no place for them."""
_HOLE = re.compile(r"(?<=[:\[,\s])\$\{[^{}\"]*\}")


def _calls(answer: Any) -> list[JSON]:
    """``{"animeId": ${animeId from searchAnime}}``: a value that an earlier call gives stays as that text."""
    answers = answer if isinstance(answer, list) else [answer]
    whole = [
        {**a, "Action_Input": _HOLE.sub(lambda hole: f'"{hole.group()}"', str(a["Action_Input"]))}
        if isinstance(a, dict) and isinstance(a.get("Action_Input"), str)
        else a
        for a in answers
    ]
    return [call(*c) for c in calls_of(whole)]


def _tool(name: str, text: str) -> JSON:
    parameters = _PARAMETERS.search(text)
    description = text.partition("Parameters:")[0].strip() or name
    tool = tool_of({"name": name, "description": description, "parameters": _flat(parameters[1]) if parameters else {}})
    _, _, output = text.partition("\nOutput:")
    if output.strip():
        tool["function"]["x-source"] = {"output": output.strip()}
    return tool


def _flat(text: str) -> Any:
    found = loose(text)
    return found if isinstance(found, dict) else {}


FORMAT = foreign("toolalpaca", "ToolAlpaca: an API with instructions and golden calls", detect, read_row)
