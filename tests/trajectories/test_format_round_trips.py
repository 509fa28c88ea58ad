"""Writing a record in a format and reading it back: calls and results are the same, or the loss is told. Never both
silent and different."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))
from foreign_rows import ROWS

from lamina.trajectories import Message, Meta, ToolCall, Trajectory, read_trajectories, write_trajectories
from lamina.trajectories.formats import find_format, formats
from lamina.trajectories.formats.reading.losses import MEANING

WRITABLE = sorted(name for name, one in formats().items() if one.write)
ESSENTIAL = {*MEANING, "record"}

names = st.from_regex(r"[a-z][a-z_]{0,8}", fullmatch=True)
words = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=24) | st.sampled_from([
    "It's 5 o'clock.", "USER: hi", "Action: f", "[f(x=1)]", "<tool_call>", "</tool_call>", "Observation: 3\nThought: x",
    '{"name": "f", "arguments": {}}', "[]", "line\nline", "<|endoftext|>", "a: b", "```", "null",
    '[{"name": "f", "results": 1}]'])  # fmt: skip
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.floats(-1e9, 1e9) | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=5,
)
objects = st.dictionaries(names, values, max_size=3)
calls = st.builds(ToolCall.of, names, objects)


@st.composite
def trajectories(draw: st.DrawFn) -> Trajectory:
    messages = [Message(role="system", content="Be kind.")] if draw(st.booleans()) else []
    messages.append(Message(role="user", content=draw(words)))
    for _ in range(draw(st.integers(1, 3))):
        made = draw(st.lists(calls, max_size=2))
        messages.append(Message(role="assistant", content=draw(words), tool_calls=made or None))
        for number, call in enumerate(made):
            if len(made) > 1:
                call.id = f"call_{len(messages)}_{number}"
        for call in made if draw(st.booleans()) else []:
            messages.append(Message(role="tool", name=call.name, content=draw(words), tool_call_id=call.id))
        if draw(st.booleans()):
            messages.append(Message(role="user", content=draw(words)))
    tools = [
        {
            "type": "function",
            "function": {"name": n, "description": "d", "parameters": {"type": "object", "properties": {}}},
        }
        for n in draw(st.lists(names, max_size=2, unique=True))
    ]
    return Trajectory(id="t", tools=tools, messages=messages, meta=Meta(source="here"))


def called(trajectory: Trajectory) -> list[Any]:
    return [[(c.name, c.arguments) for c in turn] for turn in trajectory.turns if turn]


def returned(trajectory: Trajectory) -> list[str]:
    return [m.content for m in trajectory.messages if m.role == "tool"]


@pytest.mark.parametrize("name", WRITABLE)
@settings(max_examples=80)
@given(one=trajectories())
def test_calls_and_results_come_back_or_the_loss_is_told(
    name: str, one: Trajectory, tmp_path_factory: pytest.TempPathFactory
):
    target = find_format(name)
    lost = target.losses(one) if target.losses else Counter[str]()
    file = tmp_path_factory.mktemp("t") / "rows.jsonl"
    assert write_trajectories(file, [one], format=name) == 1
    rejected: list[Any] = []
    back = list(read_trajectories(file, rejected.append, format=name))
    if set(lost) & (ESSENTIAL - target.lacks):
        return
    assert len(back) == 1
    assert called(back[0]) == called(one)
    assert returned(back[0]) == returned(one) or "results" in lost
    for field in ("tools", "requests", "answers", "thoughts", "system", "order"):
        if field not in lost:
            assert _view(field, back[0]) == _view(field, one)


def _view(field: str, one: Trajectory) -> Any:
    views: dict[str, Any] = {
        "tools": lambda: one.tools,
        "requests": lambda: [m.content for m in one.messages if m.role == "user"],
        "answers": lambda: [m.content for m in one.messages if m.role == "assistant" and not m.tool_calls],
        "thoughts": lambda: [m.content.strip() for m in one.messages if m.role == "assistant" and m.tool_calls],
        "system": lambda: [m.content for m in one.messages if m.role == "system"],
        "order": lambda: [m.role for m in one.messages],
    }
    return views[field]()


@given(one=trajectories())
def test_the_unified_form_of_the_paper_holds_any_record_both_ways(one: Trajectory):
    target = find_format("xlam-unified")
    assert target.to_row is not None
    assert target.from_row is not None
    assert target.losses is not None
    assert target.losses(one) == Counter()
    (back,) = target.from_row(target.to_row(one), Path("."))
    assert back == one


@pytest.mark.parametrize("name", sorted(set(WRITABLE) - {"jsonl", "xlam-60k", "instruction"}))
@pytest.mark.parametrize("source", sorted(ROWS))
def test_an_ordinary_row_of_any_format_goes_into_any_other_and_back(name: str, source: str):
    """``xlam-60k`` and ``instruction`` hold one turn; what they refuse is tested with the export."""
    reader, target = find_format(source).from_row, find_format(name)
    assert reader is not None
    assert target.losses is not None
    (one,) = reader(ROWS[source], Path("."))
    assert not set(target.losses(one)) & ESSENTIAL, target.losses(one)


def test_a_format_of_one_turn_tells_that_it_lost_the_others():
    target = find_format("xlam-60k")
    assert target.losses is not None
    two = [Message(role="user", content="hi"), Message(role="assistant", tool_calls=[ToolCall.of("f", {})])] * 2
    assert target.losses(Trajectory(id="t", messages=two))["calls"] == 1
