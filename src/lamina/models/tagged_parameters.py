"""Arguments in tags of their own, ``<parameter=x>value</parameter>`` (Qwen 3 Coder)."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

from lamina.models.json_spans import storable_value
from lamina.tools import Tool

_TAG = re.compile(r"<parameter=(?P<name>[^\s<>]{1,128})>|</function>|<function=")
_END = re.compile(r"</parameter>(?=\s{0,200}(?:<parameter=|</function>|</tool_call>|<function=|\Z))")


def tagged_parameters(text: str, start: int, tool: Tool | None) -> tuple[dict[str, Any], int] | None:
    """The arguments from ``start`` on, and where the call ends; None where one of them cannot be made out.

    A value that is JSON is read as that, unless ``tool`` wants text there; any other is text."""
    found: dict[str, Any] = {}
    position = start
    while (tag := _TAG.search(text, position)) is not None and tag["name"]:
        end = _end_of(text, tag.end())
        if end < 0:
            return None
        found[tag["name"]] = _value(text[tag.end() : end], tag["name"], tool)
        position = end + len("</parameter>")
    closed = tag is not None and tag[0] == "</function>"
    body_end = tag.start() if tag is not None else len(text)
    if not found and text[start:body_end].removesuffix("</tool_call>").strip():
        return None  # something stands there, and it is no argument
    return found, tag.end() if tag is not None and closed else (position if found else body_end)


def _end_of(text: str, start: int) -> int:
    """Of the value that begins at ``start``; markup inside of it is text."""
    end = _END.search(text, start)
    value = text[start : end.start()] if end else ""
    if end and not ("</parameter>" in value and "<parameter=" in value):
        return end.start()
    return text.find("</parameter>", start)


def _value(written: str, name: str, tool: Tool | None) -> Any:
    text = written.removeprefix("\n").removesuffix("\n")
    try:
        value = storable_value(json.loads(written, parse_constant=str))
    except (ValueError, RecursionError):
        return text
    if tool is not None and not isinstance(value, str):
        alone = replace(tool, parameters={**tool.parameters, "required": []})
        if alone.problems({name: value}) and not alone.problems({name: text}):
            return text
    return value
