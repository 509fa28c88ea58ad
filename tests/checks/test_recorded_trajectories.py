"""Rules over recorded trajectories: what rejects, what is mended, and what is left in peace."""

from __future__ import annotations

from typing import Any

import pytest

from lamina.checks.arguments import cast_arguments, check_arguments, check_call
from lamina.checks.hallucination import ungrounded
from lamina.checks.reasoning import check_reasoning
from lamina.checks.steps import check_steps
from lamina.checks.turns import check_turns
from lamina.tools import Tool, Toolbox
from lamina.trajectories import Message, Meta, ToolCall, Trajectory

PROPERTIES: dict[str, Any] = {
    "city": {"type": "string"},
    "days": {"type": "integer"},
    "share": {"type": "number"},
    "loud": {"type": "boolean"},
    "tags": {"type": "array", "items": {"type": "integer"}},
    "where": {"type": "object", "properties": {"lat": {"type": "number"}}},
    "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]},
    "either": {"type": ["string", "integer"]},
    "maybe": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
}


def tool(name: str, properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
    parameters = {"type": "object", "properties": properties, "required": required}
    return {"type": "function", "function": {"name": name, "description": "d", "parameters": parameters}}


TOOLS = [tool("look", PROPERTIES, ["city"]), tool("ping", {}, []), tool("stop", {}, [])]
BOX = Toolbox.from_openai(TOOLS)


def record(*messages: Message, request: str = "weather in Oslo", now: str | None = None) -> Trajectory:
    spoken = [Message(role="user", content=request), *messages]
    return Trajectory(id="t", tools=TOOLS, messages=spoken, meta=Meta(now=now))


def calls(*made: tuple[str, dict[str, Any]], thought: str = "", ids: bool = False) -> Message:
    found = [ToolCall.of(name, arguments, f"c{i}" if ids else None) for i, (name, arguments) in enumerate(made)]
    return Message(role="assistant", content=thought, tool_calls=found)


def look(**arguments: Any) -> Message:
    return calls(("look", {"city": "Oslo", **arguments}))


def result(text: str, id: str | None = None) -> Message:
    return Message(role="tool", content=text, tool_call_id=id)


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (calls(("fly", {})), "unknown-function"),
        (look(colour="red"), "unknown-argument"),
        (calls(("look", {"days": 2})), "missing-argument"),
        (look(days="soon"), "wrong-type"),
        (look(tags=["x"]), "wrong-type"),
        (look(unit="kelvin"), "not-in-enum"),
    ],
)
def test_a_call_that_its_tool_does_not_take_is_rejected_with_its_reason(message: Message, reason: str):
    found = check_arguments(record(message), BOX)
    assert found is not None
    assert found.reason == reason


def test_a_record_without_tools_has_a_reason_of_its_own():
    found = check_arguments(record(look()), Toolbox([]))
    assert found is not None
    assert found.reason == "no-tools"


def test_a_tool_whose_parameters_are_no_schema_is_told():
    broken = Toolbox.from_openai([tool("look", {"city": {"type": "string", "minLength": "x"}}, [])])
    found = check_arguments(record(look()), broken)
    assert found is not None
    assert found.reason == "bad-tool"


@pytest.mark.parametrize(
    ("name", "given", "mended"),
    [
        ("days", "5", 5), ("days", "5.0", 5), ("days", " -3 ", -3), ("share", "2.50", 2.5), ("share", "7", 7),
        ("loud", "True", True), ("loud", "false", False), ("tags", "[1, 2]", [1, 2]), ("tags", "(1, 2)", [1, 2]),
        ("tags", ["1", 2], [1, 2]), ("where", '{"lat": "3.5"}', {"lat": 3.5}), ("where", "{'lat': 1}", {"lat": 1}),
        ("unit", "Celsius", "celsius"), ("city", 90210, "90210"), ("maybe", "4", 4),
    ],
)  # fmt: skip
def test_a_value_with_one_reading_is_cast_and_that_is_recorded(name: str, given: Any, mended: Any):
    before = record(look(**{name: given}))
    after, changes = cast_arguments(before, BOX)
    assert after.calls[0].arguments[name] == mended
    assert type(after.calls[0].arguments[name]) is type(mended)
    assert before.calls[0].arguments[name] == given
    assert changes
    assert all(change.startswith(f"look.{name}") for change in changes)
    assert check_arguments(after, BOX) is None


