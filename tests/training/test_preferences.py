"""Direct preference optimization: which answers become pairs, and that training prefers the right ones."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from lamina.errors import InputError
from lamina.models.templates import LAMINA_TEMPLATE
from lamina.runs import Run
from lamina.tools import Toolbox
from lamina.training import TrainSettings, fine_tune
from lamina.training.preferences import make_pairs
from lamina.training.rejected import KEPT, answers_of_file, answers_of_model, check_rejected, kept_answers
from lamina.training.rows import TrainingData
from lamina.training.run_rejects import answers_of_rejects
from lamina.trajectories import Message, Meta, ToolCall, Trajectory
from tiny_llama import split_rows, tiny_tokenizer

DPO = TrainSettings(
    method="dpo", update="lora", epochs=4, batch=2, accumulate=2, learning_rate=5e-3, lora_rank=4, lora_alpha=8,
    max_length=200, scheduler="constant", warmup=0.0,
)  # fmt: skip


def wrong(n: int) -> dict[str, list[ToolCall]]:
    return {row.id: [ToolCall.of("split_bill", {"total": 1, "people": 1})] for row in split_rows(n)}


def pairs(rows, answers, toolbox: Toolbox):
    return make_pairs(rows, answers, toolbox, tiny_tokenizer(), LAMINA_TEMPLATE, style="baked", max_length=200)


def test_a_pair_is_one_prompt_with_a_right_and_a_wrong_end(toolbox: Toolbox):
    row = split_rows(2)[1]
    made = pairs([row], wrong(2), toolbox)
    (pair,) = made.pairs
    decode = tiny_tokenizer().decode
    assert decode(pair.prompt_ids).endswith("Split 21 between 3<|im_end|>\n<|im_start|>assistant\n")
    assert decode(pair.chosen_ids) == '[{"name": "split_bill", "arguments": {"total": 21, "people": 3}}]<|im_end|>'
    assert decode(pair.rejected_ids) == '[{"name": "split_bill", "arguments": {"total": 1, "people": 1}}]<|im_end|>'


def test_an_answer_that_means_the_same_is_no_wrong_one(toolbox: Toolbox):
    row = split_rows(2)[1]
    same = {row.id: [ToolCall.of("split_bill", {"people": 3, "total": 21.0, "tip_percent": 0})]}
    assert pairs([row], same, toolbox).refused == [{"id": row.id, "reason": "the answer to reject is right"}]
    assert pairs([row], {}, toolbox).refused == [{"id": row.id, "reason": "no answer to compare with"}]


@pytest.mark.parametrize("style", ["baked", "compact", "full"])
def test_an_invented_function_is_a_wrong_answer_and_never_a_right_one(toolbox: Toolbox, style: str):
    row = split_rows(2)[1].model_copy(update={"tools": toolbox.as_openai()})
    invented = [ToolCall.of("divide_bill", {"total": 21, "by": 3})]
    made = make_pairs(
        [row], {row.id: invented}, toolbox, tiny_tokenizer(), LAMINA_TEMPLATE, style=style, max_length=4096
    )
    (pair,) = made.pairs
    said = tiny_tokenizer().decode(pair.rejected_ids)
    assert said == '[{"name": "divide_bill", "arguments": {"total": 21, "by": 3}}]<|im_end|>'
    answer = row.messages[1].model_copy(update={"tool_calls": invented})
    inventing = row.model_copy(update={"messages": [row.messages[0], answer]})
    why = "calls divide_bill, which is not among its tools"
    assert pairs([inventing], {row.id: []}, toolbox).refused == [{"id": row.id, "reason": why}]


def test_training_comes_to_prefer_the_right_answers(tiny: Path, toolbox: Toolbox, tmp_path: Path):
    metrics = fine_tune(str(tiny), split_rows(8), [], tmp_path, DPO, toolbox, wrong=wrong(8))
    log = list(csv.DictReader((tmp_path / "train-log.csv").open()))
    assert metrics["steps"] == len(log) == 8
    assert float(log[0]["loss"]) == pytest.approx(0.693, abs=0.001), "nothing is preferred yet: ln 2"
    assert float(log[-1]["loss"]) < 0.4
    assert float(log[-1]["token_accuracy"]) == 1.0


def test_held_out_requests_are_asked_while_adapters_learn_to_prefer(tiny: Path, toolbox: Toolbox, tmp_path: Path):
    watched = TrainSettings(**{**vars(DPO), "patience": 1, "look_every": 0.5, "epochs": 3})
    rows = split_rows(12)
    metrics = fine_tune(str(tiny), rows[:8], rows[8:], tmp_path, watched, toolbox, wrong=wrong(8))
    looks = list(csv.DictReader((tmp_path / "call-accuracy.csv").open()))
    assert metrics["call_accuracy"] == max(float(look["call_accuracy"]) for look in looks)
    assert metrics["asked"] == 4
    assert metrics["last_step"] == int(looks[-1]["step"]) == metrics["best_step"] + 1 < metrics["steps"]


def test_killed_it_continues_to_the_same_losses(tiny: Path, toolbox: Toolbox, tmp_path: Path, monkeypatch):
    from lamina.training.trainer import TrainingLog

    settings = TrainSettings(**{**vars(DPO), "save_seconds": 0.0})
    fine_tune(str(tiny), split_rows(8), [], tmp_path / "whole", settings, toolbox, wrong=wrong(8))
    step = TrainingLog.step

    class Killed(BaseException):
        pass

    def step_then_die(self, number: int, last: int, rate: float) -> bool:
        if number == 6:
            raise Killed
        return step(self, number, last, rate)

    monkeypatch.setattr(TrainingLog, "step", step_then_die)
    with pytest.raises(Killed):
        fine_tune(str(tiny), split_rows(8), [], tmp_path / "killed", settings, toolbox, wrong=wrong(8))
    monkeypatch.setattr(TrainingLog, "step", step)
    metrics = fine_tune(str(tiny), split_rows(8), [], tmp_path / "killed", settings, toolbox, wrong=wrong(8))
    assert metrics["resumed_from_step"] == 5
    curves = [
        [line["loss"] for line in csv.DictReader((tmp_path / name / "train-log.csv").open())]
        for name in ("whole", "killed")
    ]
    assert curves[0] == curves[1]


def test_what_a_weaker_model_answers_is_what_is_rejected(toolbox: Toolbox):
    from lamina.models.model import Reply

    class Weaker:
        ref = "weaker"

        def generate(self, requests, on_reply=None):
            assert [r.messages[-1].role for r in requests] == ["user"] * 4
            unknown, misfit = "there is no function 'divide_bill'", "total must be a number"
            return [
                Reply("[]"),
                Reply("hm", problem="no calls"),
                Reply('[{"name": "divide_bill", "arguments": {"by": 3}}]', problem=unknown),
                Reply('[{"name": "split_bill", "arguments": {"total": "all"}}]', problem=misfit),
            ]

        def close(self) -> None:
            pass

    rows = [row for row in split_rows(6) if row.calls]
    answers = answers_of_model(Weaker(), rows, toolbox, "baked")
    told = {id: [(call.name, call.arguments) for call in calls] for id, calls in answers.items()}
    invented, misfit = ("divide_bill", {"by": 3}), ("split_bill", {"total": "all"})
    assert told == {rows[0].id: [], rows[2].id: [invented], rows[3].id: [misfit]}
    assert len(pairs(rows, answers, toolbox).pairs) == 3


def test_a_runs_rejects_are_taken_where_the_request_passed_later(toolbox: Toolbox, tmp_path: Path):
    row = split_rows(2)[1]
    calls = [{"name": "split_bill", "arguments": {"total": 3, "people": 21}}]
    records = [{"request": row.request.upper(), "calls": calls}, {"request": "another", "calls": calls}, None]
    (tmp_path / "rejects.jsonl").write_text("".join(json.dumps({"record": r}) + "\n" for r in records))
    answers = answers_of_rejects(tmp_path, [row])
    assert {id: [c.arguments for c in found] for id, found in answers.items()} == {row.id: [calls[0]["arguments"]]}


def written(folder: Path, *records: object) -> Path:
    """A run's rejects."""
    (folder / "rejects.jsonl").write_text("".join(json.dumps({"record": record}) + "\n" for record in records))
    return folder


