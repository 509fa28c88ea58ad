"""ReAct text and plain sentences."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from lamina.models.output_formats.output_format import (
    Calls,
    OutputFormat,
    arguments_of,
    json_text,
    key_at,
    key_text,
    read_json,
    value_at,
)

Given = Sequence[tuple[str, dict[str, Any]]]
_ACTION = re.compile(r"Action: *(.+?) *\nAction Input: *(.+?) *(?:\n|\Z)")
_NO_ACTION = "Final Answer: no function fits."


def _encode_react(calls: Given) -> str:
    return "\n".join(f"Action: {name}\nAction Input: {json_text(a)}" for name, a in calls) or _NO_ACTION


def _parse_react(text: str) -> Calls:
    if text.strip() == _NO_ACTION:
        return []
    found = list(_ACTION.finditer(text))
    if _ACTION.sub("", text).strip() or not found:
        raise ValueError("not pairs of Action and Action Input")
    return [(one[1], arguments_of(read_json(one[2]))) for one in found]


_NO_CALL = "Call no function."


def _encode_sentence(calls: Given) -> str:
    return "\n".join(_sentence(name, arguments) for name, arguments in calls) or _NO_CALL


def _sentence(name: str, arguments: dict[str, Any]) -> str:
    said = [f"{key_text(key)} set to {json_text(value)}" for key, value in arguments.items()]
    if not said:
        return f"Call {name} without arguments."
    *most, last = said
    return f"Call {name} with {', '.join(most) + ' and ' if most else ''}{last}."


_CALL = re.compile(r"Call (\S+) (with |without arguments\.)")
_SET_TO = re.compile(r" set to ")
_AND = re.compile(r", | and ")


def _parse_sentence(text: str) -> Calls:
    text = text.strip()
    if text == _NO_CALL:
        return []
    found: Calls = []
    at = 0
    while at < len(text) or not found:
        call = _CALL.match(text, at)
        if not call:
            raise ValueError(f"not a sentence that calls: {text[at : at + 40]!r}")
        arguments: dict[str, Any] = {}
        at = call.end()
        if call[2] == "with ":
            at = _arguments(text, at, arguments)
        found.append((call[1], arguments))
        while at < len(text) and text[at].isspace():
            at += 1
    return found


def _arguments(text: str, at: int, found: dict[str, Any]) -> int:
    while True:
        key, at = key_at(text, at)
        mark = _SET_TO.match(text, at)
        if not mark:
            raise ValueError(f"{key} is not set to anything")
        found[key], at = value_at(text, mark.end())
        if text[at : at + 1] == ".":
            return at + 1
        more = _AND.match(text, at)
        if not more:
            raise ValueError(f"the sentence does not end: {text[at : at + 40]!r}")
        at = more.end()


FORMATS = (
    OutputFormat(
        "react",
        "For each call write a line Action: NAME and a line Action Input: arguments as JSON. Where no function fits, "
        f"write {_NO_ACTION}",
        _encode_react,
        _parse_react,
    ),
    OutputFormat(
        "sentence",
        "For each call write a sentence: Call NAME with ARGUMENT set to VALUE, … and ARGUMENT set to VALUE. Values are "
        f"JSON. A call that takes nothing is made without arguments. Where no function fits, write {_NO_CALL}",
        _encode_sentence,
        _parse_sentence,
    ),
)