@pytest.mark.parametrize(
    ("name", "given"),
    [("days", "five"), ("days", "5.5"), ("days", 5.5), ("days", "1e3"), ("days", True), ("loud", "yes"), ("loud", 1),
     ("tags", "1, 2"), ("tags", 3), ("tags", "[1, 2"), ("where", "[1]"), ("unit", "C"),
     ("city", ["Oslo"]), ("city", True),
     ("days", "1" * 40)],
)  # fmt: skip
def test_a_value_that_could_mean_several_things_is_left_and_rejected(name: str, given: Any):
    before = record(look(**{name: given}))
    after, changes = cast_arguments(before, BOX)
    assert after is before
    assert changes == []
    assert check_arguments(after, BOX) is not None


def test_a_value_that_fits_is_never_touched():
    before = record(look(either="5", share=1, maybe=None))
    assert cast_arguments(before, BOX) == (before, [])


def test_null_and_empty_text_where_nothing_is_needed_are_left_out():
    after, changes = cast_arguments(record(look(days=None, unit="")), BOX)
    assert after.calls[0].arguments == {"city": "Oslo"}
    assert changes == ["look.days: null left out", "look.unit: empty text left out"]


@pytest.mark.parametrize("reference", ["$var1.count$", "${count from ping}", "c0"])
def test_a_reference_to_an_earlier_result_may_stand_for_any_type(reference: str):
    nested = calls(("ping", {}), ("look", {"city": reference, "days": reference}), ids=True)
    assert check_arguments(record(nested), BOX) is None
    assert ungrounded(record(nested), BOX) == []
    assert check_arguments(record(calls(("ping", {}), ("look", {"days": reference}), ids=True)), BOX) is not None


@pytest.mark.parametrize(
    ("messages", "reason"),
    [
        ([Message(role="assistant", content="hi")], "no-request"),
        ([Message(role="user", content="hi")], "no-answer"),
        (
            [Message(role="tool", content="3"), Message(role="user", content="a"), Message(role="assistant")],
            "broken-order",
        ),
        ([Message(role="user", content="a"), Message(role="assistant", content="b"), result("3")], "broken-order"),
        ([Message(role="user", content="a"), look(), result("3"), result("4")], "broken-order"),
        ([Message(role="user", content="a"), calls(("ping", {}), ids=True), result("3", "c9")], "broken-order"),
        ([Message(role="user", content="a"), look(), Message(role="user", content="b"), result("3")], "broken-order"),
    ],
)
def test_what_cannot_have_happened_in_this_order_is_rejected(messages: list[Message], reason: str):
    found = check_turns(Trajectory(id="t", messages=messages))
    assert found is not None
    assert found.reason == reason


def test_calls_without_results_and_results_in_another_order_are_fine():
    two = calls(("ping", {}), ("stop", {}), ids=True)
    assert check_turns(record(look())) is None
    assert (
        check_turns(record(two, result("b", "c1"), result("a", "c0"), Message(role="assistant", content="ok"))) is None
    )


def test_going_round_in_circles_is_rejected():
    again = check_steps(record(look(), result("3"), look(), result("3")))
    assert again is not None
    assert again.reason == "repeated-step"
    twice = check_steps(record(calls(("ping", {}), ("ping", {}))))
    assert twice is not None
    assert twice.reason == "repeated-step"
    ping, stop = calls(("ping", {})), calls(("stop", {}))
    loop = [ping, result("1"), stop, result("2"), ping, result("3"), stop, result("4"), ping, result("5")]
    found = check_steps(record(*loop))
    assert found is not None
    assert found.reason == "repeated-step"


