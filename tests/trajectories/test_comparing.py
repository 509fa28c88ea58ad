"""Exact match, as issue 2 defines it."""

from __future__ import annotations

import copy
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lamina.tools import read_tools
from lamina.tools.tool import Tool, Toolbox
from lamina.trajectories import CallMatch, ToolCall, compare_calls

DESK = Path(__file__).parents[2] / "examples" / "desk" / "tools.py"
NOW = "2026-03-04T10:30:00"


def schema(required: list[str], **properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": required}


CONTACT = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "email": {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None},
        "label": {"type": "string", "default": "home"},
    },
}
TOOLS = Toolbox(
    [
        Tool(
            "split",
            "Split a bill.",
            schema(
                ["total"],
                total={"type": "number"},
                people={"type": "integer", "default": 2},
                note={"anyOf": [{"type": "string"}, {"type": "null"}], "default": None},
            ),
        ),
        Tool("remind", "Remind.", schema(["text", "when"], text={"type": "string"}, when={"type": "string"})),
        Tool(
            "meet",
            "Meet.",
            schema(
                [],
                start={"type": "string", "format": "date-time"},
                days={"type": "array", "items": {"type": "string"}},
                title={"type": "string"},
            ),
        ),
        Tool(
            "save",
            "Save contacts.",
            schema([], contacts={"type": "array", "items": {"$ref": "#/$defs/C"}}) | {"$defs": {"C": CONTACT}},
        ),
    ]
)


def call(name: str, **arguments: Any) -> ToolCall:
    return ToolCall.of(name, arguments)


def one(name: str, expected: dict[str, Any], actual: dict[str, Any], now: str | None = NOW) -> CallMatch:
    return compare_calls([ToolCall.of(name, expected)], [ToolCall.of(name, actual)], TOOLS, now=now)


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        ({"total": 3}, {"total": 3.0}),
        ({"total": 0.1 + 0.2}, {"total": 0.3}),
        ({"total": 3}, {"total": 3, "people": 2}),
        ({"total": 3, "people": 2, "note": None}, {"total": 3}),
        ({"total": 3, "note": "Lunch  with Ana"}, {"total": 3, "note": " lunch with ana. "}),
        ({"total": 3, "note": "Caf\u00e9"}, {"total": 3, "note": "CAFE\u0301"}),
    ],
)
def test_the_same_meaning_is_a_match(expected: dict[str, Any], actual: dict[str, Any]) -> None:
    for match in (one("split", expected, actual), one("split", actual, expected)):
        assert match == CallMatch(True, True, 3, 3, [])


@pytest.mark.parametrize(
    ("expected", "actual", "reason"),
    [
        ({"total": 3}, {"total": "3"}, 'split: total is "3", expected 3'),
        ({"total": 1}, {"total": True}, "split: total is true, expected 1"),
        ({"total": 3}, {"total": 3.0001}, "split: total is 3.0001, expected 3"),
        ({"total": 1234567890123}, {"total": 1234567890124}, "split: total is 1234567890124, expected"),
        ({"total": 3, "people": 4}, {"total": 3}, "split: people is 2, expected 4"),
        ({"total": 3}, {"people": 2}, "split: total is missing, expected 3"),
        ({"total": 3}, {"total": 3, "tip": 1}, "split: tip = 1 was not wanted"),
        ({"total": 3, "note": "env"}, {"total": 3, "note": ".env"}, 'split: note is ".env", expected "env"'),
        ({"total": 3, "note": "today"}, {"total": 3, "note": "2026-03-04"}, "split: note is"),
    ],
)
def test_another_meaning_is_none_and_the_reason_is_in_words(
    expected: dict[str, Any], actual: dict[str, Any], reason: str
) -> None:
    match = one("split", expected, actual)
    assert not match.exact
    assert match.functions_right
    assert match.arguments_right == match.arguments_total - 1
    assert len(match.reasons) == 1
    assert match.reasons[0].startswith(reason)


