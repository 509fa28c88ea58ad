"""What models really write, family by family: calls with the confidence that the reading deserves."""

from __future__ import annotations

import json
import keyword
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lamina.models import parse_calls
from lamina.models.parsing import (
    ANYTHING,
    BRACKETS,
    CLOSED,
    NULLS,
    STRICT,
    TRUSTED,
    WORDS,
    Reading,
    read_calls,
    read_reply,
)
from lamina.tools import Tool, Toolbox

CALL = ("split_bill", {"total": 84, "people": 4})
ARGUMENTS = '{"total": 84, "people": 4}'
TEXT = json.dumps({"name": "split_bill", "arguments": CALL[1]})

CLEAN = {
    "xLAM": f"[{TEXT}]",
    "Hermes, Qwen": f"<tool_call>\n{TEXT}\n</tool_call>",
    "a thought first": f"<think>I should {{split}} [it]</think>\n<tool_call>\n{TEXT}\n</tool_call>",
    "words beside a tag": f"Let me split it.\n<tool_call>{TEXT}</tool_call>",
    "Mistral": f"[TOOL_CALLS] [{TEXT}]</s>",
    "Mistral, later": f"[TOOL_CALLS]split_bill[ARGS]{ARGUMENTS}",
    "Mistral, between": f"[TOOL_CALLS]split_bill{ARGUMENTS}",
    "Llama": f'<|python_tag|>{{"name": "split_bill", "parameters": {ARGUMENTS}}}<|eom_id|>',
    "Llama, own tools": f"<function=split_bill>{ARGUMENTS}</function>",
    "Qwen Coder": "<tool_call>\n<function=split_bill>\n<parameter=total>\n84\n</parameter>\n"
    "<parameter=people>\n4\n</parameter>\n</function>\n</tool_call>",
    "DeepSeek": "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>split_bill\n"
    f"```json\n{ARGUMENTS}\n```<｜tool▁call▁end｜>",
    "DeepSeek 3.1": f"<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>split_bill<｜tool▁sep｜>{ARGUMENTS}<｜tool▁call▁end｜>"
    "<｜tool▁calls▁end｜>",
    "FunctionGemma": "<start_function_call>call:split_bill{total:84,people:4}<end_function_call>"
    "<start_function_response>",
    "GLM": "\n<tool_call>split_bill\n<arg_key>total</arg_key>\n<arg_value>84</arg_value>\n<arg_key>people</arg_key>\n"
    "<arg_value>4</arg_value>\n</tool_call>",
    "GLM, later": "<tool_call>split_bill<arg_key>total</arg_key><arg_value>84</arg_value><arg_key>people</arg_key>"
    "<arg_value>4</arg_value></tool_call>",
    "Kimi": "<|tool_calls_section_begin|><|tool_call_begin|>functions.split_bill:0<|tool_call_argument_begin|>"
    f"{ARGUMENTS}<|tool_call_end|><|tool_calls_section_end|>",
    "gpt-oss": f"<|channel|>analysis<|message|>Split: [{TEXT}]?<|end|><|start|>assistant<|channel|>commentary "
    f"to=functions.split_bill <|constrain|>json<|message|>{ARGUMENTS}<|call|>",
    "gpt-oss, the recipient first": "<|start|>assistant to=functions.split_bill<|channel|>commentary json<|message|>"
    f"{ARGUMENTS}<|call|>",
    "gpt-oss, its answer": "<|channel|>analysis<|message|>Hm<|end|><|start|>assistant<|channel|>final<|message|>"
    f"[{TEXT}]<|return|>",
    "Phi": f"<|tool_call|>[{TEXT}]<|/tool_call|>",
    "Glaive": f"<functioncall> {TEXT} <|endoftext|>",
    "Nemotron": f"<TOOLCALL>[{TEXT}]</TOOLCALL>",
    "ReAct": f"Thought: split it\nAction: split_bill\nAction Input: {ARGUMENTS}",
    "OpenAI": json.dumps({"tool_calls": [{"type": "function", "function": {"name": CALL[0], "arguments": ARGUMENTS}}]}),
    "an end token": f"[{TEXT}]<|im_end|>",
    "a fence": f"```json\n[{TEXT}]\n```",
}