def arguments_of(answers) -> dict[str, list[dict[str, object]]]:
    return {id: [call.arguments for call in calls] for id, calls in answers.items()}


def test_a_rejected_twin_of_the_right_answer_does_not_hide_the_wrong_one(toolbox: Toolbox, tmp_path: Path):
    row = split_rows(2)[1]
    right = {"name": "split_bill", "arguments": {"people": 3, "total": 21.0, "tip_percent": 0}}
    bad = {"name": "split_bill", "arguments": {"total": 3, "people": 21}}
    records = [{"request": row.request, "calls": [calls]} for calls in (right, bad, right)]
    assert arguments_of(answers_of_rejects(written(tmp_path, *records), [row], toolbox)) == {row.id: [bad["arguments"]]}
    assert answers_of_rejects(written(tmp_path, records[0]), [row], toolbox) == {}


def test_a_request_that_passed_with_a_slip_of_the_pen_in_it_is_still_the_same(toolbox: Toolbox, tmp_path: Path):
    row = split_rows(2)[1]
    slipped = [Message(role="user", content="Slpit 21 between 3"), *row.messages[1:]]
    row = row.model_copy(update={"messages": slipped, "meta": Meta(source="synth", clean=row.request)})
    record = {"request": row.meta.model_extra["clean"], "calls": []}
    assert answers_of_rejects(written(tmp_path, record), [row], toolbox) == {row.id: []}


