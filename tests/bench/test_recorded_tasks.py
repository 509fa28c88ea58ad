"""Tasks made of records: the right calls score, others do not, and what no model could answer is left out."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from lamina.bench import BenchModel, BenchSettings, bench_models
from lamina.bench.tasks import Outcome, Sample, Setting, Task, open_task
from lamina.bench.tasks.fitting import MISFIT
from lamina.bench.tasks.recorded import IMPOSSIBLE, UNREADABLE
from lamina.errors import InputError
from lamina.models import Reply
from lamina.models.parsing import WORDS, read_reply
from lamina.runs import Progress
from lamina.tools import Toolbox

SHARED = Path(__file__).parents[3] / "shared" / "data"
TASKS = {
    "seal_tools": 332, "seal_tools:in_domain": 344, "nestful": 36, "nestful:glaive": 55, "nestful:sgd": 21,
    "api_bank": 176, "api_bank:level-2": 65, "toolalpaca": 41, "toolalpaca:real": 51,
}  # fmt: skip
UNKNOWN_ARGUMENT = f"{MISFIT} (an argument that its function does not have)"
SETTING = Setting(Toolbox([]), "full")
TOOL = {
    "type": "function",
    "function": {
        "name": "sky",
        "description": "The sky.",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "hours": {"type": "integer"}},
            "required": ["city"],
        },
    },
}


def turn(*cities: str, **more: object) -> dict:
    made = [{"type": "function", "function": {"name": "sky", "arguments": {"city": c, **more}}} for c in cities]
    return {"role": "assistant", "content": "", "tool_calls": made}


def written(folder: Path, *rows: list[dict]) -> Task:
    file = folder / "rows.jsonl"
    lines = [{"id": f"r{n}", "tools": [TOOL], "messages": messages} for n, messages in enumerate(rows)]
    file.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return open_task(f"rows:{file}")


def solved(task: Task, sample: Sample, calls: list[dict]) -> Outcome:
    talk = task.solve(sample, SETTING)
    next(talk)
    with pytest.raises(StopIteration) as ended:
        talk.send(Reply(text=json.dumps(calls)))
    return ended.value.value


def figures(task: Task, outcomes: list[Outcome]) -> dict[str, float]:
    return {f.metric: f.interval.value for f in task.figures([{**o.scores, "right": o.right} for o in outcomes])}


USER = {"role": "user", "content": "the sky in Oslo?"}


def test_a_sample_whose_row_has_no_id_is_the_same_wherever_its_file_lies(tmp_path: Path):
    found = []
    for folder in (tmp_path / "one", tmp_path / "two" / "deep.json:7"):
        folder.mkdir(parents=True)
        row = {"tools": [TOOL], "messages": [USER, turn("Oslo")]}
        (folder / "rows.jsonl").write_text(json.dumps(row) + "\n" + json.dumps(row | {"id": "my/own.json"}) + "\n")
        found.append([sample.id for sample in open_task(f"rows:{folder / 'rows.jsonl'}").samples()])
    assert found == [["rows.jsonl:1", "my/own.json"]] * 2


def test_each_turn_that_calls_is_a_sample_with_everything_before_it(tmp_path: Path):
    result, more = {"role": "tool", "name": "sky", "content": "clear"}, {"role": "user", "content": "and in Rome?"}
    task = written(
        tmp_path, [USER, turn("Oslo"), result, {"role": "assistant", "content": "Clear."}, more, turn("Rome")]
    )
    first, second = task.samples()
    assert (first.id, len(first.row["messages"])) == ("r0#1", 1)
    assert (second.id, len(second.row["messages"])) == ("r0#5", 5)
    assert task.judge(second, [{"name": "sky", "arguments": {"city": "rome"}}]) is None
    assert (
        task.judge(second, [{"name": "sky", "arguments": {"city": "Oslo"}}]) == 'sky: city is "Oslo", expected "Rome"'
    )


def test_rows_whose_right_calls_do_not_fit_their_own_tools_are_left_out(tmp_path: Path):
    task = written(tmp_path, [USER, turn("Oslo")], [USER, turn("Oslo", planet="Mars")], [USER, turn("Oslo", hours="3")])
    assert [s.id for s in task.samples()] == ["r0", "r2"]
    assert task.samples()[1].row["calls"][0]["arguments"]["hours"] == 3
    with pytest.raises(InputError, match="no row with calls that fit its own tools"):
        written(tmp_path, [USER, turn("Oslo", planet="Mars")]).samples()


def test_what_is_left_out_of_a_file_is_counted_by_reason(tmp_path: Path):
    result = {"role": "tool", "name": "sky", "content": "clear"}
    task = written(tmp_path, [USER, turn("Oslo")], [USER, turn("Oslo", planet="Mars")], [USER, result, turn("Oslo")])
    with (tmp_path / "rows.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"id": "r9", "messages": 3}\n')
    assert len(task.samples()) == len(task.samples()) == 1
    assert task.left_out == {UNKNOWN_ARGUMENT: 1, IMPOSSIBLE: 1, UNREADABLE: 1}


def test_a_bench_says_what_is_left_out(
    tmp_path: Path, desk: SimpleNamespace, capsys: pytest.CaptureFixture[str]
) -> None:
    task = written(tmp_path, [USER, turn("Oslo")], [USER, turn("Oslo", planet="Mars")])
    model = BenchModel(desk.model({USER["content"]: "[]"}), "m", "script")
    settings = BenchSettings(timing_samples=0, slots=2)
    result = bench_models(
        [model], [task], run=desk.run, toolbox=desk.toolbox, settings=settings, progress=Progress(True)
    )
    assert result["left_out"] == {task.name: {UNKNOWN_ARGUMENT: 1}}
    assert f"left out are 1 {UNKNOWN_ARGUMENT}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ({"hours": 3}, "without a required argument"),
        ({"city": "Oslo", "hours": "some"}, "a value that its argument does not take"),
        ({"city": "Oslo", "HOURS": 3, "hours": 3}, "an argument that its function does not have"),
    ],
)
def test_the_reason_why_calls_do_not_fit_is_said(tmp_path: Path, arguments: dict, why: str):
    call = {"type": "function", "function": {"name": "sky", "arguments": arguments}}
    task = written(tmp_path, [USER, turn("Oslo")], [USER, {"role": "assistant", "content": "", "tool_calls": [call]}])
    assert len(task.samples()) == 1
    assert task.left_out == {f"{MISFIT} ({why})": 1}


def test_an_argument_that_is_only_spelled_otherwise_is_the_declared_one(tmp_path: Path):
    turned = turn("Oslo")
    turned["tool_calls"][0]["function"]["arguments"] = {"City": "Oslo", "_hours": "var1.hours$"}
    (sample,) = (task := written(tmp_path, [USER, turned])).samples()
    assert sample.row["calls"][0]["arguments"] == {"city": "Oslo", "hours": "$var1.hours$"}
    assert task.judge(sample, [{"name": "sky", "arguments": {"city": "Oslo", "hours": "$var1.hours$"}}]) is None


def test_two_rows_of_one_id_are_two_samples(tmp_path: Path):
    task = written(tmp_path, [USER, turn("Oslo")], [USER, turn("Rome")], [USER, turn("Bern")])
    file = tmp_path / "rows.jsonl"
    file.write_text(file.read_text().replace('"r1"', '"r0"').replace('"r2"', '"r0"'))
    assert [s.id for s in task.samples()] == ["r0", "r0~2", "r0~3"]
    assert [s.row["calls"][0]["arguments"]["city"] for s in task.samples()] == ["Oslo", "Rome", "Bern"]


def test_a_call_that_is_referred_to_by_number_has_its_place(tmp_path: Path):
    (sample,) = (task := written(tmp_path, [USER, turn("Oslo", "$var1.nearby$", "Rome")])).samples()
    oslo, nearby, rome = ({"name": "sky", "arguments": {"city": c}} for c in ("Oslo", "$var1.nearby$", "Rome"))
    assert task.judge(sample, [oslo, nearby, rome]) is None
    assert task.judge(sample, [oslo, rome, nearby]) is None  # nothing refers to Rome
    for answer in ([nearby, oslo, rome], [rome, oslo, nearby], [nearby, rome, oslo]):
        assert "another call in this order" in (task.judge(sample, answer) or "")
    outcome = solved(task, sample, [rome, oslo, nearby])
    assert not outcome.right
    assert not outcome.scores["functions_right"]


@pytest.mark.parametrize(
    ("text", "problem", "confidence"),
    [
        ("Sure: {}", f"needs repair: {WORDS}", 0.0),
        ("{}", None, 1.0),
        ("Ask the weather service", "not a JSON array of calls: 'Ask the weather service'", 0.0),
    ],
)
def test_what_stands_with_an_answer_belongs_to_its_strict_reading(
    tmp_path: Path, text: str, problem: str | None, confidence: float
):
    task = written(tmp_path, [USER, turn("Oslo")])
    (sample,) = task.samples()
    calls = json.dumps([{"name": c["name"], "arguments": c["arguments"]} for c in sample.row["calls"]])
    talk = task.solve(sample, SETTING)
    request = next(talk)
    said = text.format(calls)
    with pytest.raises(StopIteration) as ended:
        talk.send(Reply(said, **read_reply(said, request.tools)))
    (record,) = ended.value.value.transcript
    assert record.get("repairs", []) == []
    assert (record["problem"], record["confidence"], bool(record["calls"])) == (problem, confidence, problem is None)


def test_figures_tell_functions_arguments_and_refusals_apart(tmp_path: Path):
    task = written(tmp_path, [USER, turn("Oslo", hours=3)], [USER, {"role": "assistant", "content": "I can't."}])
    call, refusal = task.samples()
    half = [{"name": "sky", "arguments": {"city": "Oslo", "hours": 4}}]
    found = figures(task, [solved(task, call, half), solved(task, refusal, [])])
    assert found["call_exact"] == 0.5
    assert found["function_right"] == 1
    assert found["argument_accuracy"] == 0.5
    assert found["refusal_right"] == 1
    assert found["refusal_false"] == 0


def test_references_to_earlier_calls_may_be_written_where_numbers_are_declared(tmp_path: Path):
    task = written(tmp_path, [USER, turn("Oslo", hours="$var1.hours$")])
    (sample,) = task.samples()
    request = next(task.solve(sample, SETTING))
    assert "$varN.FIELD$" in request.messages[0].content
    assert request.tools is not None
    assert not request.tools["sky"].problems({"city": "Oslo", "hours": "$var1.hours$"})


@pytest.mark.parametrize("spec", TASKS)
def test_on_the_real_files_right_answers_score_everything_and_none_nothing(spec: str):
    if not SHARED.is_dir():
        pytest.skip("the folder of shared data is not beside this checkout")
    task = open_task(spec, data=SHARED)
    samples = task.samples()
    assert len(samples) == TASKS[spec]
    assert len({s.id for s in samples}) == len(samples)
    few = samples[:: max(1, len(samples) // 30)]
    assert figures(task, [solved(task, s, s.row["calls"]) for s in few])["call_exact"] == 1
    assert figures(task, [solved(task, s, []) for s in few])["call_exact"] == 0


@pytest.mark.parametrize("spec", ["seal_tools:x", "nestful:x", "api_bank:x", "toolalpaca:x", "rows"])
def test_a_part_that_is_not_there_is_said(spec: str):
    with pytest.raises(InputError):
        open_task(spec)


@pytest.mark.parametrize("spec", ["seal_tools", "nestful", "api_bank", "toolalpaca"])
def test_a_task_without_its_files_says_which_to_name(spec: str):
    with pytest.raises(InputError, match="with --data"):
        open_task(spec).samples()
