"""Arguments in tags of their own: ``<parameter=x>value</parameter>`` (Qwen 3 Coder), ``<arg_key>x</arg_key>
<arg_value>value</arg_value>`` (GLM 4.5)."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from typing import Any

from lamina.models.json_spans import storable_value
from lamina.tools import Tool


@dataclass(frozen=True)
class Tags:
    """``opened``: a call up to its first value. ``tag``: an argument's name (``name``), or where the call is over."""

    opened: re.Pattern[str]
    tag: re.Pattern[str]
    begin: str
    end: str
    value_ends: re.Pattern[str]
    """``end`` where a value is over: another argument, the call's end or the text's follows."""
    call_ends: str
    own_lines: bool
    """Whether values stand on lines of their own, whose breaks are not theirs."""


QWEN = Tags(
    re.compile(r"<function=[^\s<>]{1,128}>\s{0,200}<parameter=[^\s<>]{1,128}>"),
    re.compile(r"<parameter=(?P<name>[^\s<>]{1,128})>|</function>|<function="),
    "<parameter=",
    "</parameter>",
    re.compile(r"</parameter>(?=\s{0,200}(?:<parameter=|</function>|</tool_call>|<function=|\Z))"),
    "</function>",
    own_lines=True,
)
GLM = Tags(
    re.compile(r"<tool_call>\s{0,8}[\w.-]{1,128}\s{0,8}<arg_key>[^<>]{1,128}</arg_key>\s{0,8}<arg_value>"),
    re.compile(r"<arg_key>(?P<name>[^<>]{1,128})</arg_key>\s{0,8}<arg_value>|</tool_call>|<tool_call>"),
    "<arg_key>",
    "</arg_value>",
    re.compile(r"</arg_value>(?=\s{0,200}(?:<arg_key>|</tool_call>|<tool_call>|\Z))"),
    "</tool_call>",
    own_lines=False,
)


def tagged_parameters(text: str, start: int, tool: Tool | None, tags: Tags) -> tuple[dict[str, Any], int] | None:
    """The arguments from ``start`` on, and where the call ends; None where one of them cannot be made out.

    A value that is JSON is read as that, unless ``tool`` wants text there; any other is text."""
    found: dict[str, Any] = {}
    position = start
    while (tag := tags.tag.search(text, position)) is not None and tag["name"]:
        end = _end_of(text, tag.end(), tags)
        if end < 0:
            return None
        name, written = tag["name"].strip(), text[tag.end() : end]
        found[name] = _value(written, name, tool, tags)
        position = end + len(tags.end)
    closed = tag is not None and tag[0] == tags.call_ends
    body_end = tag.start() if tag is not None else len(text)
    if not found and text[start:body_end].removesuffix("</tool_call>").strip():
        return None  # something stands there, and it is no argument
    return found, tag.end() if tag is not None and closed else (position if found else body_end)


def tagged_spans(text: str) -> list[tuple[int, int]]:
    """Where the values of calls with tags stand, from the first of a call to its last."""
    found = []
    for tags in (QWEN, GLM):
        position = 0
        while (opened := tags.opened.search(text, position)) is not None:
            end = text.find(tags.call_ends, opened.end())
            closing = text.rfind(tags.end, opened.end(), end if end >= 0 else len(text))
            if closing < 0:
                break
            found.append((opened.end(), closing))
            position = closing
    return found


def _end_of(text: str, start: int, tags: Tags) -> int:
    """Of the value that begins at ``start``; markup inside of it is text."""
    end = tags.value_ends.search(text, start)
    value = text[start : end.start()] if end else ""
    if end and not (tags.end in value and tags.begin in value):
        return end.start()
    return text.find(tags.end, start)


def _value(written: str, name: str, tool: Tool | None, tags: Tags) -> Any:
    text = written.removeprefix("\n").removesuffix("\n") if tags.own_lines else written
    try:
        value = storable_value(json.loads(written, parse_constant=str))
    except (ValueError, RecursionError):
        return text
    if tool is not None and not isinstance(value, str):
        alone = replace(tool, parameters={**tool.parameters, "required": []})
        if alone.problems({name: value}) and not alone.problems({name: text}):
            return text
    return value