REPAIRED = {
    "Gorilla": "[split_bill(total=84, people=4)]",
    "a Python call": "split_bill(total=84, people=4)",
    "LFM": "<|tool_call_start|>[split_bill(total=84, people=4)]<|tool_call_end|>",
    "a Python call in a fence": "```python\nsplit_bill(total=84, people=4)\n```",
    "a Python call amid words": "I (as asked) call split_bill(total=84, people=4) for you.",
    "other keys": '{"function": "split_bill", "args": {"total": 84, "people": 4}}',
    "the name as key": '[{"split_bill": {"total": 84, "people": 4}}]',
    "single quotes": "[{'name': 'split_bill', 'arguments': {'total': 84, 'people': 4}}]",
    "a comma at the end": '[{"name": "split_bill", "arguments": {"total": 84, "people": 4,},}]',
    "words around": f"Sure! Here is the call: [{TEXT}]. I hope that helps.",
}

BRACKETS_MISSING = {
    "the call's": TEXT[:-1],
    "the array's": f"[{TEXT}",
    "both": f"[{TEXT[:-1]}",
    "those around it": f'{{"tool_calls": [{{"type": "function", "function": {TEXT}',
    "in a tag": f"<tool_call>{TEXT[:-1]}\n</tool_call>",
    "in a fence": f"```json\n[{TEXT}\n```",
    "after words": f"Sure: [{TEXT}",
}
BROKEN_OFF = {
    "before the arguments' bracket": TEXT[:-2],
    "in a number": f"[{TEXT[:-3]}",
    "in a tag": f"<tool_call>{TEXT[:-2]}",
    "before another call": f"[{TEXT},",
    "in another call": f"[{TEXT}, {TEXT[:-2]}",
    "before a bracket in the arguments": '[{"name": "add_contact", "arguments": {"contact": {"name": "Ann"}',
    "in a string that ends like arguments": '[{"name": "add_contact", "arguments": {"contact": {"name": "Ann}}',
}


def one(reading: Reading) -> tuple[str, dict[str, Any]]:
    assert reading.problem is None, reading.problem
    (call,) = reading.calls
    return call.name, call.arguments


@pytest.mark.parametrize("name", CLEAN)
def test_what_a_model_family_writes_by_its_own_rules_is_read_without_any_repair(name: str, toolbox: Toolbox):
    reading = read_calls(CLEAN[name], toolbox, least=STRICT)
    assert one(reading) == CALL
    assert (reading.confidence, reading.repairs) == (1.0, ())


@pytest.mark.parametrize("name", REPAIRED)
def test_what_has_to_be_repaired_costs_confidence_and_is_refused_in_an_evaluation(name: str, toolbox: Toolbox):
    reading = read_calls(REPAIRED[name], toolbox)
    assert one(reading) == CALL
    assert TRUSTED <= reading.confidence < 1.0
    assert reading.repairs
    strict = read_calls(REPAIRED[name], toolbox, least=STRICT)
    assert strict.calls == []
    assert strict.problem == f"needs repair: {', '.join(reading.repairs)}"


def test_a_second_call_that_breaks_off_before_its_arguments_is_not_taken_for_one_call(toolbox: Toolbox):
    reading = read_calls(f"[{TEXT}, {TEXT[:30]}", toolbox, least=ANYTHING)
    assert reading.calls == []
    assert reading.problem is not None


