"""What came out is counted by who made it, and too little is said; what nobody would ask is no training row."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lamina.checks import Reason
from lamina.errors import UserError, YieldError
from lamina.reports.page import render_report
from lamina.runs import Progress, Run
from lamina.synth import SynthSettings, check_yield, synthesize
from lamina.synth.grammar import Words
from lamina.synth.refusing import looks_asked
from lamina.synth.unserved import foreign_material
from lamina.synth.values import ValuePool
from lamina.synth.work import Work
from lamina.tools import read_tools
from lamina.tools.execution import Executor
from lamina.trajectories import Query, Reject, Trajectory, TrajectoryStore


def scripted(folder: Path, answer: str) -> str:
    file = folder / "answers.py"
    file.write_text(f"def reply(messages, tools, seed):\n    return {answer}\n")
    return f"scripted:{file}"


def outcome(
    tools: Path, out: Path, writer: str, **settings: Any
) -> tuple[dict[str, Any], list[Trajectory], list[Reject]]:
    toolbox = read_tools(tools)
    made = SynthSettings(**{"rows": 20, "batch": 16, "writer": writer, **settings})
    with Executor(toolbox) as executor, Run.open(out, {"a": 1}) as run:
        result = synthesize(toolbox, run, made, Progress(silent=True), executor)
        store = TrajectoryStore(run.store)
        return result, list(store.trajectories()), list(store.rejects())


def test_a_writer_that_says_blah_writes_no_row_of_any_style(garden: Path, tmp_path: Path):
    writer = scripted(tmp_path, "'blah'")
    result, rows, rejects = outcome(garden, tmp_path / "run", writer, styles=(("irrelevant", 1.0), ("simple", 1.0)))
    assert not [row for row in rows if row.meta.writer == writer]
    refused = {r.reason for r in rejects if (r.record or {}).get("style") == "irrelevant"}
    assert refused == {Reason.NOT_ASKED}
    said = result["shortfall"]
    assert "of the 20 rows asked for (0 by scripted:" in said
    assert "after 80 attempts, the limit of 4 a row; most failed at grounding (" in said
    with pytest.raises(YieldError, match="of the 20 rows asked for"):
        check_yield(result, writer)


def test_the_shares_asked_for_stand_beside_those_reached(garden: Path, writer: str, tmp_path: Path):
    result, rows, _ = outcome(
        garden, tmp_path / "run", writer, targets=16, grammar_share=0, variants=0,
        styles=(("simple", 3.0), ("irrelevant", 1.0)),
    )  # fmt: skip
    by_model = [row.meta.style for row in rows if row.meta.writer == writer]
    assert by_model
    assert result["shares"] == {
        style: {"asked": asked, "reached": round(by_model.count(style) / len(by_model), 3)}
        for style, asked in (("simple", 0.75), ("irrelevant", 0.25))
    }
    page = render_report(tmp_path / "run", {"synth": result})
    assert "the share asked for and the share reached: simple 75" in page


def test_every_tool_has_its_yield(garden: Path, writer: str, tmp_path: Path):
    result, rows, rejects = outcome(garden, tmp_path / "run", writer)
    found = result["by_tool"]
    assert set(found) >= {"water_plant", "count_pots", "(no call)"}
    for name in ("water_plant", "count_pots"):
        assert found[name]["passed"] == result["tools"][name] == sum(name in {c.name for c in r.calls} for r in rows)
        failed = [r for r in rejects if name in {c["name"] for c in (r.record or {}).get("calls", [])}]
        told = found[name]["failed"]
        assert failed
        assert sum(n for reasons in told.values() for n in reasons.values()) == len(failed)
        assert {(stage, reason) for stage, reasons in told.items() for reason in reasons} == {
            (r.stage, r.reason) for r in failed
        }
    arguments = result["diversity"]["arguments"]
    assert {"water_plant.plant", "water_plant.liters"} <= set(arguments)
    assert all(one["n"] >= 1 for one in arguments.values())


@pytest.mark.parametrize("text", ["blah", "", "ok ok ok", "blah blah", "lorem ipsum dolor", "42 17", "!!"])
def test_what_nobody_asks_is_no_refusal(text: str):
    assert not looks_asked(text)


@pytest.mark.parametrize(
    "text", ["who ate my tulip", "order pizza", "is it raining?", "my tv is broken", "Call a cab!"]
)
def test_what_people_ask_may_be_refused(text: str):
    assert looks_asked(text)


def test_every_longer_request_of_the_material_is_one_that_people_ask():
    requests = [r for entry in foreign_material()["foreign"] for r in entry["requests"] if " " in r]
    assert [r for r in requests if not looks_asked(r)] == []


def test_fewer_rows_than_asked_for_are_said_and_still_a_result(garden: Path, tmp_path: Path):
    last = "messages[-1]['content'].rstrip().splitlines()[-1]"
    writer = scripted(tmp_path, f"' and '.join(p.split(': ')[1] for p in {last}.strip('[]').split('; ') if ': ' in p)")
    result, rows, _ = outcome(garden, tmp_path / "run", writer, rows=24, near=0.2, per_call=2)
    by_model = len([row for row in rows if row.meta.writer == writer])
    composed = result["composition"].get("the grammar", 0)
    assert 0 < by_model < 24
    assert f"{by_model + composed} of the 24 rows asked for ({by_model} by {writer}" in result["shortfall"]
    check_yield(result, writer)


def test_enough_rows_are_as_many_as_asked_for_without_the_users_own(garden: Path, writer: str, tmp_path: Path):
    result, rows, _ = outcome(garden, tmp_path / "run", writer)
    assert result["shortfall"] is None
    made = result["composition"]
    assert made["the grammar"] + made[writer] >= 20
    assert made["your examples"] == 4
    assert made["your examples with other values"] == result["augmented"] > 0
    assert sum(made.values()) == len(rows)


@pytest.mark.parametrize(("examples", "times"), [(0, 2), (300, 2), (301, 1), (600, 1), (601, 0), (1257, 0)])
def test_the_more_examples_there_are_the_fewer_variants_each_has(examples: int, times: int):
    assert SynthSettings().variants_of(examples) == times
    assert SynthSettings(variants=5).variants_of(examples) == 5


def test_the_grammar_writes_its_share_of_the_rows_wanted_however_many_variants(
    garden: Path, writer: str, tmp_path: Path
):
    result, _, _ = outcome(garden, tmp_path / "run", writer, variants=8, grammar_share=0.3)
    assert result["composition"]["the grammar"] <= 6


def test_however_many_examples_there_are_at_least_300_rows_are_asked_for(garden: Path, tmp_path: Path):
    toolbox, many = read_tools(garden), [Query(str(n), f"sing song {n}", None, "refusal", []) for n in range(700)]
    with Executor(toolbox) as executor, Run.open(tmp_path / "run", {"a": 1}) as run:
        words = Words(toolbox, {}, ValuePool.of(list(toolbox)), executor, "2026-11-23T10:00:00")
        for seeds in ([], many):
            work = Work(toolbox, run, SynthSettings(), words, TrajectoryStore(run.store), seeds)
            assert work.examples >= len(seeds)
            assert (work.settings.wanted, work.settings.attempts) == (330, 1320)


def test_the_rows_asked_for_may_be_others_and_n_counts_attempts_alone():
    assert (SynthSettings(rows=50).wanted, SynthSettings(rows=50).attempts) == (50, 200)
    assert (SynthSettings(targets=70).wanted, SynthSettings(targets=70).attempts) == (None, 70)


@pytest.mark.parametrize("shares", [(-1.0, 2.0), (0.0, 0.0), (float("nan"), 1.0), (float("inf"), 1.0)])
def test_shares_that_are_none_are_refused(shares: tuple[float, float]):
    with pytest.raises(UserError, match="the shares of the styles are numbers of 0 or more"):
        SynthSettings(styles=tuple(zip(("simple", "irrelevant"), shares, strict=True)))