def test_a_call_that_takes_nothing_may_be_made_as_often_as_the_request_says():
    three = calls(("ping", {}), ("ping", {}), ("ping", {}))
    assert check_steps(record(three, request="three pings, please")) is None
    assert check_steps(record(three, request="two pings, please")) is not None
    looks = calls(("look", {"city": "Oslo"}), ("look", {"city": "Oslo"}))
    assert check_steps(record(looks, request="look at Oslo, two times")) is not None


def test_the_same_call_for_another_request_or_with_another_result_is_fine():
    assert (
        check_steps(record(look(), result("3"), Message(role="user", content="and now?"), look(), result("3"))) is None
    )
    assert check_steps(record(look(), result("pending"), look(), result("done"))) is None


@pytest.mark.parametrize("error", ['{"error": "no such city"}', "Exception: no such city", '{"success": false}'])
def test_a_failed_call_made_again_as_it_was_ignores_what_came_back(error: str):
    found = check_steps(record(look(), result(error), look(), result("3")))
    assert found is not None
    assert found.reason == "ignored-observation"
    assert check_steps(record(look(), result(error), look(days=2), result("3"))) is None


@pytest.mark.parametrize(
    "thought",
    ["I need the weather so I will ask for it now. " * 5, "we go " * 300, "so\ufffdme thing",
     "I will call stop to end this."],
)  # fmt: skip
def test_a_thought_that_is_none_is_rejected(thought: str):
    found = check_reasoning(record(calls(("ping", {}), thought=thought)), BOX)
    assert found is not None
    assert found.reason == "poor-reasoning"


@pytest.mark.parametrize(
    "thought",
    ["I will call ping.", "I will call the fire brigade.", "First I should use stop, then I will call ping.", "", "ok"],
)
def test_an_ordinary_thought_passes(thought: str):
    assert check_reasoning(record(calls(("ping", {}), thought=thought)), BOX) is None


@pytest.mark.parametrize(
    ("request_", "arguments"),
    [
        ("weather in Oslo for 3 days", {"city": "Oslo", "days": 3}),
        ("weather in Oslo for three days", {"city": "Oslo", "days": 3}),
        ("the third day in Oslo", {"city": "Oslo", "days": 3}),
        ("oslo, norway please: 15%", {"city": "Oslo", "share": 0.15}),
        ("flights from 2021, and of the previous year, Oslo", {"city": "Oslo", "days": 2020}),
        ("how is Germany's capital", {"city": "DE"}),
        ("大阪の天気", {"city": "大阪市"}),
        ("weather in São Paulo", {"city": "Sao Paulo"}),
        ("Apple's weather", {"city": "AAPL"}),
        ("the weather in San Diego", {"city": "SD"}),
        ("Oslo, in kilowatt hours", {"city": "kWh"}),
        ("Oslo once, please", {"city": "Oslo", "days": 1}),
        ("how cold is Oslo", {"city": "Oslo", "unit": "celsius"}),
        ("is it on in Oslo", {"city": "Oslo", "loud": True, "days": 1}),
        ("Oslo in Fahrenheit", {"city": "Oslo", "unit": "fahrenheit"}),
    ],
)
def test_a_value_that_something_said_accounts_for_is_grounded(request_: str, arguments: dict[str, Any]):
    assert ungrounded(record(calls(("look", arguments)), request=request_), BOX) == []


@pytest.mark.parametrize(
    "arguments",
    [{"city": "Bergen"}, {"city": "Oslo", "days": 7}, {"city": "Oslo", "share": 40.7128}, {"city": "QX-8841"},
     {"city": "2022-04-15"}, {"city": "Paris"}, {"city": "Rome"}, {"city": "大阪"}, {"city": "Zürich"},
     {"city": "XYZ"}, {"city": "rat"},
     {"city": "Oslo", "share": 0.3}, {"city": "Oslo", "days": 1}, {"city": "#FF0000"}],
)  # fmt: skip
def test_a_value_out_of_nowhere_is_told(arguments: dict[str, Any]):
    found = ungrounded(record(calls(("look", arguments)), request="weather in Oslo tomorrow"), BOX)
    assert len(found) == 1
    assert "is in no request and no result before it" in found[0]