@pytest.mark.parametrize("name", BROKEN_OFF)
def test_what_breaks_off_is_closed_only_for_those_who_want_whatever_can_be_made_out(name: str, toolbox: Toolbox):
    reading = read_calls(BROKEN_OFF[name], toolbox, least=ANYTHING)
    assert reading.problem is not None or (CLOSED in reading.repairs and reading.confidence < TRUSTED)
    if name in ("before the arguments' bracket", "in a tag", "before another call"):
        assert one(reading) == CALL
    calls, problem = parse_calls(BROKEN_OFF[name], toolbox)
    assert calls == []
    assert problem is not None
    assert "breaks off" in problem


@pytest.mark.parametrize("name", BRACKETS_MISSING)
def test_a_call_whose_arguments_are_whole_is_read_without_its_last_brackets_but_not_in_an_evaluation(
    name: str, toolbox: Toolbox
):
    for tools in (None, toolbox):
        reading = read_calls(BRACKETS_MISSING[name], tools)
        assert one(reading) == CALL
        assert BRACKETS in reading.repairs
        assert TRUSTED <= reading.confidence <= 0.6
    assert "breaks off" in str(read_calls(BRACKETS_MISSING[name], toolbox, least=STRICT).problem)


def test_a_list_that_was_cut_after_a_whole_call_is_no_list_of_the_calls_that_are_there(toolbox: Toolbox):
    for text in (f"[{TEXT},{TEXT[:-1]}", f"[{TEXT}", f"<tool_call>{TEXT[:-1]}"):
        assert read_reply(text, toolbox)["calls"]
        cut = read_reply(text, toolbox, truncated=True)
        assert (cut["calls"], cut["confidence"]) == ([], 0.0)
        assert "breaks off" in cut["problem"]
        assert parse_calls(text, toolbox, truncated=True)[0] == []
    assert read_reply(f"[{TEXT}]", toolbox, truncated=True)["confidence"] == 1.0


def test_a_null_is_an_argument_left_out_where_the_schema_allows_that_and_no_null():
    kinds = {"a": {"type": "string"}, "b": {"type": "string"}, "c": {"type": ["string", "null"]}, "d": {}}
    tools = Toolbox([Tool("run", "", {"type": "object", "properties": kinds, "required": ["a"]})])

    def written(**arguments: Any) -> str:
        return json.dumps([{"name": "run", "arguments": arguments}])

    reading = read_calls(written(a="x", b=None, c=None, d=None), tools)
    assert one(reading) == ("run", {"a": "x", "c": None, "d": None})
    assert (reading.repairs, reading.confidence) == ((NULLS,), 0.9)
    assert read_calls(written(a="x", b=None), tools, least=STRICT).problem == f"needs repair: {NULLS}"
    assert one(read_calls(written(a="x", b=None))) == ("run", {"a": "x", "b": None}), "without tools it is a null"
    assert read_calls(written(a=None), tools).problem, "a is required"
    assert read_calls(written(a="x", z=None), tools).problem, "there is no z"


@pytest.mark.parametrize(
    "text",
    [
        "split_bill(84, 4)",  # by position: which is which?
        "split_bill(total=open('/etc/passwd').read(), people=4)",
        "split_bill(total=84 * 2, people=4)",
        "split_bill(**{'total': 84, 'people': 4})",
        "split_bill(total=[x for x in range(9)], people=4)",
        "print(total=84) is how one prints",
        "[{'name': 'split_bill', 'arguments': {'total': __import__('os').getpid(), 'people': 4}}]",
    ],
)
def test_nothing_that_a_model_wrote_is_evaluated(text: str, toolbox: Toolbox):
    reading = read_calls(text, toolbox, least=ANYTHING)
    assert reading.calls == []
    assert reading.problem


def test_python_values_keep_their_types(toolbox: Toolbox):
    (call,) = read_calls("f(a='x', b=[1, -2.5, (3,)], c={'k': None}, d=True, e=false)").calls
    assert call.arguments == {"a": "x", "b": [1, -2.5, [3]], "c": {"k": None}, "d": True, "e": False}


