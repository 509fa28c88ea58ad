"""What the user wrote counts most: examples become rows as they are, and are said again with other values."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lamina.checks.grounding import missing_values
from lamina.runs import Progress, Run
from lamina.synth import SynthSettings, split, synthesize
from lamina.synth.chatter import with_chatter
from lamina.synth.grammar import example_candidates
from lamina.synth.rules import check_alone
from lamina.synth.unserved import unserved_requests, with_values
from lamina.tools import Toolbox, read_tools
from lamina.tools.execution import Executor
from lamina.trajectories import ToolCall, Trajectory, read_queries, read_trajectories, with_examples

SEEDS = [
    {
        "query": "the tulip wants 3 liters",
        "calls": [{"name": "water_plant", "arguments": {"plant": "tulip", "liters": 3}}],
    },
    {
        "query": "pots of friday and 2 liters on the fern",
        "calls": [
            {"name": "count_pots", "arguments": {"day": "friday"}},
            {"name": "water_plant", "arguments": {"plant": "fern", "liters": 2}},
        ],
    },
    {"query": "who ate my tulip", "calls": []},
]


def rows_of(
    tools: Path, writer: str, out: Path, held_out: dict[str, str] | None = None, **settings
) -> list[Trajectory]:
    file = out.parent / "examples.jsonl"
    file.write_text("\n".join(json.dumps(row) for row in SEEDS))
    toolbox = read_tools(tools)
    made = SynthSettings(rows=30, batch=16, writer=writer, **settings)
    with Executor(toolbox) as executor, Run.open(out, {"a": 1}) as run:
        synthesize(toolbox, run, made, Progress(silent=True), executor, seeds=read_queries(file, toolbox))
        split(run, 0, held_out)
    return list(read_trajectories(out / "trajectories.jsonl"))


def augmented(row: Trajectory) -> bool:
    return "augmented" in (row.meta.model_extra or {})


def test_the_users_requests_become_rows_word_for_word_and_always_train(garden: Path, writer: str, tmp_path: Path):
    rows = {r.request: r for r in rows_of(garden, writer, tmp_path / "run") if not augmented(r)}
    for seed in SEEDS:
        row = rows[seed["query"]]
        assert [{"name": c.name, "arguments": c.arguments} for c in row.calls] == seed["calls"]
        assert row.meta.writer == "examples"
        assert row.meta.split == "train"
    assert len([m for m in rows[SEEDS[1]["query"]].messages if m.role == "tool"]) == 2


def test_each_call_of_an_example_has_a_name_of_its_own_by_which_its_result_is_found(
    garden: Path, writer: str, tmp_path: Path
):
    rows = rows_of(garden, writer, tmp_path / "run", variants=3)
    asked_two = [row for row in rows if row.meta.writer == "examples" and len(row.calls) == 2]
    assert asked_two
    for row in asked_two:
        ids = [call.id for call in row.calls]
        assert len(set(ids)) == 2
        assert [m.tool_call_id for m in row.messages if m.role == "tool"] == ids


def test_variants_say_an_example_with_other_values_that_really_ran(garden: Path, writer: str, tmp_path: Path):
    rows = rows_of(garden, writer, tmp_path / "run", variants=3)
    variants = [r for r in rows if augmented(r)]
    toolbox = read_tools(garden)
    assert len(variants) >= 6
    assert {r.meta.writer for r in variants} == {"examples"}
    originals = {r.request for r in rows if not augmented(r)}
    for row in variants:
        assert row.request not in originals
        assert missing_values(row.request, row.calls, toolbox) == []
        assert len([m for m in row.messages if m.role == "tool"]) == 1


def test_without_variants_there_are_none(garden: Path, writer: str, tmp_path: Path):
    assert not [r for r in rows_of(garden, writer, tmp_path / "run", variants=0) if augmented(r)]


def test_a_copy_of_a_held_out_request_neither_trains_nor_tests(garden: Path, writer: str, tmp_path: Path):
    rows = rows_of(garden, writer, tmp_path / "run", held_out={"The tulip wants 3 liters!": "queries.jsonl q-7"})
    (copy,) = [r for r in rows if r.request == "the tulip wants 3 liters"]
    assert copy.meta.split == "contaminated"
    assert (copy.meta.model_extra or {})["contaminated"] == "queries.jsonl q-7: The tulip wants 3 liters!"


NOTHING_PAST = '''
import os


def due(day: str) -> str:
    """Set the day when something is due.

    Args:
        day: The day, such as "2026-08-04".

    Examples:
        it is due on 2026-12-01
        >>> due(day="2026-12-01")
    """
    if day < os.environ["LAMINA_NOW"][:10]:
        raise ValueError(f"{day} is already past")
    return os.environ["LAMINA_NOW"]
'''


def test_an_example_of_one_call_runs_at_its_own_clock_however_long_ago_that_is(tmp_path: Path):
    tools, file = tmp_path / "tools.py", tmp_path / "examples.jsonl"
    tools.write_text(NOTHING_PAST)
    said = {"query": "blood test on 2026-08-04", "now": "2026-07-13T15:30:00"}
    file.write_text(json.dumps({**said, "calls": [{"name": "due", "arguments": {"day": "2026-08-04"}}]}))
    toolbox = read_tools(tools)
    toolbox = with_examples(toolbox, read_queries(file, toolbox))
    with Executor(toolbox) as executor:
        of_docstring, of_file = example_candidates(toolbox, executor, "2026-11-23T10:00:00")
    assert [check_alone(row, toolbox, grounded=False) for row in (of_docstring, of_file)] == [None, None]
    assert (of_docstring.now, of_file.now) == ("2026-11-23T10:00:00", "2026-07-13T15:30:00")
    assert of_file.results[0][0].value == "2026-07-13T15:30:00"


@given(st.integers(0, 10_000), st.sampled_from(["2 liters for the fern", "Pots of Monday?", "I need 3 liters on it"]))
def test_chatter_leaves_every_word_of_the_request_in_its_place(seed: int, request: str):
    said = with_chatter(request, [], Toolbox([]), random.Random(seed))
    assert request.rstrip(" .!?").casefold() in said.casefold()


def test_chatter_that_would_hide_a_value_is_not_said(garden: Path):
    toolbox = read_tools(garden)
    calls = [ToolCall.of("water_plant", {"plant": "fern", "liters": 2})]
    for seed in range(200):
        said = with_chatter("2 liters for the fern", calls, toolbox, random.Random(seed))
        assert missing_values(said, calls, toolbox) == []


def test_a_relative_date_may_have_chatter_around_it(garden: Path):
    toolbox = read_tools(garden)
    calls = [ToolCall.of("count_pots", {"day": "2026-11-24"})]
    said = {with_chatter("pots tomorrow", calls, toolbox, random.Random(n), "2026-11-23T10:00:00") for n in range(20)}
    assert len(said) > 5
    assert all("tomorrow" in text for text in said)


@pytest.mark.parametrize("seed", range(3))
def test_requests_that_nobody_serves_are_said_with_real_values(seed: int):
    rng = random.Random(seed)
    said = [with_values(pattern, rng) for pattern in unserved_requests(Toolbox([]))]
    assert len(said) > 200
    assert not [text for text in said if "{" in text]