@pytest.mark.parametrize(
    ("said", "arguments"),
    [
        ("near longitude -122.4194. Then stop", {"city": "Oslo", "share": -122.4194}),
        ("the fourth quarter in Oslo", {"city": "Q4"}),
        ("five nights from October 15th", {"city": "2022-10-20"}),
        ("a white background", {"city": "#FFFFFF"}),
        ("is she well?", {"city": "female"}),
    ],
)
def test_what_is_said_in_another_way_is_said(said: str, arguments: dict[str, Any]):
    request = f"weather in Oslo, {said}"
    assert ungrounded(record(calls(("look", arguments)), request=request), BOX) == []


@pytest.mark.parametrize("value", ["Q3", "2022-10-21"])
def test_and_what_is_not_said_even_so_is_told(value: str):
    request = "weather in Oslo, the fourth quarter, five nights from October 15th"
    assert len(ungrounded(record(calls(("look", {"city": value})), request=request), BOX)) == 1


def test_earlier_results_account_for_values_and_a_clock_for_dates():
    later = [calls(("ping", {})), result('{"city": "Bergen"}'), calls(("look", {"city": "Bergen"}))]
    assert ungrounded(record(*later), BOX) == []
    assert ungrounded(record(*reversed(later)), BOX) != []


CLOCK = "2022-04-14T09:00:00"


@pytest.mark.parametrize(
    ("request_", "day"),
    [("tomorrow", "2022-04-15"), ("on the 3rd of May", "2022-05-03"), ("sometime next week", "2022-04-20"),
     ("at 2022-06-01", "2022-06-01T10:00:00"), ("weather please", "2022-04-14"),
     ("the last day of May", "2022-05-31"), ("the end of May", "2022-05-31")],
)  # fmt: skip
def test_a_clock_accounts_for_the_days_that_words_mean(request_: str, day: str):
    assert ungrounded(record(calls(("look", {"city": day})), request=request_, now=CLOCK), BOX) == []


@pytest.mark.parametrize(
    ("request_", "day"),
    [("tomorrow", "1999-05-05"), ("weather please", "2022-04-15"), ("on the 3rd", "2022-09-03")],
)  # fmt: skip
def test_a_clock_accounts_for_no_other_day(request_: str, day: str):
    assert len(ungrounded(record(calls(("look", {"city": day})), request=request_, now=CLOCK), BOX)) == 1


def test_a_choice_against_the_one_that_was_named_is_told():
    chosen = look(unit="celsius")
    assert len(ungrounded(record(chosen, request="Oslo in Fahrenheit"), BOX)) == 1
    assert ungrounded(record(chosen, request="Oslo in Celsius, not Fahrenheit"), BOX) == []


LIMITS: dict[str, Any] = {
    "unit": {"type": "string", "enum": ["c", "f"]},
    "always": {"const": 1},
    "day": {"type": "string", "format": "date"},
    "share": {"type": "number", "minimum": 0, "exclusiveMaximum": 1},
    "pair": {"type": "array", "maxItems": 2},
    "code": {"type": "string", "pattern": "^[A-Z]+$"},
    "either": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
}


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"unit": "k"}, "not-in-enum"),
        ({"always": 2}, "not-in-enum"),
        ({"day": "someday"}, "bad-format"),
        ({"share": -1}, "out-of-range"),
        ({"share": 1}, "out-of-range"),
        ({"pair": [1, 2, 3]}, "out-of-range"),
        ({"code": "abc"}, "no-match"),
        ({"unit": 3}, "wrong-type"),
        ({"share": "half"}, "wrong-type"),
        ({"either": "x"}, "bad-arguments"),
    ],
)
def test_the_rule_of_the_schema_that_a_value_breaks_has_a_code_of_its_own(arguments: dict[str, Any], reason: str):
    box = Toolbox([Tool("set", "Sets.", {"type": "object", "properties": LIMITS, "required": []})])
    found = check_call(ToolCall.of("set", arguments), box)
    assert found is not None
    assert (found.stage, found.reason) == ("format", reason)
