"""What API-Bank's APIs take. Not a task itself.

Its table ``all_apis.csv`` is older than its dialogues: AddMeeting is described with ``content`` and called with
``meeting_topic``. The published benchmark describes an API by its class in ``apis/``. So of each API we take, in this
order: the class, where that folder lies beside the table (read as text, never run); what a search for tools in any
dialogue said of it, which is the same description; the table, where no dialogue contradicts it; and else, our choice,
the arguments as all the dialogues call them, which are the same ones in each, with the words that the data set has for
them.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from lamina.bench.tasks.files import text_of
from lamina.errors import InputError
from lamina.tools.tool import JSON
from lamina.trajectories import Trajectory
from lamina.trajectories.formats.reading.loose import loose
from lamina.trajectories.formats.reading.toolspecs import tool_of

SEARCH = "ToolSearcher"
_WHEN = (
    ("%Y-%m-%d %H:%M:%S", re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")),
    ("%Y-%m-%d", re.compile(r"\d{4}-\d\d-\d\d")),
    ("%m-%d", re.compile(r"\d\d-\d\d")),
)
"""How the data set's own descriptions write the form of a time."""
_FORM = re.compile(r"\s*,?\s*(?:in the )?(?:format|pattern)\b.*", re.I | re.S)
_TAKES = re.compile(r"\s*(?:\bAPI)?\s*\bthat takes\b.*|(?<=\.)\s.*", re.I | re.S)
"""Of the table's descriptions what speaks of arguments: "… API that takes two parameters - 'token' and 'time'."."""


def tools_by_name(records: Sequence[Trajectory], folder: Path) -> dict[str, JSON]:
    """The tool of each API that a dialogue of ``records`` (all there are, of both levels) calls or has found.
    ``folder``: where the table lies."""
    described = _searched(records) | _classes(folder / "apis")
    table = {tool["function"]["name"]: tool for record in records for tool in record.tools}
    calls: dict[str, list[JSON]] = defaultdict(list)
    for call in (call for record in records for call in record.calls):
        calls[call.name].append(call.arguments)
    found = dict(table)
    for name, given in calls.items():
        if name in described:
            found[name] = described[name]
        elif name not in table or not _takes(table[name], given):
            found[name] = _as_called(name, given, table.get(name), described)
    return found


def _searched(records: Sequence[Trajectory]) -> dict[str, JSON]:
    """What searches for tools brought."""
    found: dict[str, JSON] = {}
    for message in (m for record in records for m in record.messages if m.role == "tool" and m.name == SEARCH):
        try:
            told = loose(message.content)
        except ValueError:
            continue
        for tool in _tools(told if isinstance(told, list) else [told]):
            found[tool["function"]["name"]] = tool
    return found


def _classes(folder: Path) -> dict[str, JSON]:
    """The classes of ``apis/*.py`` with a ``description`` and ``input_parameters`` that are literals. Raises InputError
    for a file that cannot be read."""
    found: dict[str, JSON] = {}
    for file in sorted(folder.glob("*.py")):
        try:  # one passed over would be described by other words, and nobody would know
            parsed = ast.parse(text_of(file))
        except (ValueError, SyntaxError) as error:
            line = getattr(error, "lineno", None)
            what = f"cannot be read as Python ({getattr(error, 'msg', error)})"
            raise InputError(what, file=file, line=line, mend="get it again, or take it out of the folder") from None
        for node in parsed.body:
            if isinstance(node, ast.ClassDef) and "input_parameters" in (said := _literals(node)):
                for tool in _tools([{"name": node.name, **said}]):
                    found[node.name] = tool
    return found


def _literals(node: ast.ClassDef) -> JSON:
    found: JSON = {}
    for line in node.body:
        if isinstance(line, ast.Assign) and isinstance(line.targets[0], ast.Name):
            name = line.targets[0].id
            if name in ("description", "input_parameters"):
                try:
                    found[name] = ast.literal_eval(line.value)
                except ValueError:
                    continue
    return found


def _tools(rows: Iterable[Any]) -> list[JSON]:
    """All arguments of a described API are required: its method ``call`` has no defaults for them."""
    found = []
    for row in rows:
        try:
            tool = tool_of(
                {**row, "required": list(row.get("input_parameters") or {})} if isinstance(row, dict) else row
            )
        except ValueError:
            continue
        found.append(tool)
    return found


def _takes(tool: JSON, calls: Sequence[JSON]) -> bool:
    parameters = tool["function"]["parameters"]
    known, needed = set(parameters.get("properties", {})), set(parameters.get("required", []))
    return all(needed <= set(call) <= known for call in calls)


def _as_called(name: str, calls: Sequence[JSON], old: JSON | None, described: Mapping[str, JSON]) -> JSON:
    """``old``: as the table has it. An argument that it lacks takes its words from the described API that has most of
    these arguments, if that is more than half of them (AddMeeting's from QueryMeeting)."""
    names = list(dict.fromkeys(argument for call in calls for argument in call))
    own = _properties(old) if old else {}
    like = max(described.values(), key=lambda tool: len(_properties(tool).keys() & set(names)), default=None)
    alike = _properties(like) if like else {}
    if 2 * len(alike.keys() & set(names)) <= len(names):
        alike = {}
    properties = {}
    for argument in names:
        values = [call[argument] for call in calls if argument in call]
        properties[argument] = _property(own.get(argument) or alike.get(argument) or {}, values)
    needed = [argument for argument in names if all(argument in call for call in calls)]
    words = _TAKES.sub("", old["function"]["description"]).strip() if old else ""
    if not words or "'" in words:  # it names arguments that there are no more
        words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    parameters = {"type": "object", "properties": properties, "required": needed}
    return {"type": "function", "function": {"name": name, "description": words, "parameters": parameters}}


def _properties(tool: JSON) -> JSON:
    found: JSON = tool["function"]["parameters"].get("properties", {})
    return found


def _property(told: JSON, values: Sequence[Any]) -> JSON:
    """The words that there are, the type and the form of the values."""
    words = str(told.get("description", ""))
    shape = _shape([_read(value) for value in values])
    if form := next((form for form, pattern in _WHEN if all(pattern.fullmatch(str(v)) for v in values)), None):
        words = f"{_FORM.sub('', words).rstrip('. ')}. Format: {form}".removeprefix(". ")
    described = {"description": words} if words else {}
    return {**(shape if shape.get("type") in ("array", "object") else told or shape), **described}


def _read(value: Any) -> Any:
    """Lists are written as their text."""
    if not isinstance(value, str) or value[:1] not in ("[", "{"):
        return value
    try:
        return loose(value)
    except ValueError:
        return value


def _shape(values: Sequence[Any]) -> JSON:
    """A JSON Schema of what all the values are; ``{}`` where they are of several kinds."""
    if all(isinstance(value, list) for value in values):
        inside = [item for value in values for item in value]
        return {"type": "array", **({"items": _shape(inside)} if inside else {})}
    if all(isinstance(value, dict) for value in values):
        names = list(dict.fromkeys(name for value in values for name in value))
        properties = {name: _shape([value[name] for value in values if name in value]) for name in names}
        needed = [name for name in names if all(name in value for value in values)]
        return {"type": "object", "properties": properties, "required": needed}
    if all(isinstance(value, str) for value in values):
        return {"type": "string"}
    return {}
