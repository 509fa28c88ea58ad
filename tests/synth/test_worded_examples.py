"""Wordings for tools that have examples: an example with other values is said again, in a wording of its own."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from lamina.checks import Candidate, Reason
from lamina.errors import UserError
from lamina.runs import Progress, Run
from lamina.synth import SynthSettings, grammar, prompts, synthesize
from lamina.synth.rules import check_alone
from lamina.synth.settings import LIKE_EXAMPLES, OTHERWISE, WORDINGS
from lamina.synth.styles import joint
from lamina.synth.values import ValuePool
from lamina.synth.wording import Slot
from lamina.synth.work import Work
from lamina.synth.writers import Assignment, Materials, call_first
from lamina.tools import read_tools
from lamina.tools.execution import Executor
from lamina.trajectories import ToolCall, Trajectory, TrajectoryStore, read_trajectories

AGAIN = [wording for wording in WORDINGS if wording != "plain"]
"""The wordings that an example is said again in."""
NOW = "2026-11-23T10:00:00"


@contextmanager
def materials(tools: Path, **settings: Any) -> Iterator[Materials]:
    toolbox, made = read_tools(tools), SynthSettings(**settings)
    with Executor(toolbox) as executor:
        shown = grammar.located_examples(toolbox)
        words = grammar.Words(toolbox, shown, ValuePool.of(list(toolbox)), executor, NOW)
        yield Materials(words, {name: list(found) for name, found in shown.items()}, made)


def synth(tools: Path, out: Path, writer: str, **settings: Any) -> list[Trajectory]:
    toolbox = read_tools(tools)
    made = SynthSettings(**{"rows": 30, "batch": 16, "grammar_share": 0, "writer": writer, "variants": 0, **settings})
    with Executor(toolbox) as executor, Run.open(out, {"seed": made.seed}) as run:
        synthesize(toolbox, run, made, Progress(silent=True), executor)
    return [row for row in read_trajectories(out / "trajectories.jsonl") if row.meta.writer == writer]


def said_again(a: Assignment) -> tuple[str, str, str]:
    """What stands before, the sentence to be said again, and the values of its call."""
    before, last = (a.requests[0].raw_prompt or "").rsplit("\n\n", 1)
    sentence, values = last.split("\n")
    return before, sentence, values


@pytest.mark.parametrize("wording", AGAIN)
def test_prompts_of_one_wording_begin_alike_whatever_the_tool(garden: Path, wording: str) -> None:
    with materials(garden, wordings=(wording,)) as m:
        asked = call_first(m, "simple", random.Random(0), 24)
    assert {a.drawn[0].tool.name for a in asked} == {"water_plant", "count_pots"}
    assert {a.wording for a in asked} == {wording}
    assert len({said_again(a)[0] for a in asked}) == 1, "an engine reads what comes before once"
    for a in asked:
        _, sentence, values = said_again(a)
        assert sentence == a.said
        assert all(part.split(": ")[1] in sentence for part in values.strip("[]").split("; ") if ": " in part)


def test_every_wording_says_every_plain_request_again() -> None:
    asked = {prompts.reworded_prompt(wording, "water it", [Slot("plant", "fern")]) for wording in AGAIN}
    assert len(asked) == len(AGAIN)
    assert all(prompt.endswith("\n\nwater it\n[plant: fern]") for prompt in asked)


def test_asked_for_plainly_a_tool_is_described_and_its_examples_left_out(garden: Path) -> None:
    with materials(garden, wordings=("plain",)) as m:
        asked = call_first(m, "simple", random.Random(0), 12)
        for a in asked:
            about = prompts.first_prefix(a.drawn[0].tool, "plain")
            assert (a.requests[0].raw_prompt or "").startswith(about)
            assert not any(e.request in (a.requests[0].raw_prompt or "") for e in m.pools[a.drawn[0].tool.name])


def test_a_quarter_is_worded_otherwise_unless_one_says_so() -> None:
    rng, count = random.Random(0), 4000
    usual = Counter(SynthSettings().wording(rng, has_examples=True) for _ in range(count))
    assert set(usual) == {LIKE_EXAMPLES, *WORDINGS}
    assert usual[LIKE_EXAMPLES] / count == pytest.approx(1 - OTHERWISE, abs=0.03)
    assert {SynthSettings().wording(rng, has_examples=False) for _ in range(100)} == set(WORDINGS)
    told = SynthSettings(wordings=("terse", "vague"))
    assert {told.wording(rng, has_examples=True) for _ in range(100)} == {"terse", "vague"}
    like = SynthSettings(wordings=(LIKE_EXAMPLES,))
    assert [like.wording(rng, has_examples=shown) for shown in (True, False)] == [LIKE_EXAMPLES, "plain"]


def test_a_run_words_its_rows_as_it_is_told(garden: Path, writer: str, tmp_path: Path) -> None:
    told = synth(garden, tmp_path / "told", writer, wordings=("terse", "chatty"), styles=(("simple", 1.0),))
    assert {(row.meta.model_extra or {})["wording"] for row in told} == {"terse", "chatty"}
    usual = synth(garden, tmp_path / "usual", writer, rows=60, styles=(("simple", 1.0),))
    counted = Counter((row.meta.model_extra or {})["wording"] for row in usual)
    assert counted.most_common(1)[0][0] == LIKE_EXAMPLES
    assert len(counted) > 2


def test_what_is_worded_otherwise_is_no_example_for_those_that_follow_the_examples(
    garden: Path, writer: str, tmp_path: Path
) -> None:
    synth(garden, tmp_path / "run", writer, rows=60, styles=(("simple", 1.0),))
    toolbox = read_tools(garden)
    with Executor(toolbox) as executor, Run.at(tmp_path / "run") as run:
        words = grammar.Words(toolbox, grammar.located_examples(toolbox), ValuePool.of(list(toolbox)), executor, NOW)
        work = Work(toolbox, run, SynthSettings(rows=60, writer=writer), words, TrajectoryStore(run.store))
        work.remember()
        followed = {e.request for pool in work.pools.values() for e in pool}
        rows = [row for row in work.rows.trajectories() if row.meta.writer == writer]
    clean = {w: {(r.meta.model_extra or {})["clean"] for r in rows if (r.meta.model_extra or {})["wording"] == w}
             for w in (LIKE_EXAMPLES, *WORDINGS)}  # fmt: skip
    otherwise = set().union(*(clean[wording] for wording in WORDINGS))
    assert otherwise
    assert otherwise.isdisjoint(followed)
    assert clean[LIKE_EXAMPLES] & followed


@pytest.mark.parametrize(("request_", "kept"), [("Give the oak 7 liters!", False), ("oak, 7 liters", True)])
def test_a_writer_that_says_the_sentence_itself_has_not_said_it_otherwise(
    garden: Path, request_: str, kept: bool
) -> None:
    with materials(garden, wordings=("terse",)) as m:
        (a,) = [one for one in call_first(m, "simple", random.Random(0), 40) if len(one.drawn[0].arguments) == 2][:1]
        arguments = {"plant": "oak", "liters": 7}
        ran = m.words.executor.run_many([[("water_plant", arguments)]], [NOW])
        told = Assignment(a.requests, "simple", 0, a.drawn, said="give the oak 7 liters", wording="terse")
        made = Candidate(
            request=request_, turns=[[ToolCall.of("water_plant", arguments)]], style="simple", writer="scripted",
            seed=0, now=NOW, results=ran,
        )  # fmt: skip
        found = check_alone(made, m.toolbox, told)
    assert (found is None) == kept
    assert found is None or (found.stage, found.reason) == ("novelty", Reason.DUPLICATE)


def test_pieces_of_one_request_are_worded_alike(garden: Path) -> None:
    with materials(garden, wordings=("indirect",)) as m:
        (a, *_) = joint.parallel_multiple(m, random.Random(1), 4)
        asked = [request.raw_prompt or "" for request in a.requests]
    assert a.wording == "indirect"
    assert len({prompt.rsplit("\n\n", 1)[0] for prompt in asked if "I have no idea what to do" in prompt}) <= 2
    assert all("would" in prompt or "I wonder" in prompt for prompt in asked)
    with materials(garden) as m:
        found = {a.wording for a in joint.parallel_multiple(m, random.Random(1), 40)}
    assert LIKE_EXAMPLES in found
    assert found & set(AGAIN)


def test_pairs_cannot_be_worded_like_examples_alone(garden: Path, writer: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="pairs is not worded like-examples"):
        synth(garden, tmp_path / "run", writer, how="pairs", wordings=(LIKE_EXAMPLES,))
