"""Chat turns of any dialect as messages of the record: roles by many names, content in parts, thoughts in three
places, calls in fields or in the text, results one by one or together."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from lamina.trajectories.formats.reading.loose import (
    Calls,
    as_text,
    calls_of,
    loose,
    python_calls,
    unfenced,
)
from lamina.trajectories.formats.reading.refused import Refused

JSON = dict[str, Any]
TextCalls = Callable[[str], "tuple[str, Calls] | None"]
"""The words and the calls of an assistant's text; None where it holds no calls. Raises ValueError."""

ROLES = {
    "system": "system", "developer": "system",
    "user": "user", "human": "user", "User": "user", "USER": "user",
    "assistant": "assistant", "gpt": "assistant", "agent": "assistant", "model": "assistant", "AI": "assistant",
    "chatgpt": "assistant", "bot": "assistant", "function_call": "call", "tool_call": "call", "tool_calls": "call",
    "tool": "tool", "function": "tool", "observation": "tool", "function_response": "tool", "ipython": "tool",
    "tool_response": "tool", "function-response": "tool", "API": "tool",
}  # fmt: skip
THINK = re.compile(r"<(think|thinking|scratch_pad|thought)>(.*?)</\1>\s*", re.S)
_KNOWN = {"role", "from", "content", "value", "tool_calls", "function_call", "name", "tool_call_id",
          "reasoning_content", "thought", "thinking", "text", "weight"}  # fmt: skip


def messages_of(turns: Any, text_calls: TextCalls | None = None, text_results: bool = False) -> list[JSON]:
    """Messages in record form. ``text_results``: a tool turn may hold several results in tags or in a list.
    Raises Refused."""
    if not isinstance(turns, list) or not turns:
        raise Refused("unreadable", "there are no messages")
    found: list[JSON] = []
    for number, turn in enumerate(turns):
        if not isinstance(turn, dict):
            raise Refused("unreadable", f"message {number} is no object")
        role = ROLES.get(str(turn.get("role", turn.get("from"))))
        if role is None:
            raise Refused("unreadable", f"message {number} has the unknown role {turn.get('role', turn.get('from'))!r}")
        try:
            if role == "assistant":
                found.append(_assistant(turn, text_calls))
            elif role == "call":
                _call_turn(turn, found)
            elif role == "tool":
                found += _results(turn, text_results)
            else:
                found.append({"role": role, "content": _text(turn)[0], **_rest(turn)})
        except ValueError as error:
            raise Refused("unreadable", f"message {number}: {error}") from None
    return with_names(found)


def _assistant(turn: JSON, text_calls: TextCalls | None) -> JSON:
    text, thought, calls = _text(turn)
    thought = thought or str(turn.get("reasoning_content") or turn.get("thought") or turn.get("thinking") or "")
    if "<" in text and (tagged := THINK.search(text)):
        thought, text = "\n".join(filter(None, [thought, tagged[2].strip()])), THINK.sub("", text, count=1)
    made = [_field_call(c) for c in turn.get("tool_calls") or []] or calls
    legacy = turn.get("function_call")
    if legacy:
        made = [call(*calls_of(legacy)[0])]
    if not made and text_calls and (parsed := text_calls(text)) is not None:
        text, made = parsed[0], [call(*c) for c in parsed[1]]
    return assistant(text, made, thought, **_rest(turn))


def assistant(text: str, calls: list[JSON], thought: str = "", **rest: Any) -> JSON:
    """One assistant message: the thought of a calling turn is its content, as the record has it; where there are
    words as well, or no calls, it is ``reasoning_content``."""
    if thought and calls and not text.strip():
        text, thought = thought, ""
    found: JSON = {"role": "assistant", "content": text, **rest}
    if thought:
        found["reasoning_content"] = thought
    if calls:
        found["tool_calls"] = calls
    return found


def call(name: str, arguments: JSON, id: str | None = None) -> JSON:
    return {"type": "function", "function": {"name": name, "arguments": arguments}, **({"id": id} if id else {})}


def _field_call(row: Any) -> JSON:
    (name, arguments), *_ = calls_of(row)
    found = call(name, arguments)
    if isinstance(row, dict) and isinstance(row.get("id"), str):
        found["id"] = row["id"]
    return found


def _call_turn(turn: JSON, found: list[JSON]) -> None:
    """ShareGPT's ``function_call`` turn: a turn of its own, or the second half of the assistant's words."""
    text, thought, _ = _text(turn)
    calls = [call(*c) for c in calls_of(loose(text))]
    found.append(assistant("", calls, thought or str(turn.get("thought") or ""), **_rest(turn)))


def _text(turn: JSON) -> tuple[str, str, list[JSON]]:
    """Text, thought and calls of a content that is text, null or a list of parts."""
    content = turn.get("content", turn.get("value", turn.get("text")))
    if content is None or isinstance(content, str):
        return content or "", "", []
    if not isinstance(content, list):
        return as_text(content), "", []
    words, thoughts, calls = [], [], []
    for part in content:
        if isinstance(part, str):
            words.append(part)
            continue
        if not isinstance(part, dict):
            raise ValueError("a part of the content is neither text nor an object")
        kind, value = part.get("type", "text"), part.get("text", part.get("value", part.get("thinking", "")))
        if kind in ("reasoning", "thinking"):
            thoughts.append(as_text(value))
        elif kind in ("tool_call", "tool_use"):
            calls += [call(*c) for c in calls_of(loose(value) if value else part)]
        elif kind in ("text", "output_text", "input_text", "tool_result", "tool_response"):
            words.append(as_text(value if value != "" else part.get("content", "")))
        else:
            raise ValueError(f"a part of the kind {kind!r} is no text")
    return "\n".join(words), "\n".join(thoughts), calls