def test_several_calls_of_each_kind_are_all_read(toolbox: Toolbox):
    for text in (
        "[split_bill(total=84, people=4), split_bill(total=84, people=4)]",
        f"<|python_tag|>{TEXT}; {TEXT}",
        f"<function=split_bill>{ARGUMENTS}</function><function=split_bill>{ARGUMENTS}</function>",
        f"[TOOL_CALLS]split_bill[ARGS]{ARGUMENTS}[TOOL_CALLS]split_bill[ARGS]{ARGUMENTS}",
        *(CLEAN[name] * 2 for name in ("DeepSeek 3.1", "FunctionGemma", "GLM", "Kimi", "gpt-oss")),
    ):
        assert [(c.name, c.arguments) for c in read_calls(text, toolbox).calls] == [CALL, CALL], text


@pytest.mark.parametrize(
    "note", ["{a:1}, b", "<end_function_call>", "a <tool_call> b", "</think>", 'say "so"', "\\n", ""]
)
def test_an_escaped_text_is_taken_as_it_stands(note: str):
    text = f"<start_function_call>call:f{{note:<escape>{note}<escape>,on:true,of:{{n:[1,None]}}}}<end_function_call>"
    (call,) = read_calls(text, least=STRICT).calls
    assert call.arguments == {"note": note, "on": True, "of": {"n": [1, None]}}


@pytest.mark.parametrize(
    "text",
    [
        "<start_function_call>call:split_bill{total:84,people:4",
        "<start_function_call>call:split_bill{total:<escape>84",
        "<start_function_call>call:split_bill{total:8 4,people:4}<end_function_call>",
        "<start_function_call>call:split_bill{total:many,people:4}<end_function_call>",
        "<tool_call>split_bill\n<arg_key>total</arg_key>\n<arg_value>84",
        "<tool_call>split_bill 84 4</tool_call>",
        "<|tool_call_begin|>functions.split_bill:0<|tool_call_argument_begin|>{total: 84}<|tool_call_end|>",
        '<|channel|>commentary to=functions.split_bill <|constrain|>json<|message|>{"total": 84',
        "<｜tool▁call▁begin｜>split_bill<｜tool▁sep｜>{total}<｜tool▁call▁end｜>",
    ],
)
def test_a_call_in_a_familys_marks_that_is_broken_is_a_problem(text: str, toolbox: Toolbox):
    for tools in (None, toolbox):
        reading = read_calls(text, tools)
        assert (reading.calls, bool(reading.problem)) == ([], True)


NOW = "<tool_call>now</tool_call>"
TO_NOW = "to=functions.now<|message|>{}"


@pytest.mark.parametrize(
    ("text", "repairs"),
    [
        (NOW, ()),
        (f"\n{NOW}\n<|observation|>", ()),
        (f"Write {NOW} to call it.", (WORDS,)),
        (f"<|channel|>commentary {TO_NOW}<|call|>", ()),
        (f"<|start|>assistant {TO_NOW}<|call|>", ()),
        (TO_NOW, ()),
        (f"<|channel|>final<|message|>One writes {TO_NOW} there", (WORDS,)),
        (f"One writes {TO_NOW} there", (WORDS,)),
    ],
)
def test_a_mark_that_words_may_be_about_is_no_call_in_an_evaluation(text: str, repairs: tuple[str, ...]):
    tools = Toolbox([Tool("now", "", {"type": "object", "properties": {}, "required": []})])
    for box in (None, tools):
        reading = read_calls(text, box)
        assert (one(reading), reading.repairs) == (("now", {}), repairs)
        assert bool(read_calls(text, box, least=STRICT).calls) == (not repairs)
    assert read_calls(text, Toolbox([])).problem == "there is no function 'now'"
    several = f"{NOW}\n<tool_call>now2<arg_key>x</arg_key><arg_value>1</arg_value></tool_call>"
    assert len(read_calls(several, least=STRICT).calls) == 2


