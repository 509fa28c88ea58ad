"""The split: groups stay whole, and every style trains on most of its rows."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from lamina.checks import Candidate
from lamina.runs import Run
from lamina.synth import split, splitting
from lamina.synth.grammar import example_candidates
from lamina.synth.splitting import SHARES, Seen, _sides, _surplus
from lamina.synth.verifying import trajectory_of
from lamina.synth.writers import give_calls
from lamina.tools import Toolbox, read_tools
from lamina.tools.execution import Executor
from lamina.trajectories import ToolCall, TrajectoryStore

STYLES = ("simple", "parallel", "near-miss", "irrelevant")
GROUPS = st.lists(
    st.tuples(st.sampled_from(STYLES), st.integers(1, 9), st.booleans()), min_size=1, max_size=60
)  # fmt: skip


def grouped(shapes: list[tuple[str, int, bool]]) -> dict[int, list[Seen]]:
    def row(label: int, style: str, n: int, example: bool) -> Seen:
        return Seen(f"{label}-{n}", "examples" if example else "embedded", style, ("?",), "?", "")

    return {
        label: [row(label, style, n, example) for n in range(size)]
        for label, (style, size, example) in enumerate(shapes)
    }


@settings(deadline=None)
@given(GROUPS, st.integers(0, 5))
def test_each_style_gives_no_more_than_its_shares(shapes, seed):
    groups = grouped(shapes)
    sides = _sides(groups, seed)
    total, given_up = Counter(), Counter()
    for label, (style, size, example) in enumerate(shapes):
        assert not (example and sides[label] != "train"), "what the user wrote trains"
        if not example:
            total[style] += size
            given_up[style, sides[label]] += size
    for style in total:
        for side, share in SHARES.items():
            assert given_up[style, side] <= round(share * total[style])


@given(st.integers(0, 60), st.integers(0, 60), st.integers(0, 60), st.integers(0, 60))
def test_the_grammar_has_a_third_at_most_and_variants_make_no_room_for_it(grammar, model, examples, variants):
    writers = {"grammar": grammar, "embedded": model, "examples": examples}
    rows = [Seen(f"{w}-{n}", w, "simple", ("?",), "?", "") for w, count in writers.items() for n in range(count)]
    rows += [Seen(f"v-{n}", "examples", "simple", ("?",), "?", "", variant=True) for n in range(variants)]
    surplus = _surplus(rows)
    assert all(id.startswith("grammar-") for id in surplus)
    kept, others = grammar - len(surplus), model + examples
    assert kept <= (kept + others) / 3, "a third of what people, models and the grammar wrote"
    assert not surplus or kept + 1 > (kept + 1 + others) / 3, "no more is set aside than must be"


def test_a_style_of_few_frames_still_trains_and_is_still_tested():
    groups = grouped([("simple", 2, False)] * 100 + [("near-miss", 3, False)] * 14)
    sides = Counter(sides for label, sides in _sides(groups, 0).items() if label >= 100)
    assert sides["train"] >= 9
    assert sides["test"] >= 1


def test_near_copies_of_the_same_tools_are_one_group_whatever_block_they_stand_in(monkeypatch):
    monkeypatch.setattr(splitting, "BLOCK", 2)
    frames = [
        "weigh the {what} now",
        "sing {song}",
        "please weigh the {what} now",
        "weigh the {what} now",
        "SING {song}",
    ]
    labels = splitting._clusters(frames, ["weigh", "sing", "weigh", "weigh", "sing"])
    assert labels == [0, 1, 0, 0, 1]


def test_the_same_words_for_other_tools_are_another_group():
    assert splitting._clusters(["do it now please", "do it now please"], ["open", "close"]) == [0, 1]


NOW = "2026-11-23T10:00:00"
AS_EXAMPLES = (
    ("give the oak 9 liters", "water_plant", {"plant": "oak", "liters": 9}),
    ("the ivy needs 4 liters, fast", "water_plant", {"plant": "ivy", "liters": 4, "pace": "fast"}),
    ("how many pots did we plant on friday?", "count_pots", {"day": "friday"}),
)
"""The examples of the garden's docstrings with other values, each less than 0.75 of its example's words."""


def written(request: str, name: str, arguments: dict[str, object], toolbox: Toolbox) -> Candidate:
    made = Candidate(request, [], "simple", "model", 0, NOW)
    give_calls(made, [ToolCall.of(name, arguments)], toolbox)
    return made


def test_an_example_said_with_other_values_trains_as_the_example_does(garden: Path, tmp_path: Path):
    toolbox = read_tools(garden)
    with Executor(toolbox) as executor:
        examples = example_candidates(toolbox, executor, NOW)
    alike = [written(*said, toolbox) for said in AS_EXAMPLES]
    words = [f"now{n} then{n} so{n} fern for{n} me{n} 3 and{n}" for n in range(40)]
    others = [written(said, "water_plant", {"plant": "fern", "liters": 3}, toolbox) for said in words]
    rows = [trajectory_of(c, toolbox, "guarded", c.request, random.Random(0)) for c in [*examples, *alike, *others]]
    sides: dict[str, set[str | None]] = {}
    for seed in range(10):
        with Run.open(tmp_path / f"run-{seed}", {}) as run:
            TrajectoryStore(run.store).add(enumerate(rows))
            split(run, seed)
            for row in TrajectoryStore(run.store).trajectories():
                sides.setdefault(row.request, set()).add(row.meta.split)
    assert {request: sides[request] for request, _, _ in AS_EXAMPLES} == {
        request: {"train"} for request, _, _ in AS_EXAMPLES
    }
    assert set().union(*sides.values()) == {"train", "validation", "test"}, "other rows are drawn"
