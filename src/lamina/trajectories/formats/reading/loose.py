"""JSON as people and models leave it: encoded twice, in single quotes, in a fence, or as Python calls. Parsed, never
evaluated."""

from __future__ import annotations

import ast
import json
import re
import warnings
from typing import Any

from lamina.trajectories.formats.reading.rows import parse_json

LONGEST = 2_000_000
"""Characters. Longer text is not looked into: Python's parser needs many times its size."""
_FENCE = re.compile(r"\A\s*```[a-zA-Z]*\s*(.*?)\s*```\s*\Z", re.S)
Calls = list[tuple[str, dict[str, Any]]]


def loose(text: Any, *, depth: int = 3) -> Any:
    """The value a text stands for: JSON, JSON within a JSON string (up to ``depth`` times), or Python literals
    (single quotes, None, True). What is no text is returned as it is. Raises ValueError."""
    while isinstance(text, str) and depth:
        text, depth = _once(text), depth - 1
        if isinstance(text, str) and text.lstrip()[:1] not in ("{", "[", '"'):
            break
    return text


def loose_object(value: Any) -> dict[str, Any]:
    """``loose``, for what must be an object; empty text and null are the empty object. Raises ValueError."""
    if value is None or value == "":
        return {}
    found = loose(value)
    if not isinstance(found, dict):
        raise ValueError(f"not an object: {str(value)[:80]!r}")
    return _string_keys(found)


def _once(text: str) -> Any:
    inner = unfenced(text).strip()
    try:
        return parse_json(inner)
    except ValueError as error:
        found = _glaive_quotes(inner)
        if found is not None:
            return found
        try:
            return _plain(literal(inner))
        except ValueError:
            raise ValueError(f"neither JSON nor a Python literal ({str(error)[:60]}): {inner[:80]!r}") from None


def _glaive_quotes(text: str) -> Any:
    """``{"name": "f", "arguments": '{"a": "it's"}'}``: JSON in single quotes inside JSON, apostrophes and all."""
    found = re.fullmatch(r'(\{.*?"arguments"\s*:\s*)\'(.*)\'(\s*\})', text, re.S)
    if not found:
        return None
    try:
        inner = parse_json(found[2].replace("\\'", "'"))
        return parse_json(found[1] + json.dumps(inner) + found[3])
    except ValueError:
        return None


def literal(text: str) -> Any:
    """A Python literal. Raises ValueError, whatever ``ast`` raises."""
    if len(text) > LONGEST:
        raise ValueError("too long")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.literal_eval(text)
    except (SyntaxError, ValueError, TypeError, MemoryError, RecursionError) as error:
        raise ValueError(f"not a Python literal: {str(error)[:80]}") from None


def _plain(value: Any) -> Any:
    """Tuples and sets to lists, keys to text; what JSON cannot hold is refused."""
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(v) for v in value]
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float) and value == value and abs(value) != float("inf"):
        return value
    raise ValueError(f"JSON has no {type(value).__name__}")


def _string_keys(value: dict[Any, Any]) -> dict[str, Any]:
    return {str(k): v for k, v in value.items()}


def unfenced(text: str) -> str:
    """What stands in a code fence, where the whole text is one."""
    found = _FENCE.match(text) if "```" in text else None
    return found[1] if found else text


def calls_of(value: Any) -> Calls:
    """Calls in the forms data sets write them: one or a list of ``{"name" | "api" | "tool" | "api_name",
    "arguments" | "parameters" | "kwargs" | …}``, wrapped in ``function`` or not. Raises ValueError."""
    rows = value if isinstance(value, list) else [value]
    found: Calls = []
    for row in rows:
        if isinstance(row, str):
            row = loose(row)
        if isinstance(row, dict) and isinstance(row.get("function"), dict):
            row = row["function"]
        name = next((row[k] for k in _NAMES if isinstance(row.get(k), str)), None) if isinstance(row, dict) else None
        if not name:
            raise ValueError(f"not a call: {str(row)[:80]!r}")
        arguments: Any = next((row[k] for k in _ARGUMENTS if k in row), {})
        found.append((name, loose_object(arguments)))
    return found


_NAMES = ("name", "api", "tool", "api_name", "action", "Action", "tool_name", "function_name")
_ARGUMENTS = ("arguments", "parameters", "kwargs", "param_dict", "args", "input", "action_input", "Action_Input")


