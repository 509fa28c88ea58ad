"""Every backend sees the same text: ours for our models, the model's own template for others."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any

import pytest

from lamina.errors import ModelError
from lamina.models import Request
from lamina.models.template_rendering import render
from lamina.models.templates import EXPORT_TEMPLATE, LAMINA_TEMPLATE, prompt_of, request_prompt
from lamina.tools import Toolbox
from lamina.trajectories import Message, ToolCall

CALLS = [
    ToolCall.of("split_bill", {"total": 84, "people": 4}),
    ToolCall.of("add_contact", {"contact": {"name": "Zoë"}}),
]
TURNS = [
    Message(role="user", content="Split it"),
    Message(role="assistant", tool_calls=CALLS),
    Message(role="tool", name="split_bill", content='{"each": 21}'),
]
FOREIGN = (
    "{% if messages[0].role != 'system' %}{{ raise_exception('no system') }}{% endif %}"
    "{% for m in messages %}[{{ m.role }}] {{ m.content }}\n{% endfor %}"
    "{% if add_generation_prompt %}[assistant] {% endif %}"
)

Ask = Callable[..., Request]


@pytest.mark.parametrize("template", [LAMINA_TEMPLATE, EXPORT_TEMPLATE])
def test_calls_are_written_as_the_array_that_a_model_must_write(template: str):
    assert prompt_of(TURNS, template) == (
        "<|im_start|>user\nSplit it<|im_end|>\n<|im_start|>assistant\n"
        '[{"name": "split_bill", "arguments": {"total": 84, "people": 4}}, '
        '{"name": "add_contact", "arguments": {"contact": {"name": "Zoë"}}}]<|im_end|>\n'
        '<|im_start|>tool\n{"each": 21}<|im_end|>\n<|im_start|>assistant\n'
    )


def test_a_turn_without_calls_is_an_empty_array_whatever_it_said(toolbox: Toolbox):
    said = [Message(role="user", content="Sing"), Message(role="assistant"), Message(role="assistant", content="No.")]
    assert prompt_of(said, LAMINA_TEMPLATE).count("<|im_start|>assistant\n[]<|im_end|>\n") == 2
    ways: dict[str, Any] = {"foreign": False, "instruction": ""}
    plain, baked = (Request(said, style=style) for style in ("plain", "baked"))
    assert "<|im_start|>assistant\nNo.<|im_end|>\n" in request_prompt(plain, LAMINA_TEMPLATE, **ways)
    assert "No." not in request_prompt(baked, LAMINA_TEMPLATE, **ways)
    assert "No." not in request_prompt(Request(said, tools=toolbox), LAMINA_TEMPLATE, **ways)


@pytest.mark.parametrize("around", ["{}", "\n {}\n"])
@pytest.mark.parametrize("opens", ["[{", "[ {", "[\n  {"])
def test_calls_that_another_engine_left_in_the_text_of_a_turn_stay(opens: str, around: str):
    calls = opens + '"name": "split_bill", "arguments": {"total": 84, "people": 4}}]'
    said = [Message(role="user", content="Split it"), Message(role="assistant", content=around.replace("{}", calls))]
    assert f"<|im_start|>assistant\n{calls}<|im_end|>\n" in prompt_of(said, LAMINA_TEMPLATE)
    for words in ("[", "[see {1}]", "Sure: [{"):
        said[1] = Message(role="assistant", content=words)
        assert "<|im_start|>assistant\n[]<|im_end|>\n" in prompt_of(said, LAMINA_TEMPLATE)


def test_tools_come_first_and_are_the_same_for_every_request(toolbox: Toolbox):
    texts = ["Split 84", "Play jazz"]
    for template, foreign in ((LAMINA_TEMPLATE, False), (FOREIGN, True)):
        one, two = (
            prompt_of([Message(role="user", content=t)], template, tools=toolbox, foreign=foreign) for t in texts
        )
        start = one.index("Split 84")
        assert one[:start] == two[:start]
        assert all(json.dumps(t["function"]) in one[:start] for t in toolbox.as_openai())


def test_a_foreign_template_is_given_plain_messages_only(toolbox: Toolbox):
    text = prompt_of(TURNS, FOREIGN, tools=toolbox, foreign=True, instruction="Write calls.")
    assert text.startswith("[system] Functions:\n{")
    assert "Write calls." in text
    assert '[assistant] [{"name": "split_bill"' in text
    assert '[user] Result of split_bill: {"each": 21}' in text


def test_a_system_message_of_the_user_s_own_is_kept_behind_the_tools(toolbox: Toolbox):
    rows = [Message(role="system", content="It is Monday."), Message(role="user", content="x")]
    text = prompt_of(rows, FOREIGN, tools=toolbox, foreign=True)
    assert text.count("[system]") == 1
    assert text.index("split_bill") < text.index("It is Monday.")


GEMMA = (
    "{% if messages[0].role == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}"
    "{% for m in messages %}<{{ m.role }}>{{ m.content }}</>{% endfor %}"
)
WITHOUT = "{% for m in messages if m.role != 'system' %}<{{ m.role }}>{{ m.content }}</>{% endfor %}"
"""Writes no system message, and says so to nobody."""
PARTS = (
    "{% for m in messages %}<{{ m.role }}>{% for p in m.content | selectattr('type', 'equalto', 'text') %}"
    "{{ p.text }}{% endfor %}</>{% endfor %}"
)
"""As the templates of models that see: the letters of a text are no parts, and nothing is written."""


@pytest.mark.parametrize("template", [GEMMA, WITHOUT])
def test_a_system_message_that_a_template_does_not_take_stands_before_the_first_request(template: str):
    rows = [Message(role="system", content="Be short."), Message(role="user", content="Why?")]
    assert prompt_of(rows, template, foreign=True) == "<user>Be short.\n\nWhy?</>"
    assert prompt_of(rows[1:], template, foreign=True) == "<user>Why?</>"
    assert prompt_of(rows[:1], template, foreign=True) == "<user>Be short.</>"


def test_a_system_message_that_a_template_takes_stays_where_it_is():
    rows = [Message(role="system", content="Be short."), Message(role="user", content="Why?")]
    assert prompt_of(rows, PARTS, foreign=True) == "<system>Be short.</><user>Why?</>"
    assert prompt_of(rows, FOREIGN, foreign=True).startswith("[system] Be short.\n[user] Why?")


def test_a_template_that_knows_parts_alone_loses_no_request_without_an_image():
    said = [("user", "Why?"), ("assistant", "So."), ("user", "?")]
    rows = [Message(role=role, content=text) for role, text in said]
    assert prompt_of(rows, PARTS, foreign=True) == "<user>Why?</><assistant>So.</><user>?</>"


def test_the_export_template_has_no_marks_that_llama_cpp_does_not_know():
    assert "generation %}" in LAMINA_TEMPLATE
    assert "generation %}" not in EXPORT_TEMPLATE.replace("add_generation_prompt %}", "")


@pytest.mark.parametrize("rows", [TURNS, TURNS[:1], [*TURNS, Message(role="assistant")]])
@pytest.mark.parametrize("with_tools", [True, False])
def test_our_renderer_writes_what_transformers_writes(rows: list[Message], with_tools: bool, toolbox: Toolbox):
    pytest.importorskip("transformers")
    from transformers.utils.chat_template_utils import render_jinja_template

    from lamina.models.templates import message_row

    tools = toolbox if with_tools else None
    theirs, _ = render_jinja_template(
        conversations=[[message_row(m) for m in rows]],
        tools=tools.as_openai() if tools else None,
        chat_template=LAMINA_TEMPLATE,
        add_generation_prompt=True,
    )
    assert prompt_of(rows, LAMINA_TEMPLATE, tools=tools) == theirs[0]


@pytest.mark.parametrize(
    ("template", "value", "text"),
    [
        ("{{ messages[0].content | tojson }}", "<é & 'x'>", "\"<é & 'x'>\""),
        ("{{ messages[0] | tojson(separators=(',', ':'), sort_keys=true) }}", "x", '{"content":"x","role":"user"}'),
        ("{{ messages[0].content | tojson(ensure_ascii=true) }}", "é", '"\\u00e9"'),
        ("{% for m in messages %}{% break %}{% endfor %}ok", "x", "ok"),
        ("  {% if true %}\nok\n  {% endif %}", "x", "ok\n"),
        ("{{ strftime_now('%Y')|length }}", "x", "4"),
        ("{% generation %}ok{% endgeneration %}", "x", "ok"),
    ],
)
def test_templates_find_what_hugging_face_gives_them(template: str, value: str, text: str):
    assert render(template, [{"role": "user", "content": value}], None) == text


@pytest.mark.parametrize(
    "template",
    [
        "{{ raise_exception('roles must alternate') }}",
        "{% for %}",
        "{{ nothing.at.all }}",
        "{{ 1 / 0 }}",
        "{{ messages[0].content + 1 }}",
        "{{ range(10 ** 12) | list }}",
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ messages.append(1) }}",
    ],
)
def test_a_template_that_fails_or_reaches_out_is_an_error_and_never_runs_free(template: str):
    with pytest.raises(ModelError, match="chat template fails"):
        render(template, [{"role": "user", "content": "x"}], None)


def test_a_model_without_a_template_is_asked_in_chatml_and_it_is_said(ask: Ask, caplog: pytest.LogCaptureFixture):
    from lamina.models import templates

    templates._say_once.cache_clear()
    with caplog.at_level(logging.WARNING):
        texts = [request_prompt(ask("hi"), None, foreign=True, instruction="") for _ in range(3)]
    assert texts[0] == "<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n"
    assert [r.message for r in caplog.records] == [
        "the model brings no chat template (a base model?); it is asked in ChatML"
    ]


def test_a_raw_prompt_is_sent_as_it_is_and_half_characters_become_question_marks(ask: Ask):
    ways: dict[str, Any] = {"foreign": False, "instruction": ""}
    assert request_prompt(Request([], raw_prompt="Once", prefix=" upon\ud800"), LAMINA_TEMPLATE, **ways) == "Once upon?"
    assert request_prompt(ask("a\udfffb", prefix="["), LAMINA_TEMPLATE, **ways).endswith(
        "a?b<|im_end|>\n<|im_start|>assistant\n["
    )
