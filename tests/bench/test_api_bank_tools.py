"""API-Bank's APIs are described by what is newest: their classes, searches, the table, and else all the dialogues."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from lamina.bench.tasks import Sample, Setting, Task, open_task
from lamina.bench.tasks.api_bank import YEAR
from lamina.errors import InputError
from lamina.tools import Toolbox

TOKEN = {"type": "str", "description": "Who asks."}
OLD = """description = "Move a thing API that takes two parameters - 'token' and 'when'."
input_parameters = {'token': {'type': 'str', 'description': 'Who asks.'}, 'when': {'type': 'str'}}"""
FITS = "description = \"Say the day.\"\ninput_parameters = {'zone': {'type': 'str', 'description': 'Of the clock.'}}"
MOVED = {"token": "t1", "time": "2023-05-01 09:00:00", "parts": "[{'name': 'lid', 'count': 2}]"}


def api(name: str, given: dict, output: object = "success") -> dict:
    result = {"api_name": name, "input": given, "output": output, "exception": None}
    return {"role": "API", "api_name": name, "param_dict": given, "result": result}


def dialogue(root: Path, folder: str, name: str, *turns: dict) -> None:
    file = root / "api-bank" / folder / f"{name}.jsonl"
    file.parent.mkdir(parents=True, exist_ok=True)
    turns = ({"role": "User", "text": "please"}, *turns, {"role": "AI", "text": "Done."})
    file.write_text("".join(json.dumps(turn) + "\n" for turn in turns), encoding="utf-8")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    dialogue(tmp_path, "level-1-given-desc", "move", api("MoveThing", MOVED))
    dialogue(tmp_path, "level-1-given-desc", "day", api("SayDay", {"zone": "CET"}))
    found = {
        "name": "FindThing",
        "description": "Finds it.",
        "input_parameters": {"token": TOKEN, "time": {"type": "str", "description": "The time. Format: %Y"}},
    }
    searched = api("ToolSearcher", {"keywords": "find"}, found)
    dialogue(tmp_path, "level-2-toolsearcher", "find", searched, api("FindThing", {"token": "t", "time": "2023-05-01"}))
    with open(tmp_path / "api-bank" / "all_apis.csv", "w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(["类名", "input_parameters", "api_info"])
        table.writerow(["MoveThing", "(token: str, when: str)", OLD])
        table.writerow(["SayDay", "(zone: str)", FITS])
        table.writerow(["FindThing", "(word: str)", "description = 'old'"])
    return tmp_path


def sample_of(task: Task, id: str) -> Sample:
    return next(sample for sample in task.samples() if sample.id.startswith(id))


def offered(task: Task, id: str) -> dict:
    return {tool["function"]["name"]: tool["function"] for tool in sample_of(task, id).row["tools"]}


def test_an_api_whose_table_the_dialogues_contradict_takes_what_they_all_call_it_with(data: Path):
    task = open_task("api_bank", data=data)
    moved = offered(task, "move")["MoveThing"]
    assert moved["description"] == "Move a thing"
    assert moved["parameters"]["required"] == ["token", "time", "parts"]
    assert moved["parameters"]["properties"]["token"] == {"type": "string", "description": "Who asks."}
    assert moved["parameters"]["properties"]["time"] == {
        "type": "string",
        "description": "The time. Format: %Y-%m-%d %H:%M:%S",
    }, "the words are those of the API that has most of these arguments, the form is the values' own"
    assert moved["parameters"]["properties"]["parts"]["items"]["properties"]["name"] == {"type": "string"}
    assert not task.left_out  # type: ignore[attr-defined]
    sample = sample_of(task, "move")
    right = {**MOVED, "parts": [{"name": "lid", "count": 2}]}
    assert task.judge(sample, [{"name": "MoveThing", "arguments": right}]) is None  # type: ignore[attr-defined]


def test_a_table_that_fits_its_dialogues_stands(data: Path):
    said = offered(open_task("api_bank", data=data), "day")["SayDay"]
    assert said["parameters"]["properties"] == {"zone": {"type": "string", "description": "Of the clock."}}


def test_what_a_search_found_is_newer_than_the_table(data: Path):
    found = offered(open_task("api_bank:level-2", data=data), "find")["FindThing"]
    assert (found["description"], list(found["parameters"]["properties"])) == ("Finds it.", ["token", "time"])


def test_the_classes_of_the_benchmark_describe_best_and_are_never_run(data: Path):
    folder = data / "api-bank" / "apis"
    folder.mkdir()
    text = (
        "raise SystemExit('run')\n\nclass MoveThing(API):\n    description = 'Moves ' 'it.'\n    input_parameters = "
        "{'token': {'type': 'str'}, 'time': {'type': 'str'}, 'parts': {'type': 'list'}}\n    size = len('x')\n"
    )
    (folder / "move.py").write_text(text, encoding="utf-8")
    moved = offered(open_task("api_bank", data=data), "move")["MoveThing"]
    assert moved["description"] == "Moves it."
    assert moved["parameters"]["properties"]["parts"] == {"type": "array"}


@pytest.mark.parametrize(
    ("content", "says"),
    [(b"class\n", "broken.py:1: cannot be read as Python"), (b"x = '\xff'", "broken.py:1: is not UTF-8")],
)
def test_a_class_that_cannot_be_read_is_named_and_not_described_by_other_words(data: Path, content: bytes, says: str):
    folder = data / "api-bank" / "apis"
    folder.mkdir()
    (folder / "broken.py").write_bytes(content)
    with pytest.raises(InputError, match=says):
        open_task("api_bank", data=data).samples()


def test_the_model_is_told_the_year_as_the_published_prompt_tells_it(data: Path):
    task = open_task("api_bank", data=data)
    request = next(task.solve(sample_of(task, "day"), Setting(Toolbox([]), "full")))
    assert request.messages[0].content == YEAR
    assert request.messages[1].content == "please"