def test_a_row_that_was_mended_is_preferred_over_what_it_was(toolbox: Toolbox, tmp_path: Path):
    row = split_rows(2)[1]
    was = Trajectory(
        id="w",
        messages=[
            row.messages[0],
            Message(role="assistant", tool_calls=[ToolCall.of("split_bill", {"total": 21, "heads": 3})]),
        ],
    )
    records = [was.model_dump(exclude_none=True), {"messages": [{"role": "user"}]}]
    found = answers_of_rejects(written(tmp_path, *records), [row], toolbox)
    assert arguments_of(found) == {row.id: [{"total": 21, "heads": 3}]}


def invented(people: object) -> dict[str, object]:
    """As synthesis rejects a value that the request does not say."""
    calls = [{"name": "split_bill", "arguments": {"total": 50, "people": people}}]
    evidence = [
        {"argument": "split_bill.total", "verdict": "said", "words": "50"},
        {"argument": "split_bill.people", "verdict": "missing"},
    ]
    return {"request": "Split 50 between us", "calls": calls, "evidence": evidence}


def test_a_value_that_no_request_said_is_a_wrong_value_for_another_row_once(toolbox: Toolbox, tmp_path: Path):
    rows = split_rows(4)[1:]
    found = answers_of_rejects(written(tmp_path, invented(3), invented(16)), rows, toolbox)
    right = {row.id: row.turns[0][0].arguments for row in rows}
    wrong = {id: arguments for id, (arguments,) in arguments_of(found).items()}
    assert sorted(arguments["people"] for arguments in wrong.values()) == [3, 16], "one row a reject"
    assert all(arguments == right[id] | {"people": arguments["people"]} for id, arguments in wrong.items())
    assert all(arguments["people"] != right[id]["people"] for id, arguments in wrong.items())
    made = pairs(rows, found, toolbox)
    assert len(made.pairs) == 2
    assert [one["reason"] for one in made.refused] == ["no answer to compare with"]


