"""The marks that model families put around their calls, taken off: tags, special tokens, code fences.

Each family wraps JSON (or Python calls) its own way; here that is one table. Where the function's name stands outside
the JSON it is put back in."""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

from lamina.models.escaped_values import escaped_object
from lamina.models.json_spans import end_of_value, load_value
from lamina.models.tagged_parameters import GLM, QWEN, tagged_parameters
from lamina.models.values_amid_text import outline
from lamina.tools import Tool, Toolbox

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
    ("<|channel|>final<|message|>", "<|return|>"),  # gpt-oss, asked for JSON in its answer
)
"""Opening and closing mark; the last closing one may be left out."""
ENDS = (
    "<|im_end|>", "<|eot_id|>", "<|eom_id|>", "<|endoftext|>", "<|end|>", "<|call|>", "<|return|>", "<end_of_turn>",
    "</s>", "<|observation|>",
)  # fmt: skip
_NAME = r"[\w.-]{1,128}"
NAMED = (
    r"<function=(?P<tag>[^\s<>]{1,128})>",  # Llama 3.1's own tools; Qwen 3 Coder
    rf"\[TOOL_CALLS\][ \n]{{0,4}}(?P<mistral>{_NAME})(?:\[ARGS\])?\s{{0,8}}(?=\{{)",
    rf"<｜tool▁sep｜>(?P<deepseek>{_NAME})\s{{0,8}}(?:```json)?\s{{0,8}}(?=\{{)",  # V3, R1
    rf"<｜tool▁call▁begin｜>\s{{0,8}}(?P<deepseek31>{_NAME})\s{{0,8}}<｜tool▁sep｜>\s{{0,8}}(?=\{{)",  # V3.1
    rf"<\|tool_call_begin\|>\s{{0,8}}(?:functions\.)?(?P<kimi>{_NAME})(?::\d{{1,9}})?\s{{0,8}}"
    r"<\|tool_call_argument_begin\|>\s{0,8}(?=\{)",  # Kimi K2: functions.NAME:NUMBER
    rf"\bto=functions\.(?P<harmony>{_NAME})(?:<\|(?:channel|constrain)\|>|[^<{{]){{0,60}}<\|message\|>\s{{0,8}}(?=\{{)",
    rf"<start_function_call>\s{{0,8}}call:(?P<gemma>{_NAME})\s{{0,8}}(?=\{{)",  # FunctionGemma
    rf"<tool_call>\s{{0,8}}(?P<glm>{_NAME})\s{{0,8}}(?=<arg_key>|</tool_call>)",  # GLM 4.5
    rf"Action:[ ]{{0,4}}(?P<action>{_NAME})\s{{0,8}}Action Input:\s{{0,8}}(?=\{{)",  # ReAct
)
"""Calls whose name stands outside of their arguments; the group is the name. ``harmony`` is gpt-oss's: the recipient
may stand before or after the channel, and the type (``<|constrain|>json``) may be left out."""
_NAMED = re.compile("|".join(NAMED))
_ANALYSIS = re.compile(
    r"(?:<\|start\|>assistant)?<\|channel\|>analysis(?:<\|constrain\|>|(?!\bto=)[^<{]){0,40}<\|message\|>"
)
"""What is addressed to a function is a call in whichever channel."""
_HEADER = re.compile(r"(?:\A|<\|start\|>assistant|<\|channel\|>[a-z]{1,20})\s{0,48}\Z")
"""What stands before gpt-oss's recipient."""
_LANGUAGE = re.compile(r"[A-Za-z_]{1,20}\s")


class Segment(NamedTuple):
    """A piece of a text, and whether it stood inside of marks. ``quoted``: in marks that words around them may be
    about."""

    text: str
    inside: bool
    quoted: bool = False


def spoken(text: str) -> str | None:
    """Without what a model thought first, and without end tokens after it; None where a thought never ends. What stands
    in a thought is a plan and no call, and whoever was cut in one hasn't answered yet."""
    hidden = outline(text)
    thought = hidden.rfind("</think>")
    start = thought + len("</think>") if thought >= 0 else 0
    if hidden.find("<think>", start) >= 0:
        return None
    left = _without_analysis(text[start:], hidden[start:])
    if left is None:
        return None
    text = left.strip()
    while (end := next((e for e in ENDS if text.endswith(e)), None)) is not None:
        text = text.removesuffix(end).rstrip()
    return text