def python_calls(text: str) -> Calls:
    """``[get weather(city="Paris"), f(1)]`` as ToolACE, BFCL and Gorilla write it. Names may hold spaces, dots and
    brackets; arguments must be literals; positional ones are named ``arg0``, ``arg1``. Raises ValueError."""
    text = unfenced(text).strip()
    if len(text) > LONGEST:
        raise ValueError("too long")
    if text.startswith("[") and text.endswith("]") and not _is_call(text):
        text = text[1:-1].strip()
    if not text:
        return []
    return [_python_call(part) for part in _split(text, ",")]


def _is_call(text: str) -> bool:
    return text.endswith(")") and "(" in text


def _python_call(text: str) -> tuple[str, dict[str, Any]]:
    start = _opening_of_last_bracket(text.strip())
    text = text.strip()
    name = text[:start].strip()
    if not name or "\n" in name or len(name) > 200:
        raise ValueError(f"not a call: {text[:80]!r}")
    arguments: dict[str, Any] = {}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            node = ast.parse("f" + text[start:], mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return name, _by_hand(text[start + 1 : -1])
    if not isinstance(node, ast.Call):
        raise ValueError(f"not a call: {text[:80]!r}")
    for number, argument in enumerate(node.args):
        arguments[f"arg{number}"] = _value(argument)
    for keyword in node.keywords:
        if keyword.arg is None:
            raise ValueError("a call with ** has no plain arguments")
        arguments[keyword.arg] = _value(keyword.value)
    return name, arguments


def _by_hand(text: str) -> dict[str, Any]:
    """Arguments whose names are no Python names (``start-date="…"``)."""
    found: dict[str, Any] = {}
    for part in _split(text, ","):
        name, equals, value = part.partition("=")
        if not equals or not name.strip():
            raise ValueError(f"not an argument: {part[:80]!r}")
        found[name.strip()] = loose(value.strip())
    return found


def _value(node: ast.AST) -> Any:
    if isinstance(node, ast.Name) and node.id in _JSON_WORDS:
        return _JSON_WORDS[node.id]
    if isinstance(node, ast.List | ast.Tuple | ast.Set):
        return [_value(e) for e in node.elts]
    if isinstance(node, ast.Dict) and all(k is not None for k in node.keys):
        return {str(_value(k)): _value(v) for k, v in zip(node.keys, node.values, strict=True) if k is not None}
    try:
        return _plain(ast.literal_eval(node))
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        raise ValueError("an argument is no literal: data is not evaluated") from None


_JSON_WORDS = {"true": True, "false": False, "null": None}


def _opening_of_last_bracket(text: str) -> int:
    """Where the arguments open: the last bracket that closes at the end, names with brackets being allowed."""
    if not text.endswith(")"):
        raise ValueError(f"not a call: {text[:80]!r}")
    starts: list[int] = []
    quote, escaped, opened = "", False, -1
    for position, c in enumerate(text):
        if quote:
            quote = "" if c == quote and not escaped else quote
            escaped = c == "\\" and not escaped
        elif c in "\"'" and starts:
            quote, escaped = c, False
        elif c in "([{":
            starts.append(position)
        elif c in ")]}" and starts:
            opened = starts.pop()
    if opened < 0 or starts:
        raise ValueError(f"brackets do not match: {text[:80]!r}")
    return opened


def _split(text: str, mark: str) -> list[str]:
    """Parts between marks that stand outside quotes and brackets. Outside brackets a quote opens after an equals sign
    only: names of functions may have an apostrophe."""
    parts, depth, quote, escaped, start = [], 0, "", False, 0
    for position, c in enumerate(text):
        if quote:
            quote = "" if c == quote and not escaped else quote
            escaped = c == "\\" and not escaped
        elif c in "\"'" and (depth or text[:position].rstrip().endswith("=")):
            quote, escaped = c, False
        elif c in "([{":
            depth += 1
        elif c in ")]}":
            depth -= 1
        elif c == mark and depth == 0:
            parts.append(text[start:position])
            start = position + 1
    return [part for part in [*parts, text[start:]] if part.strip()]


def as_text(value: Any) -> str:
    """A result as the text of a tool message: text as it is, all else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def as_value(text: str) -> Any:
    """What ``as_text`` gives this text for: the object where that is sure, else the text."""
    if text[:1] in ("{", "["):
        try:
            value = parse_json(text)
        except ValueError:
            return text
        if as_text(value) == text:
            return value
    return text
