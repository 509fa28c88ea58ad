"""Text that a model was taught to copy can be nothing but words of the request, or the argument's default."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lamina.models.copied_numbers import held_to_numbers, said_numbers
from lamina.models.copying import copied_arguments, heard, said_pattern
from lamina.models.grammar import SAID, calls_grammar, calls_schema, json_grammar
from lamina.tools import Tool, Toolbox
from lamina.trajectories import Message, Trajectory

TIMER = Tool(
    "set_timer", "Start a countdown.",
    {
        "type": "object",
        "properties": {
            "duration": {"type": "string"},
            "label": {"type": "string", "default": "timer"},
            "sound": {"type": "string", "enum": ["bell", "gong"]},
            "notes": {"type": "array", "items": {"type": "string"}},
            "who": {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None},
            "minutes": {"type": "number"},
        },
        "required": ["duration"],
    },
)  # fmt: skip
TOOLS = Toolbox([TIMER])


def is_said(value: str, text: str) -> bool:
    pattern = said_pattern(text)
    return pattern is not None and re.fullmatch(pattern, value) is not None


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("dishwasher tablets", "oh and dishwasher tablets"),
        ("Oliver", "what's Oliver's phone number?"),
        ("farid", "whats farids phone"),
        ("+48 22 555 01 90", "his card: tel. +48 22 555 01 90, tomasz@zielinski.pl."),
        ("tomasz@zielinski.pl", "his card: tel. +48 22 555 01 90, tomasz@zielinski.pl."),
        ("(415) 555-0161", "number: (415) 555-0161, it's Joy's"),
        ("01 555 0128", "Add Tadhg Brennan (01 555 0128)."),
        ("half past 4", "remind me at half past 4: bins"),
        ("water the ferns", "stick 'water the ferns' on my tasks"),
        ("10.30 a.m.", "tomorrow at 10.30 a.m. regarding it"),
        ("东京", "what time is it in 东京 now"),
        ("the dog's worm tablet", "check in with me about the dog's worm tablet."),
        ("a|b", "name it a|b ^$ please"),
    ],
)
def test_what_people_say_can_be_copied(value: str, text: str) -> None:
    assert is_said(value, text)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("disharm bowls", "oh and dishwasher tablets"),
        ("washer", "oh and dishwasher tablets"),
        ("masz@zielinski.pl", "his card: tomasz@zielinski.pl."),
        ("Moussa", "save the driver: Musa 555-0152"),
        ("555", "save the driver: Musa 555-0152"),
        ("rice ginger", "rice, some ginger"),
        ("", "anything"),
    ],
)
def test_what_nobody_said_cannot(value: str, text: str) -> None:
    assert not is_said(value, text)


@given(
    st.lists(st.text("abcdefxyz'’.,-@/()[]{}^$|\\\"é東0123456789", min_size=1, max_size=9), min_size=1, max_size=12),
    st.data(),
)
def test_every_run_of_whole_words_can_be_copied_and_no_other_word(words: list[str], data: st.DataObject) -> None:
    text = " ".join(words)
    first = data.draw(st.integers(0, len(words) - 1))
    last = data.draw(st.integers(first, len(words) - 1))
    run = " ".join(words[first : last + 1])
    if re.match(r"[\w(+#$€£¥₹°@/]", run):
        assert is_said(run, text)
    assert not is_said(run + " unsaid", text)


def test_a_text_without_words_and_one_too_long_hold_nobody_to_anything() -> None:
    assert said_pattern(" … ") is None
    assert said_pattern("word " * 1000) is None
    assert SAID not in calls_schema(TOOLS, copied=["set_timer.label"], said=" ").get("$defs", {})


def row(request: str, **arguments: object) -> Trajectory:
    call = {"type": "function", "function": {"name": "set_timer", "arguments": arguments}}
    messages = [{"role": "user", "content": request}, {"role": "assistant", "content": "", "tool_calls": [call]}]
    return Trajectory.from_json(
        json.dumps({"id": request, "tools": TOOLS.as_openai(), "messages": messages, "meta": {"source": "test"}})
    )


def test_an_argument_is_copied_when_all_that_was_taught_of_it_was_said() -> None:
    taught = [
        row(f"{n} minutes for the {what}, it is loud", duration=f"{n} minutes", label=what, sound="bell", who="Ana")
        for n, what in enumerate(["rice", "pasta", "eggs", "tea", "bread", "soup", "cake", "fish"], 3)
    ]
    assert copied_arguments(taught, TOOLS) == ["set_timer.duration", "set_timer.label"]
    assert copied_arguments(taught[:-1], TOOLS) == []


def test_a_number_is_copied_in_digits_and_in_words_and_one_that_is_worked_out_is_not() -> None:
    said = {3: "3", 4: "four", 12: "a dozen", 1250: "1,250", 0.5: "half a", 20: "twenty", 30: "30.0", 2.5: "2.5"}
    taught = [row(f"tea, {words} minutes", duration="tea", minutes=n) for n, words in said.items()]
    assert copied_arguments(taught, TOOLS) == ["set_timer.duration", "set_timer.minutes"]
    taught[0] = row("tea, for me and two friends", duration="tea", minutes=3)
    assert copied_arguments(taught, TOOLS) == ["set_timer.duration"]


@pytest.mark.parametrize(
    ("schema", "said", "offered"),
    [
        ({"type": "integer"}, "2 or 2.5 or two", [2]),
        ({"type": "number", "minimum": 3}, "2 or 3.5", [3.5]),
        ({"type": "integer", "exclusiveMaximum": 4, "default": 1}, "3 or 4", [3, 1]),
        ({"type": "integer", "multipleOf": 5}, "3 or 10", [10]),
        ({"type": "number"}, "2.0", [2]),
        ({"type": "number", "multipleOf": 0.01}, "19.99 or 0.3 or 19.995", [19.99, 0.3]),
        ({"type": "number", "exclusiveMinimum": True, "maximum": "9", "minimum": None}, "1 or 10", [1, 10]),
        ({"type": "integer"}, "send 50 to account 12345678901234567", None),
        ({"type": "number"}, "50 at 9.204938554384977 degrees", None),
        ({"type": "integer"}, "no number at all", None),
        ({"type": "integer", "minimum": 7}, "2", None),
        ({"type": "integer"}, " ".join(map(str, range(100))), None),
    ],
)
def test_a_copied_number_is_one_that_was_said_or_the_default(schema: dict, said: str, offered: list | None) -> None:
    assert held_to_numbers(schema, said_numbers(said)) == (schema if offered is None else {"enum": offered})


@given(st.text())
def test_numbers_of_any_text_can_be_written_as_json(text: str) -> None:
    assert json.loads(json.dumps(said_numbers(text), allow_nan=False)) == said_numbers(text)


def accepted(grammar: str, text: str) -> bool:
    import llguidance

    matcher = llguidance.LLMatcher(llguidance.LLTokenizer("byte"), grammar)
    return all(matcher.consume_token(byte) for byte in text.encode()) and matcher.is_accepting()


@pytest.mark.parametrize(("written", "allowed"), [("10", True), ("0.25", True), ("1", False), ("100", False)])
def test_the_engine_writes_no_number_that_was_not_said(written: str, allowed: bool) -> None:
    grammar = calls_grammar(TOOLS, copied=["set_timer.minutes"], said="tea in 10, and a quarter of that")
    text = f'[{{"name": "set_timer", "arguments": {{"duration": "tea", "minutes": {written}}}}}]'
    assert accepted(grammar, text) is allowed


@given(st.floats(allow_nan=False, allow_infinity=False) | st.integers())
def test_a_number_that_was_said_is_written_by_the_engine_as_the_same_number(number: float) -> None:
    import llguidance

    for one in said_numbers(repr(number)):
        matcher = llguidance.LLMatcher(llguidance.LLTokenizer("byte"), json_grammar({"enum": [one]}))
        assert json.loads(bytes(matcher.compute_ff_tokens())) == one


def test_a_schema_that_is_no_object_stays_as_it_is() -> None:
    properties = {"any": True, "what": {"type": "string"}, "of": {"type": "object", "properties": {"any": True}}}
    box = Toolbox([Tool("do", "Does.", {"type": "object", "properties": properties})])
    schema = calls_schema(box, copied=["do.what", "do.any", "do.of.any"], said="tea for 2")
    assert schema["items"]["anyOf"][0]["properties"]["arguments"]["properties"]["any"] is True
    call = {"type": "function", "function": {"name": "do", "arguments": {"any": "tea", "of": {"any": 2}}}}
    messages = [{"role": "user", "content": "tea"}, {"role": "assistant", "content": "", "tool_calls": [call]}]
    taught = Trajectory.from_json(json.dumps({"id": "r", "messages": messages, "meta": {"source": "test"}}))
    assert copied_arguments([taught] * 8, box) == []


def test_a_default_is_no_sign_of_an_argument_that_is_not_copied() -> None:
    taught = [row(f"{n} minutes", duration=f"{n} minutes", label="timer") for n in range(3, 12)]
    assert copied_arguments(taught, TOOLS) == ["set_timer.duration"]


def test_the_schema_holds_copied_texts_to_the_words_and_leaves_the_rest() -> None:
    copied = [f"set_timer.{name}" for name in ("duration", "label", "sound", "notes", "who", "minutes")]
    schema = calls_schema(TOOLS, copied=copied, said="ten minutes for tea")
    arguments = schema["items"]["anyOf"][0]["properties"]["arguments"]["properties"]
    reference = {"$ref": f"#/$defs/{SAID}"}
    assert arguments["duration"] == reference
    assert arguments["label"] == {"anyOf": [reference, {"const": "timer"}]}
    assert arguments["notes"] == {"type": "array", "items": reference}
    assert arguments["who"] == {"anyOf": [reference, {"type": "null"}]}
    assert arguments["sound"] == {"type": "string", "enum": ["bell", "gong"]}
    assert arguments["minutes"] == {"enum": [10]}
    assert calls_grammar(TOOLS) == calls_grammar(TOOLS, copied=(), said="ten minutes for tea")


def test_values_may_come_from_results_and_earlier_turns() -> None:
    messages = [
        Message(role="user", content="find Ana"),
        Message(role="tool", name="find", content='{"phone": "555-0101"}'),
        Message(role="assistant", content="She is there."),
    ]
    assert is_said("555-0101", heard(messages))
    assert not is_said("She", heard(messages))


@pytest.mark.slow
def test_an_engine_held_to_the_words_writes_no_other() -> None:
    """The untuned model would write anything; whatever it writes is what was said."""
    from lamina.models import Request, open_model

    said = 'the café "Zur Post" (now) rings 555-0142 / ask for Zoë\'s cake, 100% \\ [x] {y} a|b ^ $5'
    copied = ["set_timer.duration", "set_timer.label", "set_timer.notes"]
    model = open_model("embedded", slots=1, copied=copied)
    try:
        messages = [Message(role="user", content=said)]
        asked = [Request(messages, tools=TOOLS, style="full", seed=seed, temperature=1.0) for seed in range(3)]
        calls = [call for reply in model.generate(asked) for call in reply.calls]
    finally:
        model.close()
    assert calls
    for call in calls:
        notes = call.arguments.get("notes", [])
        for value in [call.arguments["duration"], *(notes if isinstance(notes, list) else [])]:
            assert is_said(value, said)
        assert call.arguments.get("label", "timer") == "timer" or is_said(call.arguments["label"], said)
