"""A date that only the clock tells is no lesson for a model whose prompt has no clock."""

from __future__ import annotations

from typing import Any

import pytest

from lamina.checks import Candidate, Reason, check_needs_clock
from lamina.synth.rules import check_alone
from lamina.tools import PythonTarget, Tool, Toolbox
from lamina.tools.execution import CallResult
from lamina.trajectories import Message, ToolCall

NOW = "2026-11-23T10:00:00"
DAY = {"type": "string", "format": "date", "description": "The day."}
PROPERTIES = {
    "day": DAY,
    "at": {"type": "string", "format": "date-time"},
    "time": {"type": "string", "format": "time"},
    "when": {"type": "string", "description": "The day, as the user says it."},
    "days": {"type": "array", "items": DAY},
}
TOOLS = Toolbox(
    [
        Tool(
            "book",
            "Book a table.",
            {"type": "object", "properties": PROPERTIES, "required": []},
            PythonTarget("x.py", "book"),
        )
    ]
)


def candidate(request: str, arguments: dict[str, Any], **more: Any) -> Candidate:
    result = CallResult("ok", True, "true")
    return Candidate(
        request, [[ToolCall.of("book", arguments)]], "simple", "examples", 0, NOW, results=[[result]], **more
    )


@pytest.mark.parametrize(
    ("request_", "arguments"),
    [
        ("book a table for tomorrow", {"day": "2026-11-24"}),
        ("book a table for next friday", {"day": "2026-12-04"}),
        ("book a table on December 1", {"day": "2026-12-01"}),
        ("book a table on the 24th", {"day": "2026-11-24"}),
        ("a table tomorrow at 9 am, please", {"at": "2026-11-24T09:00:00"}),
        ("book a table in 20 minutes", {"time": "10:20"}),
        ("tables for tomorrow please", {"days": ["2026-11-24"]}),
    ],
)
def test_a_date_that_is_another_on_another_day_needs_the_clock(request_: str, arguments: dict[str, Any]):
    found = check_needs_clock(candidate(request_, arguments), TOOLS)
    assert found is not None
    assert found.reason == Reason.NEEDS_CLOCK
    assert found.reason.value == "needs-clock"
    assert "let the function take the day as it is said" in found.detail


@pytest.mark.parametrize(
    ("request_", "arguments"),
    [
        ("book a table on 2026-11-24", {"day": "2026-11-24"}),
        ("book a table on 24 November 2026", {"day": "2026-11-24"}),
        ("book a table on December 1, 2026", {"day": "2026-12-01"}),
        ("book a table tomorrow, that is 24 November 2026", {"day": "2026-11-24"}),
        ("a table on 24 November 2026 at 9 am", {"at": "2026-11-24T09:00:00"}),
        ("book a table at half past seven", {"time": "19:30"}),
        ("book a table at 9 am", {"time": "09:00"}),
        ("book a table for tomorrow", {"when": "tomorrow"}),
        ("book a table tomorrow at nine", {"when": "tomorrow at 9"}),
        ("book a table today at 5 pm", {"when": "5 pm"}),
        ("book a table for friday", {"when": "this friday"}),
    ],
)
def test_what_follows_from_the_words_on_any_day_does_not(request_: str, arguments: dict[str, Any]):
    assert check_needs_clock(candidate(request_, arguments), TOOLS) is None


def test_what_is_not_said_at_all_is_the_business_of_grounding():
    assert check_needs_clock(candidate("book a table", {"day": "2026-11-24"}), TOOLS) is None


def test_a_row_whose_system_message_states_the_day_is_fine():
    asked = candidate("", {"day": "2026-11-24"})
    call = Message(role="assistant", tool_calls=asked.calls)
    user = Message(role="user", content="book a table for tomorrow")
    asked.script = (user, call)
    assert check_needs_clock(asked, TOOLS) is not None
    for told in ("Today is 2026-11-23.", "It is Monday, November 23, 2026, 10:00."):
        asked.script = (Message(role="system", content=told), user, call)
        assert check_needs_clock(asked, TOOLS) is None
    asked.script = (Message(role="system", content="You book tables."), user, call)
    assert check_needs_clock(asked, TOOLS) is not None


def test_a_day_that_a_result_said_before_is_known():
    first, second = ToolCall.of("book", {"when": "tomorrow"}), ToolCall.of("book", {"day": "2026-11-24"})
    row = candidate("book a table for tomorrow, then book it again", {})
    row.turns, row.style = [[first], [second]], "dependent"
    row.results = [[CallResult("ok", "2026-11-24", '"2026-11-24"')], [CallResult("ok", True, "true")]]
    assert check_needs_clock(row, TOOLS) is None
    row.results[0] = [CallResult("ok", True, "true")]
    assert check_needs_clock(row, TOOLS) is not None


@pytest.mark.parametrize(
    ("clock", "result", "known"),
    [
        (("get_current_date", "Tell the date."), '{"date":"2026-11-23","zone":"UTC"}', True),
        (("getDate", "The date."), '"2026-11-23"', True),
        (("get_date", "The date."), '"Monday, November 23, 2026"', True),
        (("calendar", "What day it is today. Nothing else."), '"2026-11-23T10:00:00"', True),
        (("get_current_date", "Tell the date."), '"2026-11-22"', False),
        (("get_current_date", "Tell the date."), '{"error": "no clock"}', False),
        (("list_events", "List the events."), '[{"date": "2026-11-23"}]', False),
        (("update_event", "Move an event."), '"2026-11-23"', False),
    ],
)
def test_a_day_that_a_tool_told_before_the_call_is_enough(clock: tuple[str, str], result: str, known: bool):
    toolbox = Toolbox([*TOOLS, Tool(*clock, {"type": "object", "properties": {}})])
    row = candidate("book a table for tomorrow", {})
    asked, booked = ToolCall.of(clock[0], {}), ToolCall.of("book", {"day": "2026-11-24"})
    told, done = CallResult("ok", True, result), CallResult("ok", True, "true")
    row.style = "dependent"
    row.turns, row.results = [[asked], [booked]], [[told], [done]]
    assert (check_needs_clock(row, toolbox) is None) is known
    row.turns, row.results = [[booked], [asked]], [[done], [told]]
    assert check_needs_clock(row, toolbox) is not None
    row.turns, row.results = [[asked, booked]], [[told, done]]
    assert check_needs_clock(row, toolbox) is not None


@pytest.mark.parametrize("writer", ["examples", "grammar", "a model"])
def test_synthesis_asks_it_of_every_row_whoever_wrote_it(writer: str):
    row = candidate("please book a table for tomorrow", {"day": "2026-11-24"})
    row.writer = writer
    found = check_alone(row, TOOLS, grounded=writer != "examples")
    assert found is not None
    assert found.reason == Reason.NEEDS_CLOCK
