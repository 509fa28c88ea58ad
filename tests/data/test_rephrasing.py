"""A rephrasing is kept only if a model still calls right under it, and nothing that a call needs is gone."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from lamina.data.rephrasing import Rephraser, instruction_of
from lamina.models import Reply
from lamina.trajectories import Message, ToolCall, Trajectory

TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
CALL = ToolCall.of("get_weather", {"city": "Bergen"})


class Says:
    """A model whose answers are a function of the last message."""

    ref = "says"

    def __init__(self, answer: Callable[[str], Reply]):
        self.answer, self.asked = answer, 0

    def generate(self, requests, on_reply=None):
        self.asked += len(requests)
        return [self.answer(request.messages[-1].content) for request in requests]

    def close(self):
        pass


def writes(text: str) -> Says:
    return Says(lambda before: Reply(json.dumps({"rewritten": text})))


def calls(*made: ToolCall) -> Says:
    return Says(lambda request: Reply(json.dumps([c.name for c in made]), calls=list(made)))


def record(*before: Message) -> Trajectory:
    said = before or (Message(role="user", content="What's the weather in Bergen?"),)
    return Trajectory(id="t", tools=[TOOL], messages=[*said, Message(role="assistant", tool_calls=[CALL])])


def test_a_rephrasing_under_which_the_call_is_still_made_is_kept_with_its_origin():
    rephraser = Rephraser(writes("Tell me how the sky over Bergen looks."), calls(CALL))
    (copy,) = rephraser.copies([record()])
    assert copy is not None
    assert copy.request == "Tell me how the sky over Bergen looks."
    assert copy.calls == record().calls
    assert copy.meta.group == "t"
    assert copy.meta.model_extra["rephrased"]["from"] == "What's the weather in Bergen?"
    assert rephraser.outcomes == {"kept": 1}


@pytest.mark.parametrize(
    ("text", "made", "outcome"),
    [
        ("Tell me how the sky over Bergen looks.", [ToolCall.of("get_weather", {"city": "Rome"})], "calls-differ"),
        ("Tell me how the sky over Bergen looks.", [], "calls-differ"),
        ("Tell me how the sky looks.", [CALL], "value-lost"),
        ("what's  the WEATHER in bergen?", [CALL], "same-text"),
        ("Bergen " * 60, [CALL], "too-long"),
        ("", [CALL], "no-answer"),
    ],
)
def test_what_is_not_kept_is_counted_by_why(text: str, made: list[ToolCall], outcome: str):
    rephraser = Rephraser(writes(text), calls(*made))
    assert rephraser.copies([record()]) == [None]
    assert rephraser.outcomes == {outcome: 1}


def test_the_system_text_is_the_instruction_where_there_is_one():
    one = record(
        Message(role="system", content="Answer by calling."), Message(role="user", content="Bergen's weather?")
    )
    (copy,) = Rephraser(writes("Use the functions to answer."), calls(CALL)).copies([one])
    assert copy is not None
    assert [m.content for m in copy.messages[:2]] == ["Use the functions to answer.", "Bergen's weather?"]


def test_records_without_a_call_or_with_several_requests_ask_nobody():
    silent = record().model_copy(update={"messages": [Message(role="user", content="hi"), Message(role="assistant")]})
    several = record(Message(role="user", content="hi"), Message(role="user", content="Bergen's weather?"))
    writer = writes("x")
    assert Rephraser(writer, calls(CALL)).copies([silent, several]) == [None, None]
    assert instruction_of(several) is None
    assert writer.asked == 0


def test_an_answer_that_is_no_json_is_no_rephrasing():
    rephraser = Rephraser(Says(lambda before: Reply("sure, here it is")), calls(CALL))
    assert rephraser.copies([record()]) == [None]
    assert rephraser.outcomes == {"no-answer": 1}
