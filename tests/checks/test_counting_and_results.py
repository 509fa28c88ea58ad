"""The number of calls against the style, results that are errors, votes of a judge."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lamina.checks import Candidate, Reason, check_judge
from lamina.checks.counting import check_count, check_recorded_count, check_recorded_request, check_style
from lamina.checks.recorded_results import check_recorded_results
from lamina.checks.unanswered import unanswered
from lamina.models import open_model
from lamina.tools import Tool, Toolbox
from lamina.trajectories import Message, Meta, ToolCall, Trajectory

BOX = Toolbox([Tool("walk", "Walk.", {"type": "object", "properties": {"steps": {"type": "integer"}}})])
CALL = ToolCall.of("walk", {"steps": 3})


@pytest.mark.parametrize(
    ("style", "calls", "right"),
    [("simple", 1, True), ("simple", 2, False), ("multiple", 0, False), ("parallel", 1, False), ("parallel", 3, True),
     ("irrelevant", 0, True), ("irrelevant", 1, False), ("dependent", 5, True)],
)  # fmt: skip
def test_a_style_says_how_many_calls_there_are(style: str, calls: int, right: bool) -> None:
    found = check_count(style, [[CALL] * calls])
    assert (found is None) == right
    assert found is None or found.reason is Reason.WRONG_CALL_COUNT


def test_a_record_keeps_how_many_calls_it_was_written_for_and_is_held_to_them() -> None:
    calls = [ToolCall.of("walk", {"steps": n}) for n in (1, 2, 3)]

    def record(made: list[ToolCall], expected: object) -> Trajectory:
        said = [Message(role="user", content="walk 1, 2 and 3"), Message(role="assistant", tool_calls=made)]
        return Trajectory(id="1", messages=said, meta=Meta(style="parallel", expected_calls=expected))  # type: ignore[call-arg]

    assert check_recorded_count(record(calls, 3)) is None
    found = check_recorded_count(record(calls[:2], 3))
    assert found is not None
    assert found.reason is Reason.WRONG_CALL_COUNT
    for nothing in (0, None, "three", True):
        assert check_recorded_count(record(calls[:2], nothing)) is None


COAT = {"colour": {"type": "string"}, "coats": {"type": "integer", "default": 1}}
TWO = Toolbox([*BOX, Tool("paint", "Paint.", {"type": "object", "properties": COAT, "required": ["colour"]})])
RED, BLUE = ToolCall.of("paint", {"colour": "red"}), ToolCall.of("paint", {"colour": "blue"})
RED_SAID = ToolCall.of("paint", {"colour": "red", "coats": 1})


@pytest.mark.parametrize(
    ("style", "calls", "reason"),
    [
        ("parallel", [RED, BLUE], None),
        ("parallel", [RED, CALL], Reason.WRONG_STYLE),
        ("parallel-multiple", [RED, CALL], None),
        ("parallel-multiple", [RED, BLUE], Reason.WRONG_STYLE),
        ("parallel", [RED, RED], Reason.REPEATED_STEP),
        ("parallel", [RED, RED_SAID], Reason.REPEATED_STEP),
        ("parallel-multiple", [CALL, RED, CALL], Reason.REPEATED_STEP),
        ("simple", [], Reason.WRONG_CALL_COUNT),
    ],
)
def test_calls_are_of_the_style_that_was_asked_for_and_none_is_made_twice(
    style: str, calls: list[ToolCall], reason: Reason | None
) -> None:
    found = check_style(style, [calls], TWO, "2026-01-01T00:00:00")
    assert (found and found.reason) == reason


@pytest.mark.parametrize(
    "content", ['{"error": "no key"}', '"Error: connection refused"', '{"isError": true}', '{"success": false}']
)
def test_a_record_that_ends_on_an_error_is_rejected_one_that_answers_it_is_not(content: str) -> None:
    messages = [
        Message(role="user", content="walk"),
        Message(role="assistant", tool_calls=[CALL]),
        Message(role="tool", name="walk", content=content),
    ]
    found = check_recorded_results(Trajectory(id="1", messages=messages), BOX)
    assert found is not None
    assert found.reason is Reason.ERROR_RESULT
    answered = [*messages, Message(role="assistant", content="It did not work; shall I try again?")]
    assert check_recorded_results(Trajectory(id="1", messages=answered), BOX) is None


def judged(folder: Path, answers: list[str], needed: int) -> tuple[Candidate, Reason | None, str]:
    file = folder / "script.py"
    file.write_text(f"def reply(messages, tools, seed):\n    return {answers!r}[seed]\n", encoding="utf-8")
    row = Candidate("walk 3 steps", [[CALL]], "simple", "tester", 0, "2026-01-01T00:00:00")
    (found,) = check_judge([row], open_model(f"scripted:{file}"), BOX, votes=len(answers), needed=needed)
    return row, found.reason if found else None, found.detail if found else ""


YES = json.dumps({"thought": "fine", "pass": True, "rule": "none"})
NO = json.dumps({"thought": "too few", "pass": False, "rule": "count"})


def test_votes_are_counted_and_the_rule_is_named(tmp_path: Path) -> None:
    assert judged(tmp_path, [YES, NO, YES], 2)[1] is None
    _, reason, detail = judged(tmp_path, [YES, NO, NO], 2)
    assert (reason, detail) == (Reason.JUDGED_WRONG, "count: too few (2 of 3)")


@pytest.mark.parametrize(
    "answer",
    [
        "", "[]", '{"pass": "yes"}', '{"pass": true, "rule": "count"}', '{"pass": tr', '{"pass": true}', "[" * 3000,
        '{"thought": ' + "[" * 3000, '{"thought": "so", "pass": false, "pass": true, "rule": "none"}',
        '{"thought": "so", "pass": true}', '{"thought": "so", "pass": true, "rule": ["none"]}',
    ],
)  # fmt: skip
def test_what_is_no_verdict_never_counts_as_a_pass(tmp_path: Path, answer: str) -> None:
    assert judged(tmp_path, [answer, answer], 1)[1] is Reason.JUDGEMENT_UNREADABLE


PLACES = Toolbox([
    Tool("get_weather", "Weather.", {"type": "object", "properties": {"city": {"type": "string"}}}),
    Tool("convert", "Convert.", {"type": "object", "properties": {"amount": {"type": "number"}}}),
    Tool("getPatientProfile", "Look.", {"type": "object", "properties": {"patient_id": {"type": "string"}}}),
    Tool("paint", "Paint.", {"type": "object", "properties": {"colour": {"type": "string"}}}),
])  # fmt: skip


def made(name: str, *values: object) -> list[ToolCall]:
    (argument,) = PLACES[name].properties
    return [ToolCall.of(name, {argument: value}) for value in values]


@pytest.mark.parametrize(
    ("request_", "calls", "left"),
    [
        ("Weather in Paris, Rome and Oslo?", made("get_weather", "Paris", "Oslo"), "Rome"),
        ("Weather for Ana Lima, for Ben Roe and for Cleo Ash", made("get_weather", "Ana Lima", "Ben Roe"), "Cleo Ash"),
        ("5, 7 and 9 miles in km", made("convert", 5, 9.0), "'7'"),
        ("Paint it navy, purple and maroon?", made("paint", "navy", "purple"), "maroon"),
        (
            "First, the weather in Paris. Then convert 5. Finally, paint it red.",
            [*made("get_weather", "Paris"), *made("convert", 5)],
            "3 steps (first, then, finally), the answer 2 calls",
        ),
        (
            "Weather in Paris and Rome. Finally, retrieve the chart of the horse.",
            made("get_weather", "Paris", "Rome"),
            "the chart of the horse",
        ),
        (
            "The weather in Paris and Rome. Also, I need whoever has the ID AaBbCc123.",
            made("get_weather", "Paris", "Rome"),
            "AaBbCc123",
        ),
    ],
)
def test_a_request_that_counts_more_than_the_calls_names_what_is_left(request_: str, calls: list[ToolCall], left: str):
    assert left in (unanswered(request_, calls, PLACES) or "")


@pytest.mark.parametrize(
    ("request_", "calls"),
    [
        ("Weather in Paris, Rome and Oslo?", made("get_weather", "Paris", "Rome", "Oslo")),
        ("Check Paris, Rome and Oslo", made("get_weather", "Paris", "Rome", "Oslo")),
        ("Weather in Paris, France and New York, USA", made("get_weather", "Paris", "New York")),
        ("Two colours, red and blue, and can you hurry?", made("paint", "red", "blue")),
        ("Weather in Paris and then in Rome. Once you have it, tell me.", made("get_weather", "Paris", "Rome")),
        ("First the weather in Paris. Then in Rome. Also, tell me why.", made("get_weather", "Paris", "Rome")),
        ("I have the ID AaBbCc123 and was born in 1987. Weather in Paris?", made("get_weather", "Paris")),
        ("Weather in Paris and Rome. The key is 'NaN', by the way.", made("get_weather", "Paris", "Rome")),
        ('"Can you say how warm it is in Paris, and in the capital?"', made("get_weather", "Paris", "Rome")),
        ("Could you invest $20,000 and check the discounts?", [ToolCall.of("invest", {}), ToolCall.of("check", {})]),
    ],
)
def test_a_request_that_only_says_more_is_left_in_peace(request_: str, calls: list[ToolCall]):
    assert unanswered(request_, calls, PLACES) is None


def test_a_record_whose_calls_are_fewer_than_its_request_lists_is_rejected():
    answer = Message(role="assistant", tool_calls=made("get_weather", "Paris", "Oslo"))
    asked = Message(role="user", content="Weather in Paris, Rome and Oslo?")
    found = check_recorded_request(Trajectory(id="1", messages=[asked, answer]), PLACES)
    assert found is not None
    assert found.reason is Reason.REQUEST_SAYS_MORE
    goes_on = [asked, answer, Message(role="assistant", tool_calls=made("get_weather", "Rome"))]
    assert check_recorded_request(Trajectory(id="1", messages=goes_on), PLACES) is None
