"""Chat templates: ours, and the prompts of every model. They are rendered here and sent as they are, so that every
backend sees the same text."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Sequence
from functools import lru_cache
from importlib.resources import files
from typing import Any

from lamina.errors import PromptError
from lamina.models.model import Request
from lamina.models.signatures import signatures
from lamina.models.template_rendering import in_form, in_parts, render, takes_parts, takes_system
from lamina.tools import Toolbox
from lamina.trajectories import Message

LAMINA_TEMPLATE: str = files("lamina.models").joinpath("chat_template.jinja").read_text("utf-8")
"""ChatML; calls as a bare JSON array, ``[]`` for a turn without calls, whatever it said, for so it is trained; tools
(style ``full``) as a system message. With ``{% generation %}`` marks around what is to be learnt. Calls that another
engine left in the text of a turn stay, and so do words with ``keep_words``, in a chat without tools, and where no
answer is asked for: rows that others train on by this template keep what their assistant says."""

_MARKS = re.compile(r"(?:\s*\{%-|\{%\+|(?:^[ \t]*)?\{%)\s*(?:end)?generation\s*(?:-%\}\s*|\+%\}|%\}\n?)", re.MULTILINE)


def without_marks(template: str) -> str:
    """A chat template without ``{% generation %}`` marks, and without the white space that they take away."""
    return _MARKS.sub("", template)


EXPORT_TEMPLATE: str = without_marks(LAMINA_TEMPLATE)
"""The same without the marks, which llama.cpp's template engine does not know. Renders the same text."""

_CALLS = "{%- if message.tool_calls %}"
_WORDS = (
    "{% elif message.content is string and "
    "(kept or ('{' in message.content and message.content.split('{')[0].strip() == '[')) %}"
    "{{ message.content if kept else message.content.strip() }}"
)
_SPOKEN = "{%- set words = (message.content or '') | trim %}" + _CALLS + "{% if words %}{{ words ~ '\\n' }}{% endif %}"
SPEAKING_TEMPLATE: str = LAMINA_TEMPLATE.replace(_CALLS, _SPOKEN).replace(_WORDS, "{% elif words %}{{ words }}")
"""Of a model that was taught to speak too (``speaking``): words of a turn that calls stand before its calls. White
space around words is left out, whoever wrote the history."""


def with_end_mark(template: str, end: str) -> str:
    """The template for a base that ends its turns with another token than ChatML's."""
    return template.replace("<|im_end|>", end)


PLAIN_CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' ~ message.role ~ '\n' ~ message.content ~ '<|im_end|>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)

DEFAULT_INSTRUCTION = 'Answer with a JSON array of the calls that serve the request: [{"name": …, "arguments": {…}}].'
"""What a foreign model (base SmolLM2, Qwen) is told after the list of functions. It names no empty array: with "or []
when no function can do what is asked" a Qwen of 0.5B answers [] to all requests."""


IMAGE_PART = {"type": "image"}
"""What a template of a model that sees writes its own mark for."""


def request_prompt(
    request: Request,
    template: str | None,
    *,
    foreign: bool,
    instruction: str,
    image_mark: str = "",
    own_marks: bool = False,
) -> str:
    """The text that every local backend sends, ``request.prefix`` at its end; what is no Unicode becomes ``?``.

    ``image_mark`` stands for each of the request's images, before the text of the last user message; with ``own_marks``
    the template writes its own where it knows images."""
    if request.raw_prompt is not None:
        return storable(request.raw_prompt + request.prefix)
    if template is None:
        _say_once("the model brings no chat template (a base model?); it is asked in ChatML")
    tools = request.tools if request.style == "full" else None
    prompt = prompt_of(
        asked_messages(request.messages, request.tools, request.style, instruction),
        template or PLAIN_CHATML,
        tools=tools,
        foreign=foreign,
        instruction=instruction,
        images=_image_parts(len(request.images), image_mark, own_marks),
        keep_words=request.style == "plain" and request.tools is None,
    )
    return storable(prompt + request.prefix)


def _image_parts(count: int, mark: str, own_marks: bool) -> list[dict[str, str]]:
    return [{**IMAGE_PART, "text": mark} if own_marks else {"type": "text", "text": mark}] * count