def test_dates_are_compared_at_the_rows_clock_where_the_argument_is_one() -> None:
    said, iso = {"text": "x", "when": "tomorrow at nine"}, {"text": "x", "when": "2026-03-05T09:00"}
    assert one("remind", said, iso).exact
    assert not one("remind", said, iso, now="2026-03-05T10:30:00").exact
    assert not one("remind", said, iso, now=None).exact
    assert not one("remind", {"text": "today", "when": "noon"}, {"text": "2026-03-04", "when": "noon"}).exact
    assert one("meet", {"start": "friday 3pm"}, {"start": "2026-03-06T15:00:00"}).exact
    assert one("meet", {"days": ["friday", "march 9"]}, {"days": ["2026-03-06", "9 March"]}).exact
    assert not one("meet", {"title": "friday"}, {"title": "2026-03-06"}).exact


@pytest.mark.parametrize(
    ("name", "description", "alike"),
    [
        ("due", "The day and time as said, such as friday.", True),
        ("due", "Start date of the trip", True),
        ("due", "When it begins", True),
        ("when", "", True),
        ("text", "What to be reminded of, without the day and time.", False),
        ("label", 'What the timer is for; "timer" when the user does not say.', False),
        ("topic", "What the meeting is about when it has one", False),
    ],
)
def test_a_description_that_mentions_a_time_makes_no_time_of_an_argument(
    name: str, description: str, alike: bool
) -> None:
    schema = {"type": "object", "properties": {name: {"type": "string", "description": description}}}
    tools = Toolbox([Tool("f", "F.", schema)])
    match = compare_calls([call("f", **{name: "friday"})], [call("f", **{name: "2026-03-06"})], tools, now=NOW)
    assert match.exact is alike


@pytest.mark.parametrize(
    ("function", "said", "other", "alike"),
    [
        ("set_timer", {"duration": "five minutes"}, {"duration": "5 minutes"}, False),
        ("set_timer", {"duration": "5 minutes"}, {"duration": "5 Minutes"}, True),
        ("add_reminder", {"when": "tuesday", "text": "x"}, {"when": "2026-03-10", "text": "x"}, True),
        ("add_reminder", {"when": "noon", "text": "tuesday"}, {"when": "noon", "text": "next tuesday"}, False),
    ],
)
def test_the_desks_moments_are_resolved_and_its_durations_and_texts_are_not(
    function: str, said: dict[str, str], other: dict[str, str], alike: bool
) -> None:
    match = compare_calls([call(function, **said)], [call(function, **other)], read_tools(DESK), now=NOW)
    assert match.exact is alike


def test_objects_and_lists_are_compared_inside_with_their_own_defaults() -> None:
    full = {"contacts": [{"name": "Ana", "email": None, "label": "home"}, {"name": "Ben", "label": "work"}]}
    short = {"contacts": [{"name": "ana"}, {"name": "Ben", "label": "Work"}]}
    assert one("save", full, short).exact
    swapped = {"contacts": short["contacts"][::-1]}
    assert one("save", full, swapped).reasons == ['save: contacts[0].name is "Ben", expected "Ana"']
    longer = {"contacts": [*short["contacts"], {"name": "Cy"}]}
    assert one("save", full, longer).reasons[0].startswith("save: contacts has 3 items, expected 2")


def test_parallel_calls_match_in_any_order_and_dependent_ones_only_in_theirs() -> None:
    a, b, c = call("split", total=1), call("split", total=2), call("remind", text="x", when="noon")
    assert compare_calls([a, b, c], [c, b, a], TOOLS, now=NOW).exact
    assert compare_calls([a, b, c], [a, b, c], TOOLS, ordered=True).exact
    turned = compare_calls([a, c], [c, a], TOOLS, ordered=True)
    assert not turned.exact
    assert not turned.functions_right


def test_parallel_calls_are_paired_so_that_most_is_right() -> None:
    expected = [call("split", total=1, people=3), call("split", total=2, people=4)]
    actual = [call("split", total=2, people=9), call("split", total=1, people=3)]
    match = compare_calls(expected, actual, TOOLS)
    assert (match.functions_right, match.arguments_right, match.arguments_total) == (True, 5, 6)
    assert match.reasons == ["split: people is 9, expected 4"]


def test_a_number_of_any_length_that_a_model_wrote_is_a_miss_and_no_crash() -> None:
    match = one("split", {"total": 1}, {"total": 10**30})
    assert not match.exact
    assert "1000000000" in " ".join(match.reasons)


