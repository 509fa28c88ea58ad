"""Rendering a chat template as Hugging Face does, in a sandbox; and what a template takes, found out by trying it."""

from __future__ import annotations

import json
from datetime import datetime
from functools import lru_cache
from typing import Any

from lamina.errors import PromptError

_PROBE = "what a template is tried with"
_PROBED: dict[str, Any] = {"role": "user", "content": _PROBE}


def render(
    template: str,
    messages: list[dict[str, Any]],
    tools: list[dict[str, Any]] | None,
    *,
    bos: str = "",
    eos: str = "",
    keep_words: bool = False,
) -> str:
    """``keep_words`` is for our own template, which alone knows it. Raises PromptError where the template raises or
    cannot be compiled."""
    import jinja2

    try:
        text: str = _compiled(template).render(
            messages=messages,
            tools=tools,
            add_generation_prompt=True,
            bos_token=bos,
            eos_token=eos,
            keep_words=keep_words,
        )
    except (
        jinja2.TemplateError,
        ArithmeticError,
        AttributeError,
        LookupError,
        RecursionError,
        TypeError,
        ValueError,
    ) as error:
        raise PromptError(f"the model's chat template fails: {error}; use another file or fix the template") from None
    return text


def in_parts(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each text as the one part of its message."""
    return [{**row, "content": [{"type": "text", "text": row["content"]}]} for row in rows]


def in_form(rows: list[dict[str, Any]], template: str) -> list[dict[str, Any]]:
    """Messages of text alone as the template takes them."""
    return rows if takes_text(template) or not takes_parts(template) else in_parts(rows)


@lru_cache(maxsize=16)
def takes_parts(template: str) -> bool:
    """Whether a template writes the parts of a message (``[{"type": "text", "text": …}]``), which those of models that
    see do; others print the list as Python does, or fail."""
    shown = _shown(template, in_parts([_PROBED]))
    return _PROBE in shown and "'type'" not in shown and '"type"' not in shown


@lru_cache(maxsize=16)
def takes_text(template: str) -> bool:
    """Whether a template writes a message that is a text. LLaVA's and SmolVLM's go through its letters, find no parts
    and write nothing, without a word."""
    return _PROBE in _shown(template, [_PROBED])


@lru_cache(maxsize=16)
def takes_system(template: str) -> bool:
    """Whether a template writes a system message. Gemma's raises on one; others leave it out without a word."""
    rows = [{**_PROBED, "role": "system"}, {"role": "user", "content": "asked"}]
    return _PROBE in _shown(template, in_form(rows, template))


def _shown(template: str, rows: list[dict[str, Any]]) -> str:
    """Nothing where the template raises."""
    try:
        return render(template, rows, None)
    except PromptError:
        return ""


@lru_cache(maxsize=16)
def _compiled(template: str) -> Any:
    """Configured as Hugging Face's renderer: trimmed blocks, loop controls, unescaped JSON, sandboxed."""
    import jinja2
    from jinja2.ext import Extension, loopcontrols
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    class Generation(Extension):
        """``{% generation %}`` marks text to learn; in a prompt it means nothing."""

        tags = {"generation"}  # noqa: RUF012

        def parse(self, parser: Any) -> Any:
            next(parser.stream)
            return parser.parse_statements(("name:endgeneration",), drop_needle=True)

    def fail(message: str) -> None:
        raise jinja2.TemplateError(message)

    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols, Generation]
    )
    environment.filters["tojson"] = _tojson
    environment.globals["raise_exception"] = fail
    environment.globals["strftime_now"] = lambda form: datetime.now().strftime(form)
    return environment.from_string(template)


def _tojson(
    value: Any,
    ensure_ascii: bool = False,
    indent: int | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> str:
    """As Hugging Face's filter: not escaped for HTML, unlike Jinja's own."""
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)