def with_images(rows: list[dict[str, Any]], images: Sequence[dict[str, str]], template: str) -> list[dict[str, Any]]:
    """The rows with ``images`` (parts of a message) before the text of the last user message. A template that knows
    nothing of parts gets their texts, each on a line of its own; one that knows nothing else gets parts without an
    image too. Raises PromptError where there are images and no user speaks."""
    if not images:
        return in_form(rows, template)
    place = next((i for i in reversed(range(len(rows))) if rows[i]["role"] == "user"), None)
    if place is None:
        raise PromptError("an image is asked about in a user message, and there is none")
    if not takes_parts(template):
        text = "".join(f"{part['text']}\n" for part in images) + rows[place]["content"]
        return [{**row, "content": text} if i == place else row for i, row in enumerate(rows)]
    said = in_parts(rows)
    said[place]["content"] = [*images, *said[place]["content"]]
    return said


def system_with_user(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the system message says at the beginning of the first request, a blank line between them, as Gemma's
    documentation has it."""
    if not rows or rows[0]["role"] != "system":
        return rows
    said, rest = str(rows[0]["content"]), rows[1:]
    if rest and rest[0]["role"] == "user":
        said, rest = f"{said}\n\n{rest[0]['content']}", rest[1:]
    return [{"role": "user", "content": said}, *rest]


def asked_messages(
    messages: Sequence[Message], tools: Toolbox | None, style: str | None, instruction: str = DEFAULT_INSTRUCTION
) -> Sequence[Message]:
    """The messages, in style ``compact`` with the tools' signatures before them: when the model runs and when it is
    trained."""
    if style != "compact" or tools is None:
        return messages
    text = f"Functions:\n{signatures(tools)}\n{instruction}"
    if messages and messages[0].role == "system":
        return [Message(role="system", content=f"{text}\n{messages[0].content}"), *messages[1:]]
    return [Message(role="system", content=text), *messages]


def storable(text: str) -> str:
    """Lone surrogates, which no engine and no file takes, become ``?``."""
    return text.encode("utf-8", "replace").decode()


@lru_cache(maxsize=16)
def _say_once(message: str) -> None:
    logging.getLogger("lamina.models").warning(message)


def prompt_of(
    messages: Sequence[Message],
    template: str,
    *,
    tools: Toolbox | None = None,
    foreign: bool = False,
    instruction: str = DEFAULT_INSTRUCTION,
    bos: str = "",
    eos: str = "",
    images: Sequence[dict[str, str]] = (),
    keep_words: bool = False,
) -> str:
    """The prompt up to where the assistant begins. ``tools`` given means style ``full``. A ``foreign`` template is
    not trusted with tools or calls: they are written into plain messages, the shared part first, and a system message
    that it does not take stands before the first request. ``images`` are parts of the last user message. Our own
    writes words of earlier turns only with ``keep_words``: a model is trained with them as ``[]``."""
    rows = [message_row(m) for m in messages]
    if foreign:
        rows = plain_rows(rows, tools, instruction)
        if rows[:1] and rows[0]["role"] == "system" and not takes_system(template):
            rows = system_with_user(rows)
        return render(template, with_images(rows, images, template), None, bos=bos, eos=eos)
    rows = with_images(rows, images, template)
    offered = tools.as_openai() if tools else None
    return render(template, rows, offered, bos=bos, eos=eos, keep_words=keep_words)


def calls_text(calls: Sequence[dict[str, Any]]) -> str:
    """``[{"name": "f", "arguments": {…}}]`` exactly as the template writes it."""
    return json.dumps([{"name": c["name"], "arguments": c["arguments"]} for c in calls], ensure_ascii=False)


def message_row(message: Message) -> dict[str, Any]:
    row: dict[str, Any] = {"role": message.role, "content": message.content}
    if message.tool_calls:
        row["tool_calls"] = [
            {"type": "function", "function": {"name": c.name, "arguments": c.arguments}} for c in message.tool_calls
        ]
    if message.name:
        row["name"] = message.name
    return row


def plain_rows(rows: list[dict[str, Any]], tools: Toolbox | None, instruction: str) -> list[dict[str, Any]]:
    plain: list[dict[str, Any]] = []
    for row in rows:
        if row["role"] == "assistant":
            calls = [c["function"] for c in row.get("tool_calls", [])]
            content = calls_text(calls) if calls or not row["content"] else row["content"]
            plain.append({"role": "assistant", "content": content})
        elif row["role"] == "tool":
            plain.append({"role": "user", "content": f"Result of {row.get('name', 'the call')}: {row['content']}"})
        else:
            plain.append({"role": row["role"], "content": row["content"]})
    if tools is not None:
        listed = "\n".join(json.dumps(t["function"], ensure_ascii=False) for t in tools.as_openai())
        system = f"Functions:\n{listed}\n{instruction}"
        if plain and plain[0]["role"] == "system":
            system += "\n" + plain.pop(0)["content"]
        plain.insert(0, {"role": "system", "content": system})
    return plain