def test_of_a_function_that_was_called_twice_nobody_knows_which_value_was_invented(toolbox: Toolbox, tmp_path: Path):
    twice = invented(16)
    twice["calls"] = [*twice["calls"], {"name": "split_bill", "arguments": {"total": 9, "people": 2}}]  # type: ignore[misc]
    assert answers_of_rejects(written(tmp_path, twice), split_rows(4), toolbox) == {}


def test_a_model_is_asked_for_wrong_answers_once_though_the_training_was_killed(
    toolbox: Toolbox, tmp_path: Path, monkeypatch
):
    rows = split_rows(4)[1:]
    asked: list[str] = []

    def answer(rejected: str, found: TrainingData) -> dict[str, list[ToolCall]]:
        asked.append(rejected)
        return {row.id: [ToolCall.of("split_bill", {"total": len(asked)})] for row in found.train}

    monkeypatch.setattr("lamina.training.rejected.wrong_answers", answer)
    found = TrainingData(rows, [], toolbox, "x")
    first, again = (kept_answers(tmp_path, "weaker", found) for _ in range(2))
    assert asked == ["weaker"]
    assert arguments_of(first) == arguments_of(again) == {row.id: [{"total": 1}] for row in rows}
    assert answers_of_file(tmp_path / KEPT).keys() == first.keys(), "it is a file that --rejected takes"


def test_a_line_that_is_no_answer_is_named(tmp_path: Path):
    file = tmp_path / "answers.jsonl"
    file.write_text('{"id": "a", "calls": []}\n\n{"id": "b"}\n')
    with pytest.raises(InputError, match=r"answers\.jsonl:3: is no answer"):
        answers_of_file(file)


def test_a_reject_whose_calls_are_none_is_no_answer(toolbox: Toolbox, tmp_path: Path):
    row = split_rows(2)[1]
    for calls in ([{"name": "split_bill"}], ["split_bill()"], "split_bill()", [{"name": 3, "arguments": []}]):
        line = json.dumps({"record": {"request": row.request, "calls": calls}})
        (tmp_path / "rejects.jsonl").write_text(line)
        assert answers_of_rejects(tmp_path, [row]) == {}
    for broken in ('{"record"', "[]"):
        (tmp_path / "rejects.jsonl").write_text(f"\n{broken}\n")
        with pytest.raises(InputError, match=r"rejects\.jsonl:2: is no reject"):
            answers_of_rejects(tmp_path, [row])


def test_answers_to_none_of_the_rows_are_said_before_the_base_is_read(toolbox: Toolbox, tmp_path: Path):
    file = tmp_path / "answers.jsonl"
    file.write_text('{"id": "somebody", "calls": []}\n')
    found = TrainingData(split_rows(4), [], toolbox, "x")
    with pytest.raises(InputError, match=r"answers\.jsonl: gives no wrong answer to any of the 4 rows; answers need"):
        kept_answers(tmp_path, str(file), found)
    assert not (tmp_path / KEPT).exists()


def test_answers_in_another_encoding_are_refused_in_one_line(tmp_path: Path):
    file = tmp_path / "answers.jsonl"
    file.write_bytes('{"id": "é", "calls": []}'.encode("latin-1"))
    with pytest.raises(InputError, match=r"answers\.jsonl: not UTF-8 text"):
        answers_of_file(file)


def test_a_run_that_rejected_nothing_is_said_before_the_training(tmp_path: Path):
    Run.open(tmp_path / "run", {"verb": "synth"}).close()
    with pytest.raises(InputError, match=r"holds no rejects\.jsonl to take wrong answers from"):
        check_rejected(str(tmp_path / "run"))


def test_all_weights_are_not_trained_by_preference():
    with pytest.raises(InputError, match="dpo trains adapters"):
        TrainSettings(method="dpo", update="full")
