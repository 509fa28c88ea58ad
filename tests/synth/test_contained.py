"""The split: a row that says another's request within its own stands where the other one stands."""

from __future__ import annotations

import random
import tracemalloc
from collections import defaultdict
from collections.abc import Iterator
from itertools import permutations
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lamina.runs import Run
from lamina.synth import contained, split
from lamina.synth.contained import contained_pairs
from lamina.synth.splitting import _clusters
from lamina.trajectories import Message, Meta, ToolCall, Trajectory, TrajectoryStore

WORD = st.sampled_from(["weigh", "the", "oak", "now", "and", "sing", "a", "song", "of", "pots"])
TOOLS = st.lists(st.sampled_from(["weigh", "sing", "water"]), max_size=2, unique=True).map(
    lambda t: " ".join(sorted(t))
)
ROWS = st.lists(st.tuples(st.lists(WORD, min_size=1, max_size=9), TOOLS), min_size=1, max_size=12)


def groups(rows: list[tuple[list[str], str]]) -> list[int]:
    """Which rows the pairs join, and nothing else."""
    label = list(range(len(rows)))
    for i, j in contained_pairs([[" ".join(words)] for words, _ in rows], [tools for _, tools in rows]):
        label = [label[j] if one == label[i] else one for one in label]
    return label


def compared(rows: list[tuple[list[str], str]]) -> Iterator[tuple[int, int]]:
    """What calls the same as another, or more; of refusals, other refusals."""
    for (i, (_, whole)), (j, (_, part)) in permutations(enumerate(rows), 2):
        if set(part.split()) <= set(whole.split()) and (part or not whole):
            yield i, j


@settings(deadline=None, max_examples=300)
@given(ROWS)
def test_a_request_that_stands_whole_in_another_is_in_its_group(rows):
    label = groups(rows)
    for i, j in compared(rows):
        outer, inner = f" {' '.join(rows[i][0])} ", f" {' '.join(rows[j][0])} "
        if inner in outer and len(rows[j][0]) >= contained.SHORTEST:
            assert label[i] == label[j], (rows[i], rows[j])


@settings(deadline=None, max_examples=200)
@given(
    st.lists(WORD, min_size=4, max_size=9), st.lists(WORD, min_size=3, max_size=9), st.data(), st.booleans(),
    st.sampled_from(["changed", "dropped", "added"]),
)  # fmt: skip
def test_but_for_one_word_at_either_end_it_is_in_its_group_too(inner, other, data, first, how):
    at = data.draw(st.integers(0, len(inner) - 1))
    said = [*inner[:at], *([] if how == "dropped" else ["elm"]), *inner[at + (how != "added") :]]
    joined = [*said, "then", *other] if first else [*other, "then", *said]
    assert len(set(groups([(inner, "weigh"), (joined, "sing weigh")]))) == 1


@settings(deadline=None, max_examples=200)
@given(ROWS)
def test_rows_that_share_too_little_are_not_joined(rows):
    """Every pair that is given is one that was to be: at least three words in four of one stand in the other, in
    order, and the tools fit."""
    allowed = set(compared(rows))
    for i, j in contained_pairs([[" ".join(words)] for words, _ in rows], [tools for _, tools in rows]):
        assert i == j or (i, j) in allowed
        short, long = sorted((rows[i][0], rows[j][0]), key=len)
        assert 4 * in_order(short, long) >= 3 * len(short) or 4 * in_order(short, long) >= 3 * len(long)


def in_order(one: list[str], two: list[str]) -> int:
    """Words of the longest common subsequence."""
    best = [0] * (len(two) + 1)
    for word in one:
        before = 0
        for n, other in enumerate(two, 1):
            before, best[n] = best[n], before + 1 if word == other else max(best[n], best[n - 1])
    return best[-1]


def test_what_leaves_a_value_out_is_no_copy_of_what_says_it():
    asked = [(["set", "me", "a", "timer"], ""), (["set", "me", "a", "timer", "for", "an", "hour"], "set_timer")]
    assert len(set(groups(asked))) == 2


def test_a_document_that_was_pasted_is_looked_into_and_takes_little_memory():
    page = " ".join(f"w{n}" for n in range(1500))
    rows = [(page.split(), "weigh"), (page.split()[900:940], "weigh"), (["weigh", *page.split()[3:9]], "weigh")]
    tracemalloc.start()
    try:
        assert len(set(groups(rows))) == 1
        assert tracemalloc.get_traced_memory()[1] < 40e6
    finally:
        tracemalloc.stop()


def test_what_is_said_later_in_a_conversation_is_looked_at():
    asked = [["water something", "the oak in the yard please"], ["the oak in the yard please"]]
    assert _clusters(["a", "b"], ["water", "water"], asked) == [0, 0]


def row(id: str, request: str, *tools: str) -> Trajectory:
    calls = [ToolCall.of(name, {}) for name in tools]
    said = [Message(role="user", content=request), Message(role="assistant", tool_calls=calls or None)]
    style = "parallel" if len(tools) > 1 else "simple"
    return Trajectory(id=id, messages=said, meta=Meta(writer="embedded", style=style))


@pytest.mark.parametrize("seed", range(3))
def test_no_half_of_a_joined_request_is_trained_on_where_the_whole_is_tested(tmp_path: Path, seed: int):
    draw = random.Random(seed)
    words = [f"{a}{b}" for a in "bdfgklmnprst" for b in "aeiou"]
    single = [(" ".join(draw.choices(words, k=6)), draw.choice(["weigh", "sing"])) for _ in range(120)]
    rows = [row(f"s{n}", f"{text}.", tool) for n, (text, tool) in enumerate(single)]
    halves = {}
    for n in range(60):
        (one, first), (two, second) = draw.sample(single, 2)
        fresh = " ".join(draw.choices(words, k=6))
        two, second = (two, second) if n % 2 else (fresh, "water")
        halves[f"p{n}"] = [one, two]
        rows.append(row(f"p{n}", f"{one.capitalize()}, and {two}!", first, second))
    with Run.open(tmp_path / "run", {}) as run:
        TrajectoryStore(run.store).add(enumerate(rows))
        parts = split(run, seed)
        sides = {r.id: r.meta.split for r in TrajectoryStore(run.store).trajectories()}
    whose = {text: f"s{n}" for n, (text, _) in enumerate(single)}
    beside: dict[str, set[str | None]] = defaultdict(set)
    for joined, said in halves.items():
        beside[joined] = {sides[whose[text]] for text in said if text in whose}
        assert beside[joined] == {sides[joined]}, "a half is on another side"
    assert parts["test"] > 0
    assert len({sides[joined] for joined in halves}) > 1, "joined rows are tested on, too"
