"""What a model wrote becomes calls, or a sentence about why not; never an exception, never slowly."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lamina.models import parse_calls
from lamina.tools import Tool, Toolbox

CALL = {"name": "split_bill", "arguments": {"total": 84, "people": 4}}
TEXT = json.dumps(CALL)


def read(text: str, toolbox: Toolbox | None = None) -> list[tuple[str, dict[str, Any]]]:
    calls, problem = parse_calls(text, toolbox)
    assert problem is None, problem
    return [(c.name, c.arguments) for c in calls]


@pytest.mark.parametrize(
    "text",
    [
        f"[{TEXT}]",
        TEXT,
        json.dumps({"tool_calls": [CALL]}),
        json.dumps(
            {"tool_calls": [{"type": "function", "function": {**CALL, "arguments": '{"total": 84, "people": 4}'}}]}
        ),
        json.dumps([{"name": "split_bill", "parameters": CALL["arguments"]}]),
        f"```json\n[{TEXT}]\n```",
        f"```\n{TEXT}\n```\nThat splits it.",
        f"```json\n[{TEXT}]",
        f"<tool_call>\n{TEXT}\n</tool_call>",
        f"<tool_call>\n{TEXT}",
        f"Sure! Here is the call: [{TEXT}]",
        f"As item [1] says {{here}}: [{TEXT}] I hope that helps",
        f"[{TEXT}]]",
        f"[{TEXT}]\x00\x00",
        f"\ufeff [{TEXT}]\n",
    ],
)
def test_a_call_is_read_from_the_usual_wrappings(text: str, toolbox: Toolbox):
    assert read(text, toolbox) == [("split_bill", {"total": 84, "people": 4})]


@pytest.mark.parametrize("text", ["[]", " [] ", "```json\n[]\n```", '{"tool_calls": []}', "No function fits. []"])
def test_an_empty_array_is_a_refusal_and_no_problem(text: str, toolbox: Toolbox):
    assert read(text, toolbox) == []


@pytest.mark.parametrize(
    "text",
    [
        f"[{TEXT}, {TEXT}]",
        f"{TEXT}\n{TEXT}",
        f"{TEXT}, {TEXT}",
        f"<tool_call>{TEXT}</tool_call>\n<tool_call>{TEXT}</tool_call>",
        f"<tool_call>{TEXT}</tool_call><tool_call>{TEXT}",
    ],
)
def test_calls_that_follow_each_other_are_all_read(text: str, toolbox: Toolbox):
    assert read(text, toolbox) == [("split_bill", {"total": 84, "people": 4})] * 2


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "wrote nothing"),
        (" \x00\n", "wrote nothing"),
        ("I would split the bill.", "not a JSON array"),
        ("[" * 5000 + "]" * 5000, "nested too deeply"),
        ('[{"name":' * 5000, "nested too deeply"),
        (f"[{TEXT}, " + TEXT[:30], "breaks off"),
        (TEXT[:-2], "breaks off"),
        (f"<tool_call>{TEXT}</tool_call><tool_call>{TEXT[:20]}", "breaks off"),
        (f"{TEXT}\n{TEXT[:20]}", "second call"),
        ("42", "not a JSON array"),
        ('"split_bill"', "not a JSON array"),
        ("null", "not a JSON array"),
        ('["split_bill"]', "not calls"),
        ('[{"arguments": {}}]', "not calls"),
        ('[{"name": 3, "arguments": {}}]', "not calls"),
        ('[{"name": "split_bill", "arguments": [84, 4]}]', "not calls"),
        ('[{"name": "split_bill", "arguments": {"total": NaN, "people": 4}}]', "not a JSON array"),
        ('[{"name": "split_bill", "arguments": {"total": 1e999, "people": 4}}]', "not a JSON array"),
        ('[{"name": "add_contact", "arguments": {"contact": {"name": "\\ud800"}}}]', "not a JSON array"),
        ('[{"name": "add_contact", "arguments": {"\\ud800": 1}}]', "not a JSON array"),
        ('[{"name": "play_jazz", "arguments": {}}]', "no function 'play_jazz'"),
        ('[{"name": "split_bill", "arguments": {"total": 84}}]', "people"),
        ('[{"name": "split_bill", "arguments": {"total": 84, "people": "four"}}]', "people"),
        ('[{"name": "split_bill", "arguments": {"total": 84, "people": 4, "song": 1}}]', "no argument 'song'"),
        ("a" * 1_000_000, "1000000 characters"),
        (f"[{TEXT}]" + " x" * 500_000, "characters"),
    ],
)
def test_what_is_no_call_is_a_problem_in_a_sentence(text: str, says: str, toolbox: Toolbox):
    calls, problem = parse_calls(text, toolbox)
    assert calls == []
    assert problem is not None
    assert says in problem
    assert "\n" not in problem
    assert len(problem) < 300


def test_no_function_exists_where_there_are_no_tools():
    assert parse_calls(f"[{TEXT}]", Toolbox([]))[1] == "there is no function 'split_bill'"


BOMBS = {
    "tags never closed": "<tool_call>" * 9_000,
    "white space in a tag": "<tool_call>" + " " * 90_000 + "x",
    "empty tags": "<tool_call></tool_call>" * 4_000,
    "fences": "```json" * 14_000,
    "brackets": "[" * 99_999,
    "brackets and white space": ("[" + " " * 19) * 5_000,
    "strings never closed": '["' * 49_000,
    "objects never closed": '[{"' * 33_000,
    "empty objects": "{}" * 49_000,
    "escapes": '[{"\\"' + '\\"' * 49_000,
    "many calls": f"{TEXT}\n" * 1_400,
    "digits": '[{"name": "split_bill", "arguments": {"total": ' + "9" * 90_000 + "}}]",
    "commas": f"{TEXT}" + "," * 90_000,
}


@pytest.mark.parametrize("name", BOMBS)
def test_reading_takes_time_in_proportion_to_the_text(name: str, toolbox: Toolbox):
    started = time.process_time()
    parse_calls(BOMBS[name], toolbox)
    assert time.process_time() - started < 2  # quadratic readings of these took 17 s


PIECES = st.sampled_from(
    ["[", "]", "{", "}", '"', "\\", ",", ":", " ", "\n", "name", "arguments", "split_bill", "total", "1", "-", "e9",
     "null", "NaN", "<tool_call>", "</tool_call>", "```", "```json", "\x00", "\ud800", "\\ud800", "é", TEXT, "[]"]
)  # fmt: skip


@given(st.lists(PIECES, max_size=30).map("".join) | st.text(st.characters(), max_size=60))
@example("[" * 2000)
@example('{"name": "split_bill", "arguments": {"total": 1' + "0" * 5000 + ', "people": 1}}')
def test_whatever_is_written_gives_calls_or_a_problem(text: str):
    from tiny_llama import desk_toolbox

    toolbox = desk_toolbox()
    for tools in (None, toolbox):
        calls, problem = parse_calls(text, tools)
        assert problem is None or (calls == [] and problem)
        json.dumps([c.model_dump() for c in calls], ensure_ascii=False).encode()


@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "name": st.just("add_contact"),
                "arguments": st.fixed_dictionaries(
                    {"contact": st.fixed_dictionaries({"name": st.text(st.characters(codec="utf-8"))})}
                ),
            }
        ),
        max_size=4,
    ),
    st.booleans(),
)
def test_what_was_written_as_json_is_read_back_as_it_was(rows: list[dict[str, Any]], ascii_only: bool):
    from tiny_llama import desk_toolbox

    text = json.dumps(rows, ensure_ascii=ascii_only)
    expected = [(row["name"], row["arguments"]) for row in rows]
    assert read(text, desk_toolbox()) == expected
    assert read(f"Here: {text} done", desk_toolbox()) == expected


def test_half_a_pair_inside_a_tag_is_text():
    tool = Tool("f", "F.", {"type": "object", "properties": {"x": {"type": ["number", "string"]}}, "required": ["x"]})
    text = '<function=f><parameter=x>["\\ud800"]</parameter></function>'
    calls, _ = parse_calls(text, Toolbox([tool]))
    assert [call.arguments for call in calls] == [{"x": '["\\ud800"]'}]