def test_what_is_thought_in_a_channel_that_never_ends_is_no_refusal():
    assert read_calls("<|channel|>analysis<|message|>nothing fits, so []", least=ANYTHING).problem
    assert (
        read_calls("<|channel|>analysis<|message|>Hm<|end|><|start|>assistant<|channel|>final<|message|>[]").calls == []
    )


@pytest.mark.parametrize(
    "thought",
    [
        f"<|channel|>analysis<|message|>I am not to split. A call would be [{TEXT}], but I should ask",
        f"<|channel|>analysis<|message|>Or <|channel|>commentary to=functions.split_bill <|message|>{ARGUMENTS} but",
        f"<|channel|>analysis<|message|>Hm<|end|><|start|>assistant<|channel|>analysis<|message|>so [{TEXT}]",
        f"<think>I am not to split. A call would be [{TEXT}], but I should ask",
        f"<think>Hm</think>\n<think>so <tool_call>{TEXT}</tool_call>",
        f"<think>[{TEXT}",
        f"{TEXT}<think>and [{TEXT}]",
    ],
)
def test_a_call_drafted_in_a_thought_that_was_cut_is_no_call(thought: str, toolbox: Toolbox):
    for tools in (None, toolbox):
        for least in (STRICT, ANYTHING):
            reading = read_calls(thought, tools, least=least)
            assert reading.calls == []
            assert "the thought never ends" in str(reading.problem)


def test_what_is_addressed_to_a_function_is_a_call_in_whichever_channel(toolbox: Toolbox):
    call = f"<|channel|>analysis to=functions.split_bill<|message|>{ARGUMENTS}<|call|>"
    assert one(read_calls(call, toolbox, least=STRICT)) == CALL


BOMBS = {
    "names": "f(" * 45_000,
    "calls": "split_bill(total=84, people=4), " * 3_000,
    "dots": "a." * 45_000 + "(",
    "words": "a" * 99_000 + "(",
    "quotes": "[{'" * 33_000,
    "minus signs": "f(x=" + "-" * 19_000 + "1)",
    "additions": "f(x=" + "1+" * 9_000 + "1)",
    "functions": "<function=f>" * 8_000,
    "parameters": "<function=f>" + "<parameter=x>" * 7_000,
    "actions": "Action: f\n" * 9_000,
    "thoughts": "<think>" * 14_000,
    "commas": "[" + "1," * 49_000,
    "marks": "[TOOL_CALLS]" * 8_000,
    "escapes": "<start_function_call>call:f{" + "<escape>" * 12_001,
    "escaped calls": "<start_function_call>call:f{a:<escape>" * 2_000,
    "keys": "<tool_call>f" + "<arg_key>x</arg_key><arg_value>" * 3_000,
    "channels": "<|channel|>analysis<|message|>" * 3_000,
    "recipients": "to=functions.f" * 7_000,
}


