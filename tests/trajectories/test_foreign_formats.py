"""Foreign formats: each is recognised, and says the same call; each trap of the field's data sets is sprung here."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from foreign_rows import ANSWER, ASKED, CALL, RESULT, ROWS, TOOL, WEATHER, WHOLE_FILES, as_text

from lamina.errors import InputError
from lamina.trajectories import Reject, Trajectory, read_trajectories
from lamina.trajectories.formats import Detected, detect_format, find_format, formats
from lamina.trajectories.formats.reading.refused import Refused

CALLS = [("get_weather", {"city": "Paris", "days": 2})]


def read(name: str, row: Any) -> Trajectory:
    """The one record of a row."""
    reader = find_format(name).from_row
    assert reader is not None
    (found,) = reader(row, Path("."))
    return found


def asked(trajectory: Trajectory) -> list[tuple[str, Any]]:
    return [(c.name, c.arguments) for c in trajectory.calls]


@pytest.mark.parametrize("name", sorted(ROWS))
def test_a_format_is_known_by_its_look_and_says_why(name: str, tmp_path: Path):
    file = tmp_path / ("rows.json" if name == "toolbench" else "rows.jsonl")
    file.write_text(as_text(name))
    found = detect_format(file)
    assert found.name == name
    assert len(found.reason.split()) > 2


@pytest.mark.parametrize("name", sorted(ROWS))
def test_every_format_says_the_same_request_and_call(name: str):
    record = read(name, ROWS[name])
    assert record.request == ASKED
    assert asked(record) == CALLS
    results = [m for m in record.messages if m.role == "tool"]
    assert all(json.loads(m.content) == json.loads(RESULT) and m.name == "get_weather" for m in results)


@pytest.mark.parametrize("name", sorted(set(ROWS) - {"tau-bench", "tooltalk", "api-bank", "seal-tools", "react"}))
def test_every_format_that_carries_tools_gives_a_schema(name: str):
    (tool,) = read(name, ROWS[name]).toolbox()
    assert tool.parameters["properties"]["city"]["type"] == "string"
    assert tool.parameters["type"] == "object"


def test_every_built_in_format_but_the_one_without_arguments_is_tried_here():
    assert set(formats()) - set(ROWS) == {"jsonl", "metatool"}


@pytest.mark.parametrize(
    "arguments",
    ['{"city": "Paris", "days": 2}', '"{\\"city\\": \\"Paris\\", \\"days\\": 2}"', "{'city': 'Paris', 'days': 2}",
     "{'city': 'Paris', 'days': 2,}", '```json\n{"city": "Paris", "days": 2}\n```'],
)  # fmt: skip
def test_arguments_are_read_doubled_single_quoted_and_fenced(arguments: str):
    call = {"type": "function", "function": {"name": "get_weather", "arguments": arguments}}
    row = {"messages": [{"role": "user", "content": ASKED}, {"role": "assistant", "tool_calls": [call]}]}
    assert asked(read("openai", row)) == CALLS


def test_legacy_functions_and_function_calls_are_read():
    call = {
        "role": "assistant",
        "content": None,
        "function_call": {"name": "get_weather", "arguments": '{"city": "x"}'},
    }
    result = {"role": "function", "name": "get_weather", "content": RESULT}
    found = read("openai", {"messages": [{"role": "user", "content": ASKED}, call, result], "functions": [WEATHER]})
    assert asked(found) == [("get_weather", {"city": "x"})]
    assert found.messages[-1].role == "tool"
    assert found.toolbox().names == ["get_weather"]


def test_glaive_arguments_in_single_quotes_may_hold_an_apostrophe():
    chat = (
        "USER: hi\n\n\nASSISTANT: <functioncall> " + '{"name": "say", "arguments": \'{"text": "it\'s"}\'} <|endoftext|>'
    )
    assert asked(read("glaive", {"system": "", "chat": chat})) == [("say", {"text": "it's"})]


@pytest.mark.parametrize(
    ("word", "kind", "needed"),
    [("str", "string", True), ("str, optional", "string", False), ("float", "number", True), ("dict", "object", True),
     ("tuple", "array", True), ("List[int]", "array", True), ("Optional[int]", "integer", False)],
)  # fmt: skip
def test_python_type_words_become_json_schema(word: str, kind: str, needed: bool):
    tools = [
        {"name": "f", "description": "d", "parameters": {"x": {"type": word, "description": "", "required": needed}}}
    ]
    found = read("xlam-60k", {"query": "do f", "tools": tools, "answers": "[]"})
    (tool,) = found.toolbox()
    assert tool.properties["x"]["type"] == kind
    assert tool.required == (["x"] if needed else [])


def test_a_schema_without_required_requires_nothing():
    tools = [{"name": "f", "description": "d", "parameters": {"type": "dict", "properties": {"x": {"type": "string"}}}}]
    (tool,) = read("xlam-60k", {"query": "do f", "tools": tools, "answers": "[]"}).toolbox()
    assert tool.parameters["type"] == "object"
    assert tool.required == []


def test_a_keyword_with_a_value_that_json_schema_does_not_allow_is_kept_aside():
    tools = [{"name": "f", "description": "d", "parameters": {"limit": {"type": "integer", "enum": "1-100"}}}]
    (tool,) = read("xlam-60k", {"query": "do f", "tools": tools, "answers": "[]"}).toolbox()
    assert tool.problems({"limit": 3}) == []
    assert tool.properties["limit"]["x-enum"] == "1-100"


def test_parallel_calls_stay_one_turn_and_their_results_find_them():
    two = {"from": "function_call", "value": json.dumps([CALL, {"name": "get_weather", "arguments": {"city": "Rome"}}])}
    results = [{"from": "observation", "value": "1"}, {"from": "observation", "value": "2"}]
    found = read("sharegpt", {"conversations": [{"from": "human", "value": ASKED}, two, *results], "tools": "[]"})
    assert [len(turn) for turn in found.turns] == [2]
    assert [m.tool_call_id for m in found.messages if m.role == "tool"] == [c.id for c in found.calls]
    assert len({c.id for c in found.calls}) == 2


@pytest.mark.parametrize(
    "turn",
    [
        {"content": "Look.", "tool_calls": [{"type": "function", "function": CALL}]},
        {"content": "", "reasoning_content": "Look.", "tool_calls": [{"type": "function", "function": CALL}]},
        {"content": "<think>Look.</think>", "tool_calls": [{"type": "function", "function": CALL}]},
        {"content": [{"type": "reasoning", "text": "Look."}], "tool_calls": [{"type": "function", "function": CALL}]},
    ],
)
def test_a_thought_is_found_in_the_content_in_its_own_field_and_in_tags(turn: dict[str, Any]):
    found = read("openai", {"messages": [{"role": "user", "content": ASKED}, {"role": "assistant", **turn}]})
    assert found.messages[-1].content == "Look."
    assert asked(found) == CALLS


@pytest.mark.parametrize(
    ("name", "row"),
    [("xlam-60k", {"query": ASKED, "tools": [WEATHER], "answers": "[]"}),
     ("xlam-2", {"messages": [{"role": "user", "content": ASKED}, {"role": "assistant", "content": "[]"}]})],
)  # fmt: skip
def test_empty_calls_mean_that_no_tool_fits(name: str, row: dict[str, Any]):
    found = read(name, row)
    assert found.calls == []
    assert found.messages[-1].role == "assistant"
    assert found.messages[-1].content == ""


def test_the_access_keys_of_toolbench_are_taken_out_and_that_is_counted():
    key = "0123456789msh0123456789abcdep1abcdejsn0123456789ab"
    api = {
        "tool_name": "w", "api_name": "now", "api_description": f"Weather; key {key}",
        "required_parameters": [{"name": "city", "type": "STRING"}, {"name": "X-RapidAPI-Key", "default": key}],
    }  # fmt: skip
    found = read("toolbench", {"query": ASKED, "query_id": 1, "api_list": [api]})
    assert key not in found.to_json().decode()
    assert list(found.toolbox()["now_for_w"].properties) == ["city"]
    assert found.meta.model_extra is not None
    assert found.meta.model_extra["lost"] == ["access keys"]


def test_a_toolace_call_is_parsed_and_never_evaluated(tmp_path: Path):
    trap = tmp_path / "trap"
    row = {**ROWS["toolace"], "conversations": [
        {"from": "user", "value": ASKED},
        {"from": "assistant", "value": f"[f(x=__import__('pathlib').Path({str(trap)!r}).touch())]"}]}  # fmt: skip
    found = read("toolace", row)
    assert found.calls == []
    assert not trap.exists()


def test_a_toolace_function_name_may_hold_spaces_and_brackets():
    turns = [{"from": "user", "value": ASKED}, {"from": "assistant", "value": '[get weather (now)(city="Paris")]'}]
    assert asked(read("toolace", {**ROWS["toolace"], "conversations": turns})) == [
        ("get weather (now)", {"city": "Paris"})
    ]


def test_one_bad_answer_of_toolalpaca_does_not_take_the_others_with_it(tmp_path: Path):
    row = {**ROWS["toolalpaca"], "Instructions": [ASKED, "again"]}
    row["Golden_Answers"] = [*row["Golden_Answers"], [{"Action": "get_weather", "Action_Input": '{"city": "x'}]]
    file = tmp_path / "alpaca.json"
    file.write_text(json.dumps([row]))
    rejects: list[Reject] = []
    (found,) = read_trajectories(file, rejects.append)
    assert asked(found) == CALLS
    assert [r.id for r in rejects] == [f"{file}:1.2"]
    assert "instruction 2" in rejects[0].detail


def test_a_reference_in_braces_is_kept_as_text():
    row = {
        **ROWS["toolalpaca"],
        "Golden_Answers": [[{"Action": "get_weather", "Action_Input": '{"city": ${city from x}}'}]],
    }
    assert asked(read("toolalpaca", row)) == [("get_weather", {"city": "${city from x}"})]


def test_a_row_that_is_no_record_is_rejected_with_its_line_and_the_rest_is_read(tmp_path: Path):
    file = tmp_path / "rows.jsonl"
    file.write_text(as_text("sharegpt") + "{not json\n" + '{"conversations": 3}\n' + as_text("sharegpt"))
    rejects: list[Reject] = []
    assert len(list(read_trajectories(file, rejects.append))) == 2
    assert [(r.id, r.reason) for r in rejects] == [(f"{file}:2", "unreadable"), (f"{file}:3", "unreadable")]
    with pytest.raises(InputError, match=r"rows\.jsonl:2: not JSON"):
        list(read_trajectories(file))


def test_a_file_of_no_known_format_says_what_was_seen(tmp_path: Path):
    file = tmp_path / "odd.jsonl"
    file.write_text('{"colour": 1, "size": 2}\n')
    with pytest.raises(InputError, match="its rows have the keys colour, size; name it with --from"):
        detect_format(file)
    rejects: list[Reject] = []
    assert list(read_trajectories(file, rejects.append)) == []
    assert [r.reason for r in rejects] == ["unknown-format"]


@pytest.mark.parametrize("layout", ["lines", "array", "object", "bom", "parquet"])
def test_a_file_may_be_lines_an_array_one_object_or_parquet(layout: str, tmp_path: Path):
    row = {"messages": [{"role": "user", "content": ASKED}, {"role": "assistant", "content": ANSWER}]}
    file = tmp_path / ("rows.parquet" if layout == "parquet" else "rows.json")
    if layout == "parquet":
        parquet = pytest.importorskip("pyarrow.parquet")
        table = pytest.importorskip("pyarrow").Table.from_pylist([row])
        parquet.write_table(table, file)
    else:
        texts = {"lines": json.dumps(row) + "\n" + json.dumps(row), "array": json.dumps([row], indent=1),
                 "object": json.dumps(row, indent=1), "bom": "\ufeff" + json.dumps([row])}  # fmt: skip
        file.write_text(texts[layout], encoding="utf-8")
    found = list(read_trajectories(file))
    assert len(found) == (2 if layout == "lines" else 1)
    assert found[0].messages[-1].content == ANSWER


def test_whole_files_are_one_record(tmp_path: Path):
    for name in WHOLE_FILES:
        file = tmp_path / f"{name}.jsonl"
        file.write_text(as_text(name))
        (found,) = read_trajectories(file)
        assert found.id == name


def test_metatool_rows_are_calls_without_arguments():
    found = read("metatool", {"query": ASKED, "tool": ["Weather", "News"]})
    assert asked(found) == [("Weather", {}), ("News", {})]
    assert found.meta.style == "tool-selection"


def test_rows_with_the_tool_in_openai_form_keep_it_as_it_is():
    assert read("openai", ROWS["openai"]).tools == [TOOL]


DOLLY = {
    "instruction": "When did it fly?",
    "context": "It flew in 2000.",
    "response": "[2000]",
    "category": "closed_qa",
}


def test_an_instruction_with_its_context_is_one_request_and_its_answer_is_text(tmp_path: Path):
    file = tmp_path / "dolly.jsonl"
    file.write_text(json.dumps(DOLLY) + "\n")
    assert detect_format(file) == Detected("instruction", "rows have an instruction and its response")
    (one,) = read_trajectories(file)
    assert [(m.role, m.content) for m in one.messages] == [
        ("user", "When did it fly?\n\nIt flew in 2000."),
        ("assistant", "[2000]"),
    ]
    assert (one.meta.model_extra or {})["extra"] == {"category": "closed_qa"}


def test_an_instruction_with_input_and_context_loses_neither():
    one = read("instruction", {"instruction": "Go.", "input": "Left.", "context": "A wood.", "output": "Done."})
    assert one.request == "Go.\n\nLeft.\n\nA wood."


def test_the_history_of_an_instruction_comes_before_it():
    one = read("instruction", {"instruction": "And now?", "output": "Now too.", "history": [["Before?", "Yes."]]})
    assert [m.content for m in one.messages] == ["Before?", "Yes.", "And now?", "Now too."]


@pytest.mark.parametrize(
    ("row", "reason"),
    [({"instruction": "Go.", "output": None}, "no-answer"), ({"instruction": " ", "output": "x"}, "no-request")],
)
def test_an_instruction_without_its_half_is_refused(row: dict[str, Any], reason: str):
    with pytest.raises(Refused) as refused:
        read("instruction", row)
    assert refused.value.reason == reason


def back(name: str, *messages: dict[str, Any]) -> Trajectory:
    """A record after a way through the format, which says that it lost neither calls nor results."""
    before = Trajectory.model_validate({"id": "r", "tools": [TOOL], "messages": list(messages)})
    target = find_format(name)
    assert target.losses is not None
    assert not {"record", "calls", "results"} & set(target.losses(before))
    return before


def calling(name: str, thought: str = "", **arguments: Any) -> dict[str, Any]:
    call = {"type": "function", "function": {"name": name, "arguments": arguments}}
    return {"role": "assistant", "content": thought, "tool_calls": [call]}


USER = {"role": "user", "content": ASKED}


@pytest.mark.parametrize("thought", ["I put it within the <tool_call> tags.", "One <tool_call></tool_call> is enough."])
def test_a_thought_that_speaks_of_hermes_tags_opens_no_call(thought: str):
    back("hermes", USER, calling("get_weather", thought, city="Paris"))


def test_a_hermes_call_that_breaks_off_is_refused_and_not_taken_for_words():
    turns = [{"from": "human", "value": ASKED}, {"from": "gpt", "value": '<tool_call>{"name": "get_weather", "argu'}]
    with pytest.raises(Refused):
        read("hermes", {"conversations": turns})


def test_a_sharegpt_result_that_is_a_list_of_named_results_stays_one():
    result = json.dumps([{"name": "get_weather", "content": {"sky": "clear"}}, {"name": "x", "content": 1}])
    told = {"role": "tool", "name": "get_weather", "content": result}
    record = back(
        "sharegpt", USER, calling("get_weather", city="Paris"), told, {"role": "assistant", "content": "Yes."}
    )
    assert len([m for m in record.messages if m.role == "tool"]) == 1


def test_a_toolace_argument_whose_name_is_no_python_name_may_hold_a_comma():
    back("toolace", USER, calling("get_weather", **{"g.621": "Paris, France", "days": 2}))
