"""Values become words and are found again."""

from __future__ import annotations

import random
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from lamina.checks.grounding import missing_values
from lamina.synth.values import ValuePool, draw_arguments, kind_of
from lamina.synth.wording import locate, spoken_slots
from lamina.tools import Tool, read_tools
from lamina.trajectories import ToolCall

DESK = Path(__file__).parents[2] / "examples" / "desk" / "tools.py"
TOOLS = read_tools(DESK)
POOL = ValuePool.of(list(TOOLS))


@given(seed=st.integers(0, 10_000), name=st.sampled_from(TOOLS.names))
def test_drawn_arguments_fit_and_their_wording_says_them(seed: int, name: str) -> None:
    rng = random.Random(seed)
    tool = TOOLS[name]
    arguments = draw_arguments(tool, rng, POOL)
    assert tool.problems(arguments) == []
    said = " / ".join(slot.form for slot in spoken_slots(tool, arguments, rng))
    assert missing_values(said, [ToolCall.of(name, arguments)], TOOLS) == []


@given(seed=st.integers(0, 10_000), name=st.sampled_from(TOOLS.names))
def test_a_filled_frame_says_the_new_values(seed: int, name: str) -> None:
    rng = random.Random(seed)
    tool = TOOLS[name]
    exemplars = [e for x in tool.examples if (e := locate(tool, x.request, x.arguments))]
    exemplar = rng.choice(exemplars)
    arguments = draw_arguments(tool, rng, POOL)
    slots = spoken_slots(tool, arguments, rng)
    if {s.path for s in slots} == exemplar.paths:
        request = exemplar.filled(slots)
        assert missing_values(request, [ToolCall.of(name, arguments)], TOOLS) == []
        assert "{" not in request


def test_nearly_every_docstring_example_is_located() -> None:
    examples = [(t, e) for t in TOOLS for e in t.examples]
    located = [locate(t, e.request, e.arguments) for t, e in examples]
    assert sum(x is not None for x in located) >= 0.95 * len(examples)


def test_a_frame_has_the_values_place_and_nothing_of_them() -> None:
    tool = TOOLS["convert_money"]
    found = locate(tool, "what's 20 bucks in yen?", {"amount": 20, "from_currency": "USD", "to_currency": "JPY"})
    assert found is not None
    assert found.frame == "what's {amount} {from_currency} in {to_currency}?"


def test_kinds_follow_names_and_descriptions() -> None:
    def kind(name: str, description: str = "") -> str:
        return kind_of(name, {"type": "string", "description": description})

    assert kind("when") == "moment"
    assert kind("attendees[]") == "person"
    assert kind("name", "The person's name as said.") == "person"
    assert kind("city") == "city"
    assert kind("x", "The phone number.") == "phone"
    assert kind("nothing") == "word"


def test_defaults_and_quotes_in_a_description_are_not_taken_for_values() -> None:
    tool = Tool(
        "f", "F.",
        {"type": "object", "properties": {"a": {"type": "string", "description": 'such as "x y", without "for"'}}},
    )  # fmt: skip
    assert ValuePool.of([tool]).own["f", "a"] == ["x y"]