def _without_analysis(text: str, hidden: str) -> str | None:
    """Without what gpt-oss says in its channel for thoughts, before each call anew; None where the last never ends."""
    kept: list[str] = []
    position = 0
    while (opened := _ANALYSIS.search(hidden, position)) is not None:
        end = hidden.find("<|end|>", opened.end())
        if end < 0:
            return None
        kept.append(text[position : opened.start()])
        position = end + len("<|end|>")
    return "".join([*kept, text[position:]])


def marked_segments(text: str, hidden: str, toolbox: Toolbox | None) -> list[Segment] | None:
    """The text, whose outline is ``hidden``, cut at the marks of a family, or None where there are none."""
    spans = _named_calls(text, hidden, toolbox)
    if not spans:
        pair = next(((opening, closing) for opening, closing in PAIRS if opening in hidden), None)
        spans = _between(text, hidden, *pair) if pair else []
    return _cut(text, spans) if spans else None


def fenced_segments(text: str, hidden: str) -> list[Segment] | None:
    """The text cut at its code fences, or None where there are none."""
    spans = _between(text, hidden, "```", "```")
    if not spans:
        return None
    found = _cut(text, spans)
    return [
        Segment(_LANGUAGE.sub("", s.text, count=1), True) if s.inside and _LANGUAGE.match(s.text) else s for s in found
    ]


class Span(NamedTuple):
    """Where something in marks begins and ends, and what stands in them; ``quoted`` as a segment's."""

    start: int
    end: int
    inner: str
    quoted: bool = False


def _cut(text: str, spans: list[Span]) -> list[Segment]:
    found, position = [], 0
    for span in spans:
        found += [Segment(text[position : span.start], False), Segment(span.inner, True, span.quoted)]
        position = span.end
    return [*found, Segment(text[position:], False)]


def _named_calls(text: str, hidden: str, toolbox: Toolbox | None) -> list[Span]:
    """Each call whose name stands outside its JSON, written as JSON with the name in it; text that breaks off stays
    as it is. What is as short as a mark that somebody writes about is quoted where words stand around the calls."""
    spans: list[Span] = []
    position = 0
    while (found := _NAMED.search(hidden, position)) is not None:
        family = found.lastgroup or ""
        name, start = found[family], found.end()
        begin = len(text) - len(text[start:].lstrip()) if family == "tag" else start
        arguments, end = _arguments(text, begin, family, toolbox.get(name) if toolbox is not None else None)
        if arguments is None:
            spans.append(Span(found.start(), len(text), f'{{"name": {json.dumps(name)}, "arguments": {text[begin:]}'))
            break
        position = max(end, found.end())
        call = json.dumps({"name": name, "arguments": arguments}, ensure_ascii=False)
        before = hidden[max(0, found.start() - 48) : found.start()]
        short = not arguments if family == "glm" else family == "harmony" and not _HEADER.search(before)
        spans.append(Span(found.start(), position, call, short))
    if any(segment.text.strip() for segment in _cut(text, spans) if not segment.inside):
        return spans
    return [span._replace(quoted=False) for span in spans]


def _arguments(text: str, begin: int, family: str, tool: Tool | None) -> tuple[dict[str, Any] | None, int]:
    """What stands from ``begin`` on as the family writes it, and where it ends; None where it cannot be made out."""
    if family == "gemma":
        return escaped_object(text, begin) or (None, -1)
    if family == "glm" or not text.startswith("{", begin):
        return tagged_parameters(text, begin, tool, GLM if family == "glm" else QWEN) or (None, -1)
    end = end_of_value(text, begin)
    return load_value(text[begin:end]) if end > 0 else None, end


def _between(text: str, hidden: str, opening: str, closing: str) -> list[Span]:
    """What stands between two marks; the last closing one may be left out."""
    spans: list[Span] = []
    position = 0
    while (start := hidden.find(opening, position)) >= 0:
        inner = start + len(opening)
        end = hidden.find(closing, inner)
        position = end + len(closing) if end >= 0 else len(text)
        spans.append(Span(start, position, text[inner : end if end >= 0 else len(text)]))
    return spans
