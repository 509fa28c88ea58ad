"""A number that is too large to reckon with is a value like another: said or not said, and no crash."""

from __future__ import annotations

from lamina.checks.evidence import evidence_of
from lamina.checks.hallucination import ungrounded
from lamina.checks.unanswered import unanswered
from lamina.tools import Tool, Toolbox
from lamina.trajectories import Message, Meta, ToolCall, Trajectory, compare_calls

HUGE = 10**400
WATER = Toolbox(
    [Tool("water", "Water plants.", {"type": "object", "properties": {"liters": {"type": "integer"}}, "required": []})]
)


def call(liters: int) -> ToolCall:
    return ToolCall.of("water", {"liters": liters})


def row(request: str, *liters: int) -> Trajectory:
    messages = [Message(role="user", content=request), Message(role="assistant", tool_calls=[*map(call, liters)])]
    return Trajectory(id="1", tools=WATER.as_openai(), messages=messages, meta=Meta(source="t"))


def test_a_number_that_no_float_holds_is_traced_like_any_other():
    assert [e.verdict for e in evidence_of("water 3 liters", [call(HUGE)], WATER)] == ["missing"]
    assert [e.verdict for e in evidence_of("water 3 liters", [call(3)], WATER)] == ["said"]


def test_a_foreign_row_with_one_is_judged():
    assert len(ungrounded(row("water 3 liters", HUGE), WATER)) == 1
    assert ungrounded(row(f"water {HUGE} liters", HUGE), WATER) == []
    assert compare_calls([call(HUGE)], [call(HUGE)], WATER).exact
    assert not compare_calls([ToolCall.of("water", {"liters": 1.5})], [call(HUGE)], WATER).exact
    assert unanswered("water 3 liters, and then 4", [call(3), call(-HUGE)], WATER) is None
