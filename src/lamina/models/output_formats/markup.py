"""XML, Hermes tags, function tags, S-expressions."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from lamina.models.output_formats.output_format import (
    Calls,
    OutputFormat,
    arguments_of,
    call_of,
    json_text,
    key_at,
    key_text,
    read_json,
    value_at,
)

Given = Sequence[tuple[str, dict[str, Any]]]


def _encode_xml(calls: Given) -> str:
    lines = ["<calls>"]
    for name, arguments in calls:
        lines.append(f"  <call name={quoteattr(name)}>")
        for key, value in arguments.items():
            lines.append(f"    <argument name={quoteattr(key)}>{escape(json_text(value))}</argument>")
        lines.append("  </call>")
    return "\n".join([*lines, "</calls>"])


def _parse_xml(text: str) -> Calls:
    from xml.etree import ElementTree

    if "<!" in text:
        raise ValueError("declarations are not read")  # entities can grow without end
    try:
        root = ElementTree.fromstring(text.strip())
    except (ElementTree.ParseError, RecursionError) as error:
        raise ValueError(f"not XML: {error}") from None
    if root.tag != "calls" or any(call.tag != "call" or "name" not in call.attrib for call in root):
        raise ValueError("not <calls> of <call name=…>")
    found: Calls = []
    for call in root:
        if any(part.tag != "argument" or "name" not in part.attrib for part in call):
            raise ValueError("a call holds what is no <argument name=…>")
        found.append((call.attrib["name"], {part.attrib["name"]: read_json(part.text or "") for part in call}))
    return found


_TOOL_CALL = re.compile(r"<tool_call>\s*(.*?)\s*</tool_call>", re.S)
_FUNCTION = re.compile(r"<function=([^>]*)>(.*?)</function>", re.S)
NONE_TAG = "<none/>"


def _all_of(pattern: re.Pattern[str], text: str) -> list[re.Match[str]]:
    """The matches, where the text is nothing but them. Raises ValueError."""
    found = list(pattern.finditer(text))
    if pattern.sub("", text).strip() or not found:
        raise ValueError("there is text outside the tags, or no tag")
    return found


def _encode_hermes(calls: Given) -> str:
    rows = [json_text({"name": name, "arguments": arguments}, without="<") for name, arguments in calls]
    return "\n".join(f"<tool_call>\n{row}\n</tool_call>" for row in rows) or NONE_TAG


def _parse_hermes(text: str) -> Calls:
    if text.strip() == NONE_TAG:
        return []
    return [call_of(read_json(found[1])) for found in _all_of(_TOOL_CALL, text)]


def _encode_function(calls: Given) -> str:
    rows = (f"<function={name}>{json_text(arguments, without='<')}</function>" for name, arguments in calls)
    return "\n".join(rows) or NONE_TAG


def _parse_function(text: str) -> Calls:
    if text.strip() == NONE_TAG:
        return []
    return [(found[1], arguments_of(read_json(found[2]))) for found in _all_of(_FUNCTION, text)]


def _encode_lisp(calls: Given) -> str:
    lines = ["(calls"]
    for name, arguments in calls:
        lines.append(f"  ({' '.join([key_text(name), *(_pair(k, v) for k, v in arguments.items())])})")
    return "\n".join(lines) + ")"


def _pair(key: str, value: Any) -> str:
    return f"({key_text(key)} {_lisp(value)})"


def _lisp(value: Any) -> str:
    if isinstance(value, dict):
        return f"({' '.join(['object', *(_pair(k, v) for k, v in value.items())])})"
    if isinstance(value, list):
        return f"({' '.join(['list', *map(_lisp, value)])})"
    return json_text(value)


def _parse_lisp(text: str) -> Calls:
    try:
        tree, end = _tree(text.strip(), 0)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if text.strip()[end:].strip() or not isinstance(tree, _Form) or tree.name != "calls":
        raise ValueError("not (calls …)")
    found: Calls = []
    for call in tree.parts:
        if not isinstance(call, _Form):
            raise ValueError("a call is (name (argument value) …)")
        found.append((call.name, _pairs(call.parts)))
    return found


class _Form:
    def __init__(self, name: str, parts: list[Any]):
        self.name, self.parts = name, parts


def _pairs(parts: list[Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for part in parts:
        if not isinstance(part, _Form) or len(part.parts) != 1:
            raise ValueError("an argument is (name value)")
        found[part.name] = _plain(part.parts[0])
    return found


def _plain(value: Any) -> Any:
    if not isinstance(value, _Form):
        return value
    if value.name == "list":
        return [_plain(part) for part in value.parts]
    if value.name == "object":
        return _pairs(value.parts)
    raise ValueError(f"a value is JSON, (list …) or (object …), not ({value.name} …)")


_BLANK = re.compile(r"\s*")


def _tree(text: str, at: int) -> tuple[Any, int]:
    """The form or the JSON scalar that begins at ``at``."""
    if text[at : at + 1] != "(":
        return value_at(text, at)
    name, at = key_at(text, _skip(text, at + 1))
    parts: list[Any] = []
    at = _skip(text, at)
    while text[at : at + 1] != ")":
        if at >= len(text):
            raise ValueError("a bracket is not closed")
        part, at = _tree(text, at)
        parts.append(part)
        at = _skip(text, at)
    return _Form(name, parts), at + 1


def _skip(text: str, at: int) -> int:
    found = _BLANK.match(text, at)
    return found.end() if found else at


FORMATS = (
    OutputFormat(
        "xml",
        'Answer in XML: <calls><call name="…"><argument name="…">value as JSON</argument></call></calls>. Where no '
        "function fits, write <calls></calls>.",
        _encode_xml,
        _parse_xml,
    ),
    OutputFormat(
        "hermes",
        'Put each call into <tool_call></tool_call>, as JSON: {"name": …, "arguments": {…}}. Where no function fits, '
        f"write {NONE_TAG}.",
        _encode_hermes,
        _parse_hermes,
    ),
    OutputFormat(
        "function-tag",
        f"Write each call as <function=NAME>arguments as JSON</function>. Where no function fits, write {NONE_TAG}.",
        _encode_function,
        _parse_function,
    ),
    OutputFormat(
        "s-expression",
        "Answer with (calls (function (argument value) …) …). Values are JSON scalars, (list …) or (object (key value) "
        "…). Where no function fits, write (calls).",
        _encode_lisp,
        _parse_lisp,
    ),
)
