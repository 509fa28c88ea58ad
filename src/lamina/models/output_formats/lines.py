"""YAML, a Markdown table, CSV, key-value lines: formats in which line breaks matter. Values are JSON on one line."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from typing import Any

from lamina.models.output_formats.output_format import (
    Calls,
    OutputFormat,
    arguments_of,
    json_text,
    key_at,
    key_text,
    read_json,
)

Given = Sequence[tuple[str, dict[str, Any]]]


def _encode_yaml(calls: Given) -> str:
    lines = []
    for name, arguments in calls:
        lines.append(f"- name: {json_text(name)}")
        lines.append("  arguments:" + ("" if arguments else " {}"))
        lines += [f"    {json_text(key)}: {json_text(value)}" for key, value in arguments.items()]
    return "\n".join(lines) or "[]"


_ITEM = re.compile(r"- name: *(.+)")


def _parse_yaml(text: str) -> Calls:
    """The part of YAML that the encoder writes; words without quotes are text."""
    if text.strip() == "[]":
        return []
    found: Calls = []
    for line in _lines(text):
        if item := _ITEM.fullmatch(line):
            found.append((str(_scalar(item[1])), {}))
        elif found and line.startswith("    "):
            key, at = key_at(line, 4)
            if line[at : at + 1] != ":":
                raise ValueError(f"not an argument: {line[:60]!r}")
            found[-1][1][key] = _scalar(line[at + 1 :])
        elif not found or line.strip() not in ("arguments:", "arguments: {}"):
            raise ValueError(f"not a line of a call: {line[:60]!r}")
    return _some(found)


def _scalar(text: str) -> Any:
    try:
        return read_json(text)
    except ValueError:
        if text.strip()[:1] in ("", "[", "{", '"', "'", "&", "*", "!", "|", ">"):
            raise
        return text.strip()


_HEAD = ("| function | arguments |", "|---|---|")


def _encode_table(calls: Given) -> str:
    rows = [f"| {name} | {json_text(arguments, without='|')} |" for name, arguments in calls]
    return "\n".join([*_HEAD, *rows])


def _parse_table(text: str) -> Calls:
    first, *rest = list(_lines(text)) or [""]
    if [c.strip() for c in first.strip().strip("|").split("|")] != ["function", "arguments"]:
        raise ValueError("the table has no head of function and arguments")
    found: Calls = []
    for line in rest[1:]:
        cells = line.strip().removeprefix("|").removesuffix("|").split("|")
        if len(cells) != 2 or not cells[0].strip():
            raise ValueError(f"not a row of two cells: {line[:60]!r}")
        found.append((cells[0].strip(), arguments_of(read_json(cells[1]))))
    return found


_COLUMNS = ["call", "function", "argument", "value"]


def _encode_csv(calls: Given) -> str:
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for number, (name, arguments) in enumerate(calls, 1):
        for key, value in arguments.items():
            writer.writerow([number, name, json_text(key), json_text(value)])
        if not arguments:
            writer.writerow([number, name, "", ""])
    return table.getvalue()


def _parse_csv(text: str) -> Calls:
    try:
        rows = list(csv.reader(io.StringIO(text.strip() + "\n"), strict=True))
    except csv.Error as error:
        raise ValueError(f"not CSV: {error}") from None
    if not rows or rows[0] != _COLUMNS:
        raise ValueError(f"the first line is not {','.join(_COLUMNS)}")
    found: dict[str, tuple[str, dict[str, Any]]] = {}
    for row in rows[1:]:
        if len(row) != 4 or not row[1]:
            raise ValueError(f"not a row of four: {row}")
        number, name, key, value = row
        made = found.setdefault(number, (name, {}))
        if made[0] != name:
            raise ValueError(f"call {number} has two names")
        if key:
            made[1][str(_scalar(key))] = read_json(value)
    return list(found.values())


def _encode_pairs(calls: Given) -> str:
    parts = []
    for name, arguments in calls:
        parts.append("\n".join([f"call: {name}", *(f"{key_text(k)} = {json_text(v)}" for k, v in arguments.items())]))
    return "\n\n".join(parts) or "call: none"


def _parse_pairs(text: str) -> Calls:
    if text.strip() == "call: none":
        return []
    found: Calls = []
    for line in _lines(text):
        if line.startswith("call:"):
            found.append((line.removeprefix("call:").strip(), {}))
            continue
        key, at = key_at(line, 0)
        mark = re.compile(r"\s*=\s*").match(line, at)
        if not found or not mark:
            raise ValueError(f"not name = value: {line[:60]!r}")
        found[-1][1][key] = read_json(line[mark.end() :])
    return _some(found)


def _lines(text: str) -> Iterator[str]:
    return (line.rstrip("\r") for line in text.split("\n") if line.strip())


def _some(found: Calls) -> Calls:
    if not found:
        raise ValueError("there is no call")
    return found


FORMATS = (
    OutputFormat(
        "yaml",
        "Answer in YAML: a list of calls, each with name and arguments; values on one line, texts in double quotes. "
        "Where no function fits, write [].",
        _encode_yaml,
        _parse_yaml,
    ),
    OutputFormat(
        "markdown-table",
        "Answer with a Markdown table of two columns, function and arguments; arguments are JSON, with \\u007c for |. "
        "Where no function fits, the table has no rows.",
        _encode_table,
        _parse_table,
    ),
    OutputFormat(
        "csv",
        "Answer in CSV with the columns call (1, 2, …), function, argument, value: a row for each argument, names and "
        "values as JSON; a call without arguments is one row. Where no function fits, write the head alone.",
        _encode_csv,
        _parse_csv,
    ),
    OutputFormat(
        "key-value",
        "For each call write a line call: NAME, then a line name = value for each argument, values as JSON. Where no "
        "function fits, write call: none.",
        _encode_pairs,
        _parse_pairs,
    ),
)