_RESPONSE = re.compile(r"<tool_response>\s*(.*?)\s*</tool_response>", re.S)


def _results(turn: JSON, in_text: bool) -> list[JSON]:
    text = _text(turn)[0]
    base: JSON = {"role": "tool", **_rest(turn)}
    for key in ("name", "tool_call_id"):
        if isinstance(turn.get(key), str):
            base[key] = turn[key]
    if not in_text:
        return [{**base, "content": text}]
    parts = _RESPONSE.findall(text) or listed_results(text)
    return [{**base, **_named(part)} for part in parts] if parts else [{**base, "content": text}]


def listed_results(text: str) -> list[Any] | None:
    """ToolACE: ``[{"name": …, "results": …}]``, one for each call; None for any other text."""
    if not text.lstrip().startswith("["):
        return None
    try:
        rows = loose(text)
    except ValueError:
        return None
    shaped = isinstance(rows, list) and rows and all(isinstance(r, dict) and "name" in r and len(r) == 2 for r in rows)
    return rows if shaped else None


def _named(part: Any) -> JSON:
    """``{"name": "f", "content": {…}}`` (Hermes) or ``results`` (ToolACE) says whose result it is."""
    value = part
    if isinstance(part, str):
        try:
            value = loose(part)
        except ValueError:
            return {"content": part}
    if isinstance(value, dict) and isinstance(value.get("name"), str) and len(value) == 2:
        for key in ("content", "results", "result"):
            if key in value:
                return {"name": value["name"], "content": as_text(value[key])}
    return {"content": part if isinstance(part, str) else as_text(part)}


def _rest(turn: JSON) -> JSON:
    """Keys of a message that no rule above reads are kept."""
    return {k: v for k, v in turn.items() if k not in _KNOWN and v is not None and k not in ("id", "type")}


def with_names(messages: list[JSON]) -> list[JSON]:
    """Results get the name of their call, by id or by order; parallel calls get ids, as the record wants."""
    pending: list[JSON] = []
    position = 0
    for message in messages:
        if message["role"] == "assistant":
            pending, position = message.get("tool_calls") or [], 0
        elif message["role"] == "tool":
            by_id = [c for c in pending if c.get("id") and c["id"] == message.get("tool_call_id")]
            mine = by_id[0] if by_id else pending[position] if position < len(pending) else None
            if mine is not None and "name" not in message:
                message["name"] = mine["function"]["name"]
            position += 1
    return _with_ids(messages)


def _with_ids(messages: list[JSON]) -> list[JSON]:
    number = 0
    for at, message in enumerate(messages):
        calls = message.get("tool_calls") or []
        results = []
        for later in messages[at + 1 :]:
            if later["role"] != "tool":
                break
            results.append(later)
        if len(calls) < 2 or len(results) != len(calls) or any("id" in c for c in calls):
            continue
        if any("tool_call_id" in r for r in results):
            continue
        for made, result in zip(calls, results, strict=True):
            number += 1
            made["id"] = result["tool_call_id"] = f"call_{number}"
    return messages


TOOL_CALL = re.compile(r"<tool_call>\s*(.*?)\s*(?:</tool_call>|\Z)", re.S)

LAST_TOOL_CALL = re.compile(r"<tool_call>\s*((?:(?!<tool_call>).)*?)\s*</tool_call>", re.S)


def tagged_calls(text: str) -> tuple[str, Calls] | None:
    """Hermes and ChatML: ``<tool_call>{…}</tool_call>``, once or more, each with one call or one a line."""
    if "<tool_call>" not in text:
        return None
    try:
        return _tagged(text, TOOL_CALL)
    except ValueError:
        spoken_of = _tagged(text, LAST_TOOL_CALL)  # a thought that speaks of the tag opens no call
        if not spoken_of[1]:
            raise
        return spoken_of


def _tagged(text: str, tag: re.Pattern[str]) -> tuple[str, Calls]:
    found: Calls = []
    parts = tag.findall(text)
    for part in [one for one in parts if one] or parts:
        found += calls_in_lines(part)
    return tag.sub("", text).strip(), found


def calls_in_lines(text: str) -> Calls:
    """One value that is calls, or a call a line."""
    try:
        return calls_of(loose(text))
    except ValueError:
        lines = [line for line in unfenced(text).splitlines() if line.strip()]
        if len(lines) < 2:
            raise
        return [made for line in lines for made in calls_of(loose(line))]


def array_calls(text: str) -> tuple[str, Calls] | None:
    """xLAM: the text is a bare array of calls, or ``{"thought", "tool_calls"}``; ``[]`` is a choice not to call."""
    inner = unfenced(text).strip()
    if inner[:1] not in ("[", "{"):
        return None
    try:
        value = loose(inner)
        if isinstance(value, dict) and "tool_calls" in value:
            return str(value.get("thought") or ""), calls_of(value["tool_calls"] or [])
        return ("", calls_of(value)) if isinstance(value, list) else None
    except ValueError:
        return None


def python_text_calls(text: str) -> tuple[str, Calls] | None:
    """ToolACE: the text is ``[f(a=1), g(b="x")]``. A text in brackets that holds no calls is only a text."""
    stripped = text.strip()
    if not (stripped.startswith("[") and stripped.endswith("]") and "(" in stripped):
        return None
    try:
        return "", python_calls(stripped)
    except ValueError:
        return None