@pytest.mark.parametrize("name", BOMBS)
def test_reading_takes_time_in_proportion_to_the_text(name: str, toolbox: Toolbox):
    started = time.process_time()
    read_calls(BOMBS[name], toolbox, least=ANYTHING)
    assert time.process_time() - started < 3


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**6), 10**6) | st.text(st.characters(codec="utf-8"), max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", min_size=1), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.text("abcdefgh_", min_size=1, max_size=8).filter(lambda n: n not in ("", "_") and not keyword.iskeyword(n))
CALLS = st.lists(
    st.tuples(NAMES.map(lambda n: f"f_{n}"), st.dictionaries(NAMES.map(lambda n: f"x_{n}"), VALUES, max_size=3)),
    min_size=1,
    max_size=3,
)


def escaped(value: Any) -> str:
    """As FunctionGemma writes a value."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{key}:{escaped(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return f"[{','.join(map(escaped, value))}]"
    return f"<escape>{value}<escape>" if isinstance(value, str) else json.dumps(value)


def written(calls: list[tuple[str, dict[str, Any]]]) -> dict[str, str]:
    rows = [{"name": name, "arguments": arguments} for name, arguments in calls]
    inner = [json.dumps(row) for row in rows]
    return {
        "array": json.dumps(rows),
        "tags": "\n".join(f"<tool_call>\n{row}\n</tool_call>" for row in inner),
        "fence": f"Here:\n```json\n{json.dumps(rows, indent=2)}\n```",
        "Mistral": f"[TOOL_CALLS] {json.dumps(rows)}",
        "Llama": "<|python_tag|>" + "; ".join(inner),
        "DeepSeek 3.1": "".join(
            f"<｜tool▁call▁begin｜>{n}<｜tool▁sep｜>{json.dumps(a)}<｜tool▁call▁end｜>" for n, a in calls
        ),
        "FunctionGemma": "".join(f"<start_function_call>call:{n}{escaped(a)}<end_function_call>" for n, a in calls),
        "Kimi": "".join(
            f"<|tool_call_begin|>functions.{n}:{i}<|tool_call_argument_begin|>{json.dumps(a)}<|tool_call_end|>"
            for i, (n, a) in enumerate(calls)
        ),
        "gpt-oss": "<|start|>assistant".join(
            f"<|channel|>commentary to=functions.{n} <|constrain|>json<|message|>{json.dumps(a)}<|call|>"
            for n, a in calls
        ),
        "functions": "".join(f"<function={name}>{json.dumps(a)}</function>" for name, a in calls),
        "Python": "[" + ", ".join(f"{n}({', '.join(f'{k}={v!r}' for k, v in a.items())})" for n, a in calls) + "]",
    }


@settings(deadline=None)
@given(CALLS)
def test_calls_written_in_any_familys_way_are_read_back_as_they_were(calls: list[tuple[str, dict[str, Any]]]):
    for name, text in written(calls).items():
        reading = read_calls(text)
        assert reading.problem is None, (name, text, reading.problem)
        assert [(c.name, c.arguments) for c in reading.calls] == calls, (name, text)


@settings(deadline=None)
@given(CALLS, st.data())
def test_an_answer_cut_anywhere_is_a_problem_or_is_read_with_what_it_lost_said(
    calls: list[tuple[str, dict[str, Any]]], data: st.DataObject
):
    text = written(calls)["array"]
    cut = data.draw(st.integers(1, len(text) - 1))
    strict = read_calls(text[:cut], least=STRICT)
    assert strict.problem is not None
    loose = read_calls(text[:cut], least=ANYTHING)
    assert loose.problem is not None or {CLOSED, BRACKETS} & set(loose.repairs)
    trusted = read_calls(text[:cut]).calls
    assert [(c.name, c.arguments) for c in trusted] == calls[: len(trusted)], "no call has lost anything"


PIECES = st.sampled_from(
    [*CLEAN.values(), *REPAIRED.values(),
     "[", "]", "{", "}", "(", ")", '"', "'", "\\", ",", ":", "=", " ", "\n", "f", "x=",
     "<tool_call>", "</tool_call>", "```", "<function=", ">", "<parameter=x>", "[TOOL_CALLS]", "[ARGS]", "Action:",
     "Action Input:", "<think>", "</think>", "\x00", "\ud800", "1e999", "nan", "None", "lambda:", "9" * 5000]
)  # fmt: skip


@settings(deadline=None)
@given(st.lists(PIECES, max_size=12).map("".join), st.sampled_from([STRICT, TRUSTED, ANYTHING]))
def test_whatever_is_written_gives_calls_that_can_be_stored_or_a_problem(text: str, least: float):
    reading = read_calls(text, least=least)
    assert reading.problem is None or (reading.calls == [] and reading.confidence == 0)
    assert reading.problem is not None or reading.confidence >= least
    for call in reading.calls:
        json.dumps(call.model_dump(), ensure_ascii=False, allow_nan=False).encode()
