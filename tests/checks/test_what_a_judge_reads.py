"""A judge reads what whoever uses the row would see: the tools on offer, the clock, every word, calls and results."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from lamina.checks import Candidate, check_judge, check_round_trips
from lamina.checks.judge import judge_records
from lamina.checks.stepwise import judge_steps
from lamina.data import Checker, Verdict
from lamina.data.model_checks import Said
from lamina.models import Reply
from lamina.models.parsing import parse_calls
from lamina.tools import Tool, Toolbox
from lamina.tools.execution import CallResult
from lamina.trajectories import Check, Message, Meta, ToolCall, Trajectory

SCHEMA = {"type": "object", "properties": {"at": {"type": "string"}, "steps": {"type": "integer"}}}
WALK, SWIM, WAKE = (Tool(name, f"To {name}.", SCHEMA) for name in ("walk", "swim", "wake"))
ALL = Toolbox([WALK, SWIM, WAKE])
NOW = "2026-11-23T10:00:00"
PASS = '{"thought": "fine", "pass": true, "rule": "none"}'


class Listens:
    """Says the same to everything and keeps what it was asked."""

    ref = "listens"

    def __init__(self, answer: str = PASS):
        self.answer, self.asked = answer, []

    @property
    def read(self) -> list[str]:
        return [request.messages[-1].content for request in self.asked]

    def generate(self, requests, on_reply=None):
        self.asked += requests
        calls, problem = parse_calls(self.answer) if self.answer.startswith("[") else ([], None)
        return [Reply(self.answer, calls, problem) for _ in requests]

    def close(self):
        pass


def candidate(request: str, *calls: ToolCall, style: str = "simple", **more) -> Candidate:
    return Candidate(request, [list(calls)], style, "tester", 0, NOW, **more)


def read_of(row: Candidate) -> str:
    judge = Listens()
    check_judge([row], judge, ALL)
    (text,) = judge.read
    return text


def test_a_request_whose_tool_was_withdrawn_is_judged_without_that_tool():
    text = read_of(candidate("swim 3 lanes", style="irrelevant", offered=Toolbox([WALK, WAKE])))
    assert "- walk(at, steps): To walk." in text
    assert "swim(" not in text
    assert "Calls:\n(none" in text


def test_a_call_is_judged_beside_every_tool_that_could_have_been_called_instead():
    text = read_of(candidate("wake me at nine", ToolCall.of("wake", {"at": "nine"})))
    assert all(f"- {tool.name}(" in text for tool in ALL)


def test_no_call_may_also_mean_that_the_request_leaves_a_value_out():
    assert "leaves out a value" in read_of(candidate("wake me", style="missing-argument"))


def test_the_clock_that_dates_refer_to_is_shown_with_its_weekday():
    assert "Now: 2026-11-23T10:00:00 (Monday)\n" in read_of(candidate("wake me tomorrow"))


def conversation() -> Candidate:
    calls = [ToolCall.of("wake", {"at": "nine"}, id="call_1"), ToolCall.of("walk", {"steps": 3}, id="call_2")]
    return Candidate(
        "wake me", [[calls[0]], [calls[1]]], "multi-turn", "tester", 0, NOW,
        results=[[CallResult("ok", "set", '"set"')], [CallResult("ok", "gone", '"gone"')]],
        script=(
            Message(role="user", content="wake me"),
            Message(role="assistant", content="At what time?"),
            Message(role="user", content="at nine"),
            Message(role="assistant", tool_calls=[calls[0]]),
            Message(role="assistant"),
            Message(role="user", content="now walk 3 steps"),
            Message(role="assistant", tool_calls=[calls[1]]),
        ),
    )  # fmt: skip


def test_of_a_conversation_every_word_call_and_result_is_read_in_its_place():
    assert (
        "Conversation:\nUser: wake me\nAssistant: At what time?\nUser: at nine\n"
        'Assistant calls wake({"at": "nine"})\nResult: "set"\n'
        'User: now walk 3 steps\nAssistant calls walk({"steps": 3})\nResult: "gone"\n'
    ) in read_of(conversation())


def test_the_round_trip_of_a_conversation_starts_from_all_that_was_said_before_the_call():
    model = Listens('[{"name": "wake", "arguments": {"at": "nine"}}]')
    (found,) = check_round_trips([conversation()], model, ALL, "full")
    assert found is None
    assert [m.content for m in model.asked[0].messages] == ["wake me", "At what time?", "at nine"]


def test_the_round_trip_offers_the_tools_of_the_row():
    model, offered = Listens("[]"), Toolbox([WALK])
    check_round_trips([candidate("swim", style="irrelevant", offered=offered)], model, ALL, "full")
    assert model.asked[0].tools is offered


def record(*messages: Message, now: str | None = NOW, tools: Toolbox = ALL) -> Trajectory:
    return Trajectory(id="r", tools=tools.as_openai(), messages=list(messages), meta=Meta(now=now))


ASKED = Message(role="user", content="wake me tomorrow at nine")
CALLED = Message(role="assistant", tool_calls=[ToolCall.of("wake", {"at": "tomorrow at nine"})])


@pytest.mark.parametrize(("now", "shown"), [(NOW, f"Now: {NOW} (Monday)"), ("noon", "Now: noon\n"), (None, "")])
def test_records_of_others_are_judged_with_their_tools_and_their_clock(now: str | None, shown: str):
    judge, row = Listens(), record(ASKED, CALLED, now=now)
    judge_records([row], judge, [row.toolbox()])
    assert shown in judge.read[0]
    assert ("Now:" in judge.read[0]) == (now is not None)
    assert "- swim(" in judge.read[0]


def test_what_the_assistant_answered_without_a_call_is_read():
    judge, row = Listens(), record(ASKED, Message(role="assistant", content="At nine in the morning?"))
    judge_records([row], judge, [row.toolbox()])
    assert "Answer: At nine in the morning?" in judge.read[0]


def test_a_step_is_judged_with_the_tools_on_offer_and_the_clock():
    judge, row = Listens(), record(ASKED, CALLED, Message(role="user", content="thanks"))
    judge_steps([row], judge, [row.toolbox()])
    assert "- swim(" in judge.read[0]
    assert "Now: 2026-11-23T10:00:00 (Monday)" in judge.read[0]


class Offered:
    """Keeps which tools a record is judged beside."""

    stage, agreements = "judge", {}

    def check(self, records, toolboxes):
        self.names = [box.names for box in toolboxes]
        return [Said(Check(name="judge")) for _ in records]


def test_whoever_runs_the_calls_may_have_more_tools_than_the_record_offers():
    records = [record(ASKED, CALLED, tools=Toolbox([WAKE])), record(ASKED, CALLED, tools=Toolbox([]))]
    offered = Offered()
    Checker(SimpleNamespace(toolbox=ALL)).by_model(offered, [Verdict(one, one) for one in records])
    assert offered.names == [["wake"], ALL.names]
