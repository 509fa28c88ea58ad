"""JSON as one object, as lines, as a bare array; Python calls; TOML."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lamina.models.output_formats.output_format import (
    Calls,
    OutputFormat,
    arguments_of,
    call_of,
    json_text,
    read_json,
)
from lamina.trajectories.formats.reading.loose import python_calls

Given = Sequence[tuple[str, dict[str, Any]]]


def _rows(calls: Given) -> list[dict[str, Any]]:
    return [{"name": name, "arguments": arguments} for name, arguments in calls]


def _parse_object(text: str) -> Calls:
    value = read_json(text)
    if not isinstance(value, dict) or not isinstance(value.get("tool_calls"), list):
        raise ValueError("not an object with tool_calls")
    return [call_of(row) for row in value["tool_calls"]]


def _parse_array(text: str) -> Calls:
    value = read_json(text)
    if not isinstance(value, list):
        raise ValueError("not an array")
    return [call_of(row) for row in value]


def _encode_lines(calls: Given) -> str:
    return "\n".join(json_text(row) for row in _rows(calls)) or "[]"


def _parse_lines(text: str) -> Calls:
    if text.strip() == "[]":
        return []
    lines = [line for line in text.split("\n") if line.strip()]
    if not lines:
        raise ValueError("there is no line")
    return [call_of(read_json(line)) for line in lines]


def _encode_python(calls: Given) -> str:
    made = (f"{name}({', '.join(f'{k}={v!r}' for k, v in arguments.items())})" for name, arguments in calls)
    return f"[{', '.join(made)}]"


def _parse_python(text: str) -> Calls:
    if not (text.strip().startswith("[") and text.strip().endswith("]")):
        raise ValueError("not a list of calls")
    return python_calls(text)


def _encode_toml(calls: Given) -> str:
    import tomli_w

    rows = []
    for name, arguments in calls:
        held = not _has_null(arguments)
        rows.append({"name": name, **({"arguments": arguments} if held else {"arguments_json": json_text(arguments)})})
    return tomli_w.dumps({"call": rows}) if rows else "call = []\n"


def _parse_toml(text: str) -> Calls:
    import tomllib

    rows = tomllib.loads(text).get("call")
    if not isinstance(rows, list):
        raise ValueError("there is no [[call]]")
    found: Calls = []
    for row in rows:
        if isinstance(row, dict) and isinstance(row.get("arguments_json"), str):
            row = {"name": row.get("name"), "arguments": arguments_of(read_json(row["arguments_json"]))}
        found.append(call_of(row))
    return found


def _has_null(value: Any) -> bool:
    """TOML has no null."""
    if isinstance(value, dict | list):
        return any(map(_has_null, value.values() if isinstance(value, dict) else value))
    return value is None


FORMATS = (
    OutputFormat(
        "json",
        'Answer with one JSON object: {"tool_calls": [{"name": …, "arguments": {…}}, …]}. Where no function fits, the '
        "list is empty.",
        lambda calls: json_text({"tool_calls": _rows(calls)}),
        _parse_object,
    ),
    OutputFormat(
        "json-lines",
        'Answer with one JSON object a line for each call: {"name": …, "arguments": {…}}. Where no function fits, '
        "write [].",
        _encode_lines,
        _parse_lines,
    ),
    OutputFormat(
        "array",
        'Answer with a JSON array of calls and nothing else: [{"name": …, "arguments": {…}}, …]. Where no function '
        "fits, write [].",
        lambda calls: json_text(_rows(calls)),
        _parse_array,
    ),
    OutputFormat(
        "python",
        "Answer with a list of Python calls: [function(name=value, …), …]. Where no function fits, write [].",
        _encode_python,
        _parse_python,
    ),
    OutputFormat(
        "toml",
        "Answer in TOML: for each call a [[call]] with its name and a table [call.arguments]; arguments that hold a "
        "null go into arguments_json, as JSON text. Where no function fits, write call = [].",
        _encode_toml,
        _parse_toml,
    ),
)
