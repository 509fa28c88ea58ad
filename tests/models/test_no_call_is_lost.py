"""A call that a model wrote in a known form is read whatever stands around it; what cannot be read is said."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lamina.models.parsing import ANYTHING, KEYS, SEVERAL, STRICT, TRUSTED, WORDS, read_calls
from lamina.tools import Tool, Toolbox

BILL, CONTACT = ("split_bill", {"total": 84, "people": 4}), ("add_contact", {"contact": {"name": "Ann"}})
FIRST, SECOND = (json.dumps({"name": name, "arguments": arguments}) for name, arguments in (BILL, CONTACT))


def calls_of(text: str, toolbox: Toolbox | None = None, least: float = TRUSTED) -> list[tuple[str, dict[str, Any]]]:
    reading = read_calls(text, toolbox, least=least)
    assert reading.problem is None, (text, reading.problem)
    return [(call.name, call.arguments) for call in reading.calls]


def run_tool(kind: Any) -> Toolbox:
    properties = {"a": kind, "note": {"type": "string"}}
    return Toolbox([Tool("run", "Runs.", {"type": "object", "properties": properties, "required": ["a"]})])


@pytest.mark.parametrize(
    "note", ["if a<b then", "<b>", "a </function> b", "x</parameter>y", "<tool_call>", "</think>", "```"]
)
def test_a_tagged_parameter_keeps_its_markup(note: str):
    text = f"<function=run><parameter=a>x</parameter>\n<parameter=note>\n{note}\n</parameter></function>"
    for least in (STRICT, TRUSTED):
        assert calls_of(text, least=least) == [("run", {"a": "x", "note": note})]


@pytest.mark.parametrize(
    "text",
    [
        "<function=run><parameter=a>x</parameter><parameter=note>never closed",
        "<function=run>a=x, note=y</function>",
    ],
)
def test_a_call_whose_arguments_cannot_be_made_out_is_a_problem(text: str):
    assert read_calls(text, least=ANYTHING).problem


@pytest.mark.parametrize("written", ["12345", "true", "null", "1.50"])
def test_a_parameter_is_text_where_its_tool_wants_text(written: str):
    text = f"<function=run>\n<parameter=a>\n{written}\n</parameter>\n</function>"
    assert calls_of(text, run_tool({"type": "string"})) == [("run", {"a": written})]


def test_a_parameter_is_a_number_where_its_tool_takes_numbers():
    text = "<function=run>\n<parameter=a>\n12345\n</parameter>\n</function>"
    for kind in ({"type": "integer"}, {"anyOf": [{"type": "integer"}, {"type": "string"}]}, {}):
        assert calls_of(text, run_tool(kind)) == [("run", {"a": 12345})]


@pytest.mark.parametrize(
    "text",
    [
        f"```json\n{FIRST}\n```\nand\n```json\n{SECOND}\n```",
        f"```json\n[{FIRST}]\n```\n```json\n[{SECOND}]\n```",
        f"[{FIRST}]\n[{SECOND}]",
        f"First {FIRST} and then {SECOND}",
        f"First {FIRST}:\n```json\n[{SECOND}]\n```",
        f"{FIRST}\n<tool_call>{SECOND}</tool_call>",
        f'Code:\n```python\nprint(1)\n```\n```json\n{FIRST}\n```\ngives\n```json\n{{"result": 1}}\n```\n{SECOND}',
        "First split_bill(total=84, people=4), and then add_contact(contact={'name': 'Ann'}).",
    ],
)
def test_calls_in_several_places_are_all_taken_and_never_in_an_evaluation(text: str, toolbox: Toolbox):
    assert calls_of(text, toolbox) == [BILL, CONTACT]
    reading = read_calls(text, toolbox)
    assert TRUSTED <= reading.confidence < 1
    assert {SEVERAL, WORDS} & set(reading.repairs)
    assert read_calls(text, toolbox, least=STRICT).calls == []


@pytest.mark.parametrize("bad", [SECOND.replace("Ann", 'A"nn'), SECOND.replace('"Ann"', "Ann")])
@pytest.mark.parametrize(
    "form", ["First {bad}, then {good}", "First {good}, then {bad}", "```\n{good}\n```\n```\n{bad}\n```"]
)
def test_a_call_that_cannot_be_read_beside_one_that_can_is_a_problem(form: str, bad: str, toolbox: Toolbox):
    reading = read_calls(form.format(good=FIRST, bad=bad), toolbox)
    assert reading.calls == []
    assert reading.problem


@pytest.mark.parametrize(
    "text",
    [
        "<think> there is nothing to do, so []",
        "<think>\n```json\n[]\n```",
        "The list [] is empty.",
        "I would answer [] here",
    ],
)
def test_an_empty_list_in_a_thought_or_amid_words_is_no_refusal(text: str, toolbox: Toolbox):
    assert read_calls(text, toolbox).problem


def test_an_empty_list_amid_words_hides_no_call(toolbox: Toolbox):
    assert calls_of(f"The list [] is empty so {FIRST}", toolbox) == [BILL]


def test_the_older_form_of_openai_is_read(toolbox: Toolbox):
    text = json.dumps({"role": "assistant", "function_call": {"name": BILL[0], "arguments": json.dumps(BILL[1])}})
    assert calls_of(text, toolbox) == [BILL]
    assert read_calls(text, toolbox).repairs == (KEYS,)


@pytest.mark.parametrize(
    "mark", ["```", "<tool_call>", "</tool_call>", "</think>", "<think>", "[TOOL_CALLS]", "<function=f>"]
)
@pytest.mark.parametrize(
    "form", ["Sure: {}", "Sure:\n```json\n{}\n```", "<think>Hm</think> {}", "<tool_call>{}</tool_call>"]
)
def test_a_mark_inside_of_a_value_is_text(form: str, mark: str, toolbox: Toolbox):
    call = ("add_contact", {"contact": {"name": f"a {mark} b"}})
    assert calls_of(form.format(json.dumps({"name": call[0], "arguments": call[1]})), toolbox) == [call]


def test_without_tools_an_object_with_a_name_is_a_call_only_with_arguments(toolbox: Toolbox):
    assert read_calls('{"name": "Alice", "age": 3}').problem
    assert read_calls('[{"name": "Alice"}]').problem
    assert calls_of('{"name": "f", "arguments": {}}') == [("f", {})]


def test_arguments_beside_the_name_are_not_dropped(toolbox: Toolbox):
    tools = Toolbox([Tool("now", "", {"type": "object", "properties": {"zone": {"type": "string"}}, "required": []})])
    assert calls_of('{"name": "now"}', tools) == [("now", {})]
    assert read_calls('{"name": "now", "zone": "CET"}', tools).problem


TEXTS = st.text(st.characters(codec="utf-8"), max_size=12) | st.sampled_from(
    ["```", "</tool_call>", "<think>", "</think>", "[]", "{", '"', "a<b", "\\", "<function=x>", "f(x=1)", "don't"]
)
NAMES = st.text("abcdefgh", min_size=1, max_size=6)
VALUES = (
    TEXTS | st.integers(-99, 99) | st.none() | st.lists(TEXTS, max_size=2) | st.dictionaries(NAMES, TEXTS, max_size=2)
)
CALLS = st.lists(
    st.tuples(NAMES.map(lambda n: f"f_{n}"), st.dictionaries(NAMES.map(lambda n: f"x_{n}"), VALUES, max_size=3)),
    min_size=1, max_size=3,
)  # fmt: skip
CHATTER = st.lists(
    st.sampled_from(
        ["Sure!", "I call (as asked)", "the list [] is empty", "[see 1]", "{here}", "don't", "it's", 'say "so"', 
         "[1, 2]", "a < b", ":-)", "{x", "[and", "`x`", "x = [y", "print(1)", "\n", "1.", "é", "the name is", "f()"]
    ),
    max_size=5,
).map(" ".join)  # fmt: skip


def forms(calls: list[tuple[str, dict[str, Any]]], between: str) -> dict[str, str]:
    rows = [{"name": name, "arguments": arguments} for name, arguments in calls]
    inner = [json.dumps(row, ensure_ascii=False) for row in rows]
    return {
        "an array": json.dumps(rows),
        "objects": f" {between} ".join(inner),
        "arrays": f" {between} ".join(f"[{row}]" for row in inner),
        "fences": f"\n{between}\n".join(f"```json\n{row}\n```" for row in inner),
        "tags": f"\n{between}\n".join(f"<tool_call>\n{row}\n</tool_call>" for row in inner),
        "Mistral": "".join(f"[TOOL_CALLS]{n}[ARGS]{json.dumps(a)}" for n, a in calls),
        "gpt-oss": between.join(
            f"<|channel|>commentary to=functions.{n} <|constrain|>json<|message|>{json.dumps(a)}<|call|>"
            for n, a in calls
        ),
        "Kimi": between.join(
            f"<|tool_call_begin|>functions.{n}:0<|tool_call_argument_begin|>{json.dumps(a)}<|tool_call_end|>"
            for n, a in calls
        ),
        "functions": between.join(f"<function={n}>{json.dumps(a)}</function>" for n, a in calls),
        "tool_calls": json.dumps({"tool_calls": [{"type": "function", "function": row} for row in rows]}),
    }


@settings(deadline=None, max_examples=150)
@given(CALLS, CHATTER, CHATTER, CHATTER)
@example([("f_a", {}), ("f_b", {})], "[and", "[or", "{x")
def test_no_call_is_lost_whatever_chatter_is_around_it(calls: Any, before: str, between: str, after: str):
    for name, text in forms(calls, between).items():
        assert calls_of(f"{before} {text} {after}") == calls, (name, before, between, after)


@settings(deadline=None, max_examples=100)
@given(st.dictionaries(NAMES, TEXTS, max_size=3), CHATTER)
def test_no_tagged_parameter_is_lost(arguments: dict[str, str], before: str):
    properties = {name: {"type": "string"} for name in arguments}
    tools = Toolbox([Tool("run", "", {"type": "object", "properties": properties, "required": []})])
    body = "".join(f"<parameter={name}>\n{value}\n</parameter>\n" for name, value in arguments.items())
    keys = "".join(f"<arg_key>{name}</arg_key>\n<arg_value>{value}</arg_value>\n" for name, value in arguments.items())
    qwen = calls_of(f"{before}\n<tool_call>\n<function=run>\n{body}</function>\n</tool_call>", tools)
    glm = calls_of(f"{before}\n<tool_call>run\n{keys}</tool_call>", tools)
    quoted = {name for name, value in arguments.items() if value.strip().startswith('"')}  # JSON text is read as JSON
    for found in (qwen, glm):
        assert [(n, {k: v for k, v in a.items() if k not in quoted}) for n, a in found] == [
            ("run", {k: v for k, v in arguments.items() if k not in quoted})
        ]


@settings(deadline=None, max_examples=100)
@given(
    st.lists(st.sampled_from([FIRST, SECOND, "[", "]", "{", "}", '"', "```", "<think>", "</think>", " x "]), max_size=9)
)
def test_whatever_is_mixed_all_the_calls_are_read_or_a_problem_is_said(pieces: list[str]):
    reading = read_calls("".join(pieces).rpartition("</think>")[2])
    wanted = "".join(pieces).rpartition("</think>")[2].count('"arguments"')
    assert reading.problem or len(reading.calls) == wanted
