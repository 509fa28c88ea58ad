"""The marks that model families put around their calls, taken off: tags, special tokens, code fences.

Each family wraps JSON (or Python calls) its own way; here that is one table. Where the function's name stands outside
the JSON it is put back in."""

from __future__ import annotations

import json
import re
from typing import NamedTuple

from lamina.models.json_spans import end_of_value, load_value
from lamina.models.tagged_parameters import tagged_parameters
from lamina.models.values_amid_text import outline
from lamina.tools import Toolbox

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
_LANGUAGE = re.compile(r"[A-Za-z_]{1,20}\s")


class Segment(NamedTuple):
    """A piece of a text, and whether it stood inside of marks."""

    text: str
    inside: bool


def spoken(text: str) -> tuple[str, bool]:
    """Without what a model thought first, and without end tokens after it; and whether a thought never ended."""
    hidden = outline(text)
    thought = hidden.rfind("</think>")
    thinking = hidden.rfind("<think>") > thought
    text = text[thought + len("</think>") if thought >= 0 else 0 :].strip()
    while (end := next((e for e in ENDS if text.endswith(e)), None)) is not None:
        text = text.removesuffix(end).rstrip()
    return text, thinking


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
        Segment(_LANGUAGE.sub("", t, count=1) if inside and _LANGUAGE.match(t) else t, inside) for t, inside in found
    ]


Span = tuple[int, int, str]
"""Where something in marks begins and ends, and what stands in them."""


def _cut(text: str, spans: list[Span]) -> list[Segment]:
    found, position = [], 0
    for start, end, inner in spans:
        found += [Segment(text[position:start], False), Segment(inner, True)]
        position = end
    return [*found, Segment(text[position:], False)]


def _named_calls(text: str, hidden: str, toolbox: Toolbox | None) -> list[Span]:
    """Each call whose name stands outside its JSON, written as JSON with the name in it; text that breaks off stays
    as it is."""
    spans: list[Span] = []
    position = 0
    while (found := _NAMED.search(hidden, position)) is not None:
        name, start = found[found.lastgroup or 0], found.end()
        begin = len(text) - len(text[start:].lstrip()) if found.lastgroup == "tag" else start
        if text.startswith("{", begin):
            end = end_of_value(text, begin)
            arguments = load_value(text[begin:end]) if end > 0 else None
        else:
            tagged = tagged_parameters(text, start, toolbox.get(name) if toolbox is not None else None)
            arguments, end = tagged if tagged is not None else (None, -1)
        if arguments is None:
            spans.append((found.start(), len(text), f'{{"name": {json.dumps(name)}, "arguments": {text[begin:]}'))
            break
        position = max(end, found.end())
        spans.append((found.start(), position, json.dumps({"name": name, "arguments": arguments}, ensure_ascii=False)))
    return spans


def _between(text: str, hidden: str, opening: str, closing: str) -> list[Span]:
    """What stands between two marks; the last closing one may be left out."""
    spans: list[Span] = []
    position = 0
    while (start := hidden.find(opening, position)) >= 0:
        inner = start + len(opening)
        end = hidden.find(closing, inner)
        position = end + len(closing) if end >= 0 else len(text)
        spans.append((start, position, text[inner : end if end >= 0 else len(text)]))
    return spans
