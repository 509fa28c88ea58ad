"""The marks that model families put around their calls, taken off: tags, special tokens, code fences.

Each family wraps JSON (or Python calls) its own way; here that is one table. Where the function's name stands outside
the JSON it is put back in."""

from __future__ import annotations

import json
import re
from typing import Any

from lamina.models.json_spans import end_of_value, load_value

PAIRS = (
    ("<tool_call>", "</tool_call>"),  # Hermes, Qwen
    ("<tool_calls>", "</tool_calls>"),
    ("<function_call>", "</function_call>"),
    ("<functioncall>", "<|endoftext|>"),  # Glaive
    ("<TOOLCALL>", "</TOOLCALL>"),  # Nemotron
    ("<|tool_call|>", "<|/tool_call|>"),  # Phi 4, Granite
    ("<|tool_call_start|>", "<|tool_call_end|>"),  # LFM 2
    ("<|python_tag|>", "<|eom_id|>"),  # Llama 3
    ("[TOOL_CALLS]", "</s>"),  # Mistral
)
"""Opening and closing mark; the last closing one may be left out."""
ENDS = ("<|im_end|>", "<|eot_id|>", "<|eom_id|>", "<|endoftext|>", "<|end|>", "<end_of_turn>", "</s>")
_NAMED = re.compile(
    r"<function=(?P<tag>[^\s<>]{1,128})>"  # Llama 3.1's own tools; Qwen 3 Coder
    r"|\[TOOL_CALLS\][ \n]{0,4}(?P<mistral>[\w.-]{1,128})(?:\[ARGS\])?\s{0,8}(?=\{)"
    r"|<｜tool▁sep｜>(?P<deepseek>[\w.-]{1,128})\s{0,8}(?:```json)?\s{0,8}(?=\{)"
    r"|Action:[ ]{0,4}(?P<action>[\w.-]{1,128})\s{0,8}Action Input:\s{0,8}(?=\{)"  # ReAct
)
_PARAMETER = re.compile(r"<parameter=(?P<name>[^\s<>]{1,128})>\n?(?P<value>[^<]*)\n?</parameter>")


def without_ends(text: str) -> str:
    """Without what a model thought first, and without end tokens after it."""
    text = text.rpartition("</think>")[2].strip()
    while (end := next((e for e in ENDS if text.endswith(e)), None)) is not None:
        text = text.removesuffix(end).rstrip()
    return text


def marked_parts(text: str) -> list[str] | None:
    """What stands in each pair of marks, or None where there are none. Other words are left out."""
    named = _named_calls(text)
    if named:
        return named
    for opening, closing in PAIRS:
        if opening in text:
            return _between(text, opening, closing)
    return None


def _named_calls(text: str) -> list[str]:
    """Each call whose name stands outside its JSON, written as JSON with the name in it; text that breaks off stays
    as it is."""
    parts: list[str] = []
    position = 0
    while (found := _NAMED.search(text, position)) is not None:
        name, start = found[found.lastgroup or 0], found.end()
        begin = len(text) - len(text[start:].lstrip()) if found.lastgroup == "tag" else start
        if text.startswith("{", begin):
            end = end_of_value(text, begin)
            arguments: Any = load_value(text[begin:end]) if end > 0 else None
        else:
            end = _past(text, "</function>", start)
            arguments = _parameters(text[start:end])
        if arguments is None:
            parts.append(f'{{"name": {json.dumps(name)}, "arguments": {text[begin:]}')
            break
        parts.append(json.dumps({"name": name, "arguments": arguments}, ensure_ascii=False))
        position = max(end, found.end())
    return parts


def _parameters(body: str) -> dict[str, Any]:
    """``<parameter=x>value</parameter>``: a value that is JSON is read as that, any other is text."""
    found = {}
    for name, value in _PARAMETER.findall(body):
        try:
            found[name] = json.loads(value, parse_constant=str)
        except (ValueError, RecursionError):
            found[name] = value.rstrip("\n")
    return found


def _past(text: str, mark: str, start: int) -> int:
    end = text.find(mark, start)
    return len(text) if end < 0 else end + len(mark)


def _between(text: str, opening: str, closing: str) -> list[str]:
    parts, position = [], 0
    while (start := text.find(opening, position)) >= 0:
        start += len(opening)
        position = _past(text, closing, start)
        closed = text.endswith(closing, start, position)
        parts.append(text[start : position - len(closing)] if closed else text[start:position])
    return parts


def fenced(text: str) -> tuple[str, bool] | None:
    """What stands in the first code fence, and whether there are words around it."""
    start = text.find("```")
    if start < 0:
        return None
    end = text.find("```", start + 3)
    inside = text[start + 3 : end] if end >= 0 else text[start + 3 :]
    around = text[:start] + (text[end + 3 :] if end >= 0 else "")
    language = re.match(r"[A-Za-z_]{1,20}\s", inside)
    return inside[language.end() :] if language else inside, bool(around.strip())
