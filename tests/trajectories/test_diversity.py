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


def test_every_argument_says_its_entropy_and_of_how_many_calls() -> None:
    found = diversity_of(row(i, f"request {i}", i % 2) for i in range(16))
    assert found["arguments"] == {"f.x": {"n": 16, "entropy": 0.25}}
    assert (found["arguments_counted"], found["no_entropy"]) == (1, None)


def test_too_few_calls_are_no_entropy_and_say_so() -> None:
    found = diversity_of(row(i, f"request {i}", i) for i in range(3))
    assert found["argument_entropy"] is None
    assert found["arguments"] == {"f.x": {"n": 3, "entropy": 1.0}}
    assert found["no_entropy"] == "too few calls: an argument's entropy takes 8, and the most called, f.x, has 3"
    assert diversity_of([row(1, "a", 1)])["arguments"]["f.x"] == {"n": 1, "entropy": None}
    assert diversity_of([])["no_entropy"] == "no row has a call with an argument"
