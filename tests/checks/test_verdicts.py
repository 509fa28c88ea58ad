"""Format, execution, novelty, round trip and judge, each with the reason it gives."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lamina.checks import (
    Candidate,
    Novelty,
    Reason,
    check_execution,
    check_format,
    check_judge,
    check_round_trips,
    labelled_rows,
    measure_agreement,
)
from lamina.models import Model, open_model
from lamina.tools import Tool, Toolbox
from lamina.tools.execution import CallResult
from lamina.trajectories import ToolCall

WALK = Tool(
    "walk",
    "Walk somewhere.",
    {
        "type": "object",
        "properties": {"steps": {"type": "integer", "minimum": 1}},
        "required": ["steps"],
        "additionalProperties": False,
    },
)
TOOLS = Toolbox([WALK])


def candidate(request: str = "walk 3 steps", **arguments: object) -> Candidate:
    calls = [ToolCall.of("walk", arguments or {"steps": 3})]
    return Candidate(request, [calls], "simple", "tester", 0, "2026-01-01T00:00:00")


def scripted(folder: Path, body: str) -> Model:
    file = folder / "script.py"
    file.write_text(f"def reply(messages, tools, seed):\n    {body}\n", encoding="utf-8")
    return open_model(f"scripted:{file}")


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (candidate(request=""), Reason.NO_ANSWER),
        (candidate(request="…"), Reason.NO_ANSWER),
        (candidate(request="walk " * 400), Reason.TOO_LONG),
        (candidate(request="walk\nand walk"), Reason.UNREADABLE),
        (candidate(request="walk \ufffd"), Reason.UNREADABLE),
        (candidate(steps=0), Reason.OUT_OF_RANGE),
        (candidate(steps="3"), Reason.WRONG_TYPE),
        (candidate(steps=3, speed=2), Reason.UNKNOWN_ARGUMENT),
        (candidate(steps="3", speed=2), Reason.UNKNOWN_ARGUMENT),
    ],
)
def test_what_is_no_record_is_rejected_with_its_reason(made: Candidate, reason: Reason) -> None:
    found = check_format(made, TOOLS)
    assert found is not None
    assert found.reason is reason


def test_a_rejection_tells_the_problem_that_its_reason_is_about() -> None:
    schema = {"steps": {"type": "integer"}, "where": {"type": "string"}}
    hike = Tool("hike", "Hike.", {"type": "object", "properties": schema, "required": ["steps", "where"]})
    made = candidate()
    made.turns = [[ToolCall.of("hike", {"steps": "many"})]]
    found = check_format(made, Toolbox([hike]))
    assert found is not None
    assert found.reason is Reason.MISSING_ARGUMENT
    assert "'many'" not in found.detail
    assert '"where"' in found.detail


def test_an_unknown_function_is_rejected() -> None:
    made = candidate()
    made.turns = [[ToolCall.of("fly", {})]]
    found = check_format(made, TOOLS)
    assert found is not None
    assert found.reason is Reason.UNKNOWN_FUNCTION


@pytest.mark.parametrize(
    ("result", "reason"),
    [
        (CallResult(status="raised", error="ValueError: no"), Reason.RAISED),
        (CallResult(status="raised", error="the server answered 404", http_status=404), Reason.HTTP_STATUS),
        (CallResult(status="timed_out", error="too slow"), Reason.TIMED_OUT),
        (CallResult(status="killed", error="memory"), Reason.KILLED),
        (CallResult(status="ok", value={"error": "no such place"}, text="…"), Reason.ERROR_RESULT),
        (CallResult(status="ok", value={"success": False}, text="…"), Reason.ERROR_RESULT),
    ],
)
def test_a_call_that_did_not_work_is_rejected(result: CallResult, reason: Reason) -> None:
    made = candidate()
    made.results = [[result]]
    found = check_execution(made, TOOLS)
    assert found is not None
    assert found.reason is reason


def test_a_result_with_an_empty_error_field_is_a_success() -> None:
    made = candidate()
    made.results = [[CallResult(status="ok", value={"error": None, "steps": 3}, text="…")]]
    assert check_execution(made, TOOLS) is None


def test_the_same_request_counts_once_whatever_its_case_and_commas() -> None:
    novelty = Novelty()
    assert novelty.check(candidate("Walk 3 steps, please")) is None
    found = novelty.check(candidate("walk 3 steps please!"))
    assert found is not None
    assert found.reason is Reason.DUPLICATE


def test_a_sentence_frame_carries_only_so_many_rows() -> None:
    novelty = Novelty(per_frame=2)
    verdicts = []
    for steps in (1, 2, 3):
        made = candidate(f"walk {steps} steps")
        made.template = "walk {steps} steps"
        verdicts.append(novelty.check(made))
    assert [v is None for v in verdicts] == [True, True, False]


def test_the_round_trip_keeps_what_comes_back_the_same(tmp_path: Path) -> None:
    model = scripted(tmp_path, """return '[{"name": "walk", "arguments": {"steps": 3}}]'""")
    verdicts = check_round_trips([candidate(), candidate(steps=4)], model, TOOLS, "baked")
    assert verdicts[0] is None
    assert verdicts[1] is not None
    assert verdicts[1].reason is Reason.ROUND_TRIP_DIFFERS


@pytest.mark.parametrize("answer", ["", "nonsense", '[{"name": "walk"', "[" * 5000, "x" * 1_000_000])
def test_a_round_trip_model_that_answers_nonsense_rejects_and_does_not_crash(tmp_path: Path, answer: str) -> None:
    (tmp_path / "answer.txt").write_text(answer, encoding="utf-8")
    model = scripted(tmp_path, f"return open({str(tmp_path / 'answer.txt')!r}).read()")
    (verdict,) = check_round_trips([candidate()], model, TOOLS, "baked")
    assert verdict is not None


def test_an_unreadable_judgement_is_a_reason_of_its_own_and_never_a_pass(tmp_path: Path) -> None:
    (verdict,) = check_judge([candidate()], scripted(tmp_path, 'return "yes!"'), TOOLS)
    assert verdict is not None
    assert verdict.reason is Reason.JUDGEMENT_UNREADABLE


def test_a_judge_says_why(tmp_path: Path) -> None:
    body = """return '{"thought": "asks nothing", "pass": false, "rule": "objective"}'"""
    (verdict,) = check_judge([candidate()], scripted(tmp_path, body), TOOLS)
    assert verdict is not None
    assert (verdict.reason, verdict.detail) == (Reason.JUDGED_WRONG, "objective: asks nothing")


def test_a_judge_that_always_says_yes_is_near_chance_and_not_usable(tmp_path: Path) -> None:
    agreement = measure_agreement(scripted(tmp_path, """return '{"thought": "", "pass": true, "rule": "none"}'"""))
    assert (agreement.rows, agreement.agreed) == (60, 30)
    assert not agreement.usable


def test_a_judge_that_knows_the_labels_is_usable(tmp_path: Path) -> None:
    right = [r.request for r in labelled_rows() if (r.meta.model_extra or {})["label"] == "right"]
    (tmp_path / "right.json").write_text(json.dumps(right), encoding="utf-8")
    body = (
        f"import json; right = json.load(open({str(tmp_path / 'right.json')!r})); "
        'good = any(f"Request: {r}\\n" in messages[-1]["content"] for r in right); '
        'return json.dumps({"thought": "", "pass": good, "rule": "none" if good else "objective"})'
    )
    agreement = measure_agreement(scripted(tmp_path, body))
    assert agreement.agreed >= 55
    assert agreement.usable


def test_the_labelled_rows_are_sixty_half_of_them_wrong_and_all_well_formed() -> None:
    rows = labelled_rows()
    labels = [(r.meta.model_extra or {})["label"] for r in rows]
    assert (len(rows), labels.count("right"), labels.count("wrong")) == (60, 30, 30)
    assert len({r.id for r in rows}) == 60


def test_a_request_without_a_word_is_quoted_and_not_said_to_be_missing():
    found = check_format(candidate(request="9800 -> 12"), TOOLS)
    assert found is not None
    assert found.detail == "the request '9800 -> 12' has no word"