def test_missing_and_unwanted_calls_are_told() -> None:
    a, b = call("split", total=1), call("split", total=2)
    missing = compare_calls([a, b], [b], TOOLS)
    assert missing == CallMatch(False, False, 3, 6, ["no call to split"])
    assert compare_calls([a], [a, a], TOOLS).reasons == ["the call to split was not wanted"]
    assert compare_calls([], [a], TOOLS) == CallMatch(False, False, 0, 0, ["the call to split was not wanted"])
    assert compare_calls([], [], TOOLS) == CallMatch(True, True, 0, 0, [])
    assert compare_calls([call("split", total=1)], [call("unknown")], TOOLS).reasons == [
        "no call to split",
        "the call to unknown was not wanted",
    ]


def test_an_accepted_alternative_counts_and_the_nearest_one_gives_the_reasons() -> None:
    first, other = [call("split", total=1)], [call("remind", text="x", when="noon")]
    assert compare_calls(first, other, TOOLS, accept=[other]).exact
    assert compare_calls(first, [], TOOLS, accept=[[]]).exact
    near = compare_calls(first, [call("remind", text="y", when="noon")], TOOLS, accept=[other])
    assert near.reasons == ['remind: text is "y", expected "x"']


text = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
scalars = st.one_of(st.none(), st.booleans(), st.integers(-(10**15), 10**15), st.floats(-1e12, 1e12), text)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=4,
)
arguments = st.dictionaries(text | st.sampled_from(["total", "contacts"]), values, max_size=2)
calls = st.lists(st.builds(ToolCall.of, st.sampled_from(["split", "save", "f"]), arguments), max_size=5)


@given(calls)
def test_any_calls_match_themselves(some: list[ToolCall]) -> None:
    for ordered in (False, True):
        match = compare_calls(some, copy.deepcopy(some), TOOLS, now=NOW, ordered=ordered)
        assert match.exact
        assert match.arguments_right == match.arguments_total
        assert match.reasons == []


@given(calls, st.randoms(use_true_random=False))
def test_order_of_parallel_calls_and_of_arguments_never_matters(some: list[ToolCall], chance: random.Random) -> None:
    mixed = [ToolCall.of(c.name, dict(chance.sample(list(c.arguments.items()), len(c.arguments)))) for c in some]
    chance.shuffle(mixed)
    assert compare_calls(some, mixed, TOOLS, now=NOW).exact


@pytest.mark.parametrize("n", [6, 7, 40])
def test_many_parallel_calls_to_one_function_are_paired_right(n: int) -> None:
    some = [call("split", total=i // 2, people=i % 3) for i in range(n)]
    mixed = random.Random(n).sample(some, n)
    assert compare_calls(some, mixed, TOOLS).exact
    mixed[0] = call("split", total=mixed[0].arguments["total"], people=99)
    match = compare_calls(some, mixed, TOOLS)
    assert (match.exact, match.arguments_right, match.arguments_total) == (False, 3 * n - 1, 3 * n)


@given(calls, calls)
def test_exact_means_that_everything_is_right_and_only_then_there_is_no_reason(
    some: list[ToolCall], others: list[ToolCall]
) -> None:
    match = compare_calls(some, others, TOOLS, now=NOW)
    assert match.exact == (match.functions_right and match.arguments_right == match.arguments_total)
    assert match.exact == (not match.reasons)
    assert match.exact == compare_calls(others, some, TOOLS, now=NOW).exact


@given(
    st.integers(-(10**15), 10**15) | st.floats(-1e9, 1e9),
    st.sampled_from([1, -1, 0.5, 1000, 0.001]),
    st.sampled_from([lambda n: n, lambda n: [1, [n]], lambda n: {"a": {"b": n}}]),
)
def test_another_number_anywhere_breaks_the_match(number: float, by: float, place: Any) -> None:
    other = number + by
    if abs(other - number) <= 1e-8 * abs(number) and not isinstance(other, int):
        return  # lost in rounding
    assert one("f", {"x": place(number)}, {"x": place(number)}).exact
    match = one("f", {"x": place(number)}, {"x": place(other)})
    assert not match.exact
    assert match.arguments_right == 0
