"""Augmentations keep the meaning: the same calls for the same request, whatever was shuffled, masked or added."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lamina.data.augmenting import AUGMENTATIONS, distract, mask_names, remove_the_right_tool, shuffle_calls
from lamina.data.presenting import DELIMITERS, SECTIONS, calls_in, present
from lamina.models.output_formats import output_formats
from lamina.trajectories import Message, Meta, ToolCall, Trajectory

seeds = st.integers(0, 10_000)


def tool(name: str, *parameters: str) -> dict[str, Any]:
    properties = {p: {"type": "string", "description": f"The {p}."} for p in parameters}
    schema = {"type": "object", "properties": properties, "required": list(parameters[:1])}
    return {"type": "function", "function": {"name": name, "description": f"Does {name}.", "parameters": schema}}


def sample() -> Trajectory:
    calls = [ToolCall.of("weather_now", {"city": c, "unit": "C"}, id=i) for c, i in (("Oslo", "a"), ("Rome", "b"))]
    results = [Message(role="tool", name="weather_now", content=f"r{i}", tool_call_id=i) for i in "ab"]
    return Trajectory(
        id="t",
        tools=[tool("weather_now", "city", "unit"), tool("send_mail", "to", "text"), tool("ping")],
        messages=[
            Message(role="user", content="Oslo and Rome?"),
            Message(role="assistant", content="Both.", tool_calls=calls),
            *results,
            Message(role="assistant", content="Mild."),
            Message(role="user", content="mail it to Ann"),
            Message(role="assistant", tool_calls=[ToolCall.of("send_mail", {"to": "Ann", "text": "Mild."})]),
        ],
        meta=Meta(source="here", style="multi"),
    )


def meaning(record: Trajectory) -> Any:
    """Calls of each turn in any order, each with its result."""
    by_id = {m.tool_call_id: m.content for m in record.messages if m.role == "tool"}
    return [Counter(str((c.name, sorted(c.arguments.items()), by_id.get(c.id))) for c in t) for t in record.turns]


@pytest.mark.parametrize("name", ["shuffle-tools", "shuffle-keys", "shuffle-parameters", "shuffle-calls"])
@given(seed=seeds)
def test_a_shuffle_keeps_the_meaning_and_leaves_the_record_alone(name: str, seed: int):
    record = sample()
    after = AUGMENTATIONS[name](record, seed)
    assert record == sample()
    if after is None:
        return
    assert meaning(after) == meaning(record)
    assert {t["function"]["name"]: t for t in after.tools} == {t["function"]["name"]: t for t in record.tools}
    assert after.meta.group == "t"
    assert AUGMENTATIONS[name](record, seed) == after


@pytest.mark.parametrize("name", sorted(AUGMENTATIONS))
def test_every_augmentation_changes_something_for_some_seed(name: str):
    assert any(AUGMENTATIONS[name](sample(), seed) for seed in range(10))


def test_results_without_ids_follow_their_calls():
    record = sample()
    for message in record.messages:
        message.tool_call_id = None
        for call in message.tool_calls or []:
            call.id = None
    moved = next(filter(None, (shuffle_calls(record, seed) for seed in range(20))))
    assert [c.arguments["city"] for c in moved.turns[0]] == ["Rome", "Oslo"]
    assert [m.content for m in moved.messages if m.role == "tool"] == ["rb", "ra"]


def test_calls_that_take_each_other_s_results_are_not_shuffled():
    record = sample()
    record.turns[0][1].function.arguments["city"] = "$a.city$"
    assert all(shuffle_calls(record, seed) is None for seed in range(10))


@given(seed=seeds)
def test_masked_names_are_consistent_and_can_be_undone(seed: int):
    after = mask_names(sample(), seed)
    assert after is not None
    text = after.model_dump_json(exclude={"meta"})
    assert "weather_now" not in text
    assert '"city"' not in text
    known = (after.meta.model_extra or {})["masked"]
    undone = [
        [(known[c.name], {known[k].partition(".")[2]: v for k, v in c.arguments.items()}) for c in turn]
        for turn in after.turns
    ]
    assert undone == [[(c.name, c.arguments) for c in turn] for turn in sample().turns]
    assert all(not tool.problems(c.arguments) for c in after.calls if (tool := after.toolbox()[c.name]))


def test_a_record_whose_words_name_a_function_is_not_masked():
    record = sample()
    record.messages[0].content = "use weather_now"
    assert mask_names(record, 0) is None


@given(seed=seeds, n=st.integers(1, 5))
def test_distractors_are_added_and_nothing_is_called_differently(seed: int, n: int):
    pool = [tool(f"other_{i}") for i in range(3)] + [tool("ping", "fake")]
    after = distract(sample(), seed, pool, n)
    assert after is not None
    assert meaning(after) == meaning(sample())
    assert [t for t in after.tools if t in sample().tools] == sample().tools
    assert len(after.tools) == 3 + min(n, 3)


def test_without_the_right_tool_the_answer_is_not_to_call():
    after = remove_the_right_tool(sample(), 0)
    assert after is not None
    assert [t["function"]["name"] for t in after.tools] == ["send_mail", "ping"]
    assert after.calls == []
    assert [m.role for m in after.messages] == ["user", "assistant"]
    assert after.meta.style == "irrelevance"
    only = sample()
    only.tools = only.tools[:1]
    assert remove_the_right_tool(only, 0) is None


@pytest.mark.parametrize("format", output_formats())
@pytest.mark.parametrize("delimiters", DELIMITERS)
def test_a_presented_record_says_the_same_calls_as_text(format: str, delimiters: str):
    after = present(sample(), 1, format=format, delimiters=delimiters)
    assert calls_in(after) == [[(c.name, c.arguments) for c in turn] for turn in sample().turns if turn]
    assert after.calls == []
    system = after.messages[0].content
    assert "Does send_mail." in system
    assert output_formats()[format].instruction in system
    assert [m.content for m in after.messages if m.role == "user"] == [
        "Oslo and Rome?", "Results:\nweather_now: ra\nweather_now: rb", "mail it to Ann",
    ]  # fmt: skip
    assert {m.role for m in after.messages} == {"system", "user", "assistant"}


def test_what_is_not_given_is_drawn_from_the_seed_and_all_of_it_comes_up():
    drawn = [(present(sample(), seed).meta.model_extra or {})["presented"] for seed in range(300)]
    assert {d["format"] for d in drawn} == set(output_formats())
    assert {d["delimiters"] for d in drawn} == set(DELIMITERS)
    assert len({tuple(d["order"]) for d in drawn}) == 6
    assert all(set(d["order"]) == set(SECTIONS) for d in drawn)
    assert present(sample(), 7) == present(sample(), 7)
