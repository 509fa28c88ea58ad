"""Diversity tells a set that says many things from one that says one thing many times."""

from __future__ import annotations

from lamina.trajectories import Message, ToolCall, Trajectory, diversity_of


def row(number: int, request: str, value: object) -> Trajectory:
    calls = [ToolCall.of("f", {"x": value})]
    messages = [Message(role="user", content=request), Message(role="assistant", tool_calls=calls)]
    return Trajectory(id=str(number), messages=messages)


def test_copies_have_no_entropy_and_are_like_each_other() -> None:
    found = diversity_of(row(i, "how warm is it in Rome", "Rome") for i in range(50))
    assert found["frames"] == 1
    assert found["argument_entropy"] == 0
    assert found["self_similarity"] == 1


def test_rows_with_nothing_in_common_are_told_from_copies() -> None:
    words = ["zebra crossing", "quilt", "hymn book", "1939", "vodka jug", "fjord", "lynx", "why", "pact", "moss bed"]
    found = diversity_of(row(i, word, i) for i, word in enumerate(words))
    assert found["frames"] == found["rows"] == 10
    assert found["argument_entropy"] == 1
    assert found["self_similarity"] < 0.6


def test_nothing_is_no_division_by_nothing() -> None:
    assert diversity_of([])["frame_share"] is None
    assert diversity_of([row(1, "a", 1)])["self_similarity"] is None
