"""A request asks for something, and does not run in circles."""

from __future__ import annotations

import pytest

from lamina.checks import Candidate, Reason, check_asking
from lamina.tools import Example, Tool, Toolbox
from lamina.trajectories import ToolCall

DAY = {"type": "object", "properties": {"day": {"type": "string", "default": "today"}}}
CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
WORD = {"type": "object", "properties": {"word": {"type": "string"}}, "required": ["word"]}
REMINDERS = (Example("what about monday", {"day": "monday"}),)
TOOLS = Toolbox(
    [
        Tool("list_reminders", "Show the reminders of one day.", DAY, examples=REMINDERS),
        Tool("time_in", "The time.", CITY),
        Tool("spell_word", "Spell a word in the NATO alphabet.", WORD),
    ]
)


def asked(request: str, *calls: ToolCall) -> Reason | None:
    row = Candidate(request, [list(calls)], "simple", "embedded", 0, "2026-11-23T09:00")
    found = check_asking(row, TOOLS)
    return found and found.reason


@pytest.mark.parametrize("request_", ["my reminders", "remind me what I planned", "anything to show for the DAY?"])
def test_a_call_without_values_is_asked_for_in_the_tool_s_words(request_: str):
    assert asked(request_, ToolCall.of("list_reminders", {})) is None


@pytest.mark.parametrize("request_", ["i am getting older and i am on my phone", "can you do that for me?", "..."])
def test_a_sentence_that_has_nothing_to_do_with_the_tool_asks_for_nothing(request_: str):
    assert asked(request_, ToolCall.of("list_reminders", {})) is Reason.NOT_ASKED
    assert asked(request_, ToolCall.of("list_reminders", {"day": "today"})) is Reason.NOT_ASKED


def test_a_value_of_the_request_is_for_grounding_to_judge():
    assert asked("how about tomorrow?", ToolCall.of("list_reminders", {"day": "tomorrow"})) is None


def test_of_a_tool_without_examples_every_request_speaks_of_what_it_does():
    call = ToolCall.of("spell_word", {"word": "origami"})
    assert asked("I'd like to learn about origami", call) is Reason.NOT_ASKED
    assert asked("how do I spell origami on the phone?", call) is None
    assert asked("origami in the nato alphabet please", call) is None


def test_the_words_of_a_value_do_not_say_what_is_to_be_done_with_it():
    assert asked("a spelling bee", ToolCall.of("spell_word", {"word": "spelling bee"})) is Reason.NOT_ASKED


def test_a_request_for_one_thing_says_nothing_twice():
    call = ToolCall.of("time_in", {"city": "Oslo"})
    assert asked("what time is it in Oslo, what time is it there", call) is Reason.REPEATS_ITSELF
    assert asked("I am a dragon, I am a dragon") is Reason.REPEATS_ITSELF
    assert asked("what time is it in Oslo, and is it late in Oslo?", call) is None


def test_a_request_for_two_things_may_use_the_same_words_twice():
    calls = [ToolCall.of("time_in", {"city": city}) for city in ("Oslo", "Lima")]
    assert asked("what time is it in Oslo, and what time is it in Lima?", *calls) is None


def test_what_is_said_more_often_than_there_are_things_to_ask_for_runs_in_circles():
    calls = [ToolCall.of("time_in", {"city": city}) for city in ("Oslo", "Lima")]
    assert asked("what time is it in Oslo, what time is it in Lima, what time is it", *calls) is Reason.REPEATS_ITSELF


VERBS = (
    "censor", "clean", "compare", "count", "decode", "encode", "hash", "join", "pad", "print", "quote",
    "repeat", "reverse", "rhyme", "shorten", "shuffle", "sort", "split", "translate", "trim", "wrap",
)  # fmt: skip
CODERS = Toolbox([Tool(f"{verb}_text", f"{verb.title()} a text.", WORD) for verb in VERBS])


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        ("some text with origami in it", Reason.NOT_ASKED),
        ("can origami be decoded", None),
        ("the decoding of origami, please", None),
    ],
)
def test_a_word_of_nearly_every_tool_of_a_library_asks_for_none_of_them(request_: str, reason: Reason | None):
    row = Candidate(
        request_, [[ToolCall.of("decode_text", {"word": "origami"})]], "simple", "embedded", 0, "2026-11-24T09:00"
    )
    found = check_asking(row, CODERS)
    assert (found and found.reason) is reason
