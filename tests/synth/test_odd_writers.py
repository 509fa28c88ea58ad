"""What a writer may answer instead of a request: half of a JSON object, a megabyte, nothing. Each is a reject with a
reason of its own, and little is kept of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lamina.checks.answers import LONGEST_KEPT, kept
from lamina.checks.judge import check_judge
from lamina.checks.rule import Candidate
from lamina.models import open_model
from lamina.runs import Progress, Run
from lamina.synth import SynthSettings, synthesize
from lamina.tools import read_tools
from lamina.tools.execution import Executor
from lamina.trajectories import Reject, TrajectoryStore

HALF = '{"name": "water_plant", "arguments": {"plant": "oak", "lit'
MEGABYTE = "word " * 200_000
LARGE_PAIR = json.dumps({"query": MEGABYTE, "answers": [{"name": "water_plant", "arguments": {"plant": MEGABYTE}}]})
MANY = "[" + ", ".join(['{"query": "x"}'] * 70_000) + "]"
PAIRS = (("simple", 1.0), ("parallel", 1.0), ("parallel-multiple", 1.0))
ALL = (*PAIRS, ("irrelevant", 1.0), ("missing-argument", 1.0), ("multi-turn", 1.0))
A_REJECT = 30_000
"""Bytes at most, what was drawn and returned included."""


def rejects_of(garden: Path, out: Path, answer: str, how: str) -> tuple[list[Reject], list[str]]:
    """All that the answer, given to every request, comes to; and the lines that are exported."""
    (out.parent / "answer.txt").write_text(answer, encoding="utf-8")
    script = out.parent / "odd.py"
    script.write_text(f"SAID = open({str(out.parent / 'answer.txt')!r}).read()\n\ndef reply(*_):\n    return SAID\n")
    settings = SynthSettings(
        targets=24, batch=24, grammar_share=0, variants=0, writer=f"scripted:{script}", how=how,  # type: ignore[arg-type]
        styles=PAIRS if how == "pairs" else ALL,
    )  # fmt: skip
    toolbox = read_tools(garden)
    with Executor(toolbox) as executor, Run.open(out, {}) as run:
        synthesize(toolbox, run, settings, Progress(silent=True), executor)
        store = TrajectoryStore(run.store)
        by_model = [row for row in store.trajectories() if row.meta.writer == settings.writer]
        assert by_model == []
        return list(store.rejects()), (out / "rejects.jsonl").read_text().splitlines()


@pytest.mark.parametrize("how", ["call-first", "pairs"])
@pytest.mark.parametrize(
    ("answer", "reason"),
    [("", "no-answer"), (" \n ", "no-answer"), (HALF, "unreadable"), (MEGABYTE, "too-long")],
    ids=["nothing", "white space", "half of an object", "a megabyte"],
)
def test_each_odd_answer_is_a_reject_with_a_reason_of_its_own(
    garden: Path, tmp_path: Path, how: str, answer: str, reason: str
) -> None:
    rejects, lines = rejects_of(garden, tmp_path / "run", answer, how)
    assert len(rejects) >= 20
    # half of an answer is one pair that cannot be read, and beside it pairs that were never written
    beside = {"no-answer"} if how == "pairs" and reason == "unreadable" else set()
    assert {r.stage for r in rejects} == {"format"}
    assert {r.reason for r in rejects} == {reason} | beside
    assert all(r.detail for r in rejects)
    assert max(len(line) for line in lines) < A_REJECT


@pytest.mark.parametrize("answer", [LARGE_PAIR, MANY, f"[{MEGABYTE}]", '"' + MEGABYTE], ids=lambda text: text[:12])
@pytest.mark.parametrize("how", ["call-first", "pairs"])
def test_however_a_megabyte_looks_little_of_it_is_kept_and_marked(
    garden: Path, tmp_path: Path, how: str, answer: str
) -> None:
    rejects, lines = rejects_of(garden, tmp_path / "run", answer, how)
    assert max(len(line) for line in lines) < A_REJECT
    for one in rejects:
        if one.reason == "too-long":
            assert one.raw is not None
            assert one.raw.startswith(answer.strip()[:100])
            assert one.raw.endswith(" characters were written]")
            assert "characters, no request is that long" in one.detail
    assert any(one.reason == "too-long" for one in rejects) or answer == MANY


def test_pairs_that_take_some_room_together_are_not_too_long(garden: Path, tmp_path: Path) -> None:
    """Two of the three that were asked for, each with a long value: the third was not written, no more."""
    pair = {"query": "water it", "answers": [{"name": "water_plant", "arguments": {"plant": "oak " * 300}}]}
    rejects, _ = rejects_of(garden, tmp_path / "run", json.dumps([pair, pair]), "pairs")
    assert {r.reason for r in rejects} & {"too-long", "no-answer"} == {"no-answer"}


def test_a_judge_that_thinks_a_megabyte_does_not_fill_the_rejects(garden: Path, tmp_path: Path) -> None:
    said: dict[str, Any] = {"thought": MEGABYTE, "pass": False, "rule": "count"}
    script = tmp_path / "judge.py"
    script.write_text(f"SAID = {json.dumps(said)!r}\n\ndef reply(*_):\n    return SAID\n")
    row = Candidate("water the oak", [[]], "simple", "a model", 0, "2026-11-23T10:00:00")
    (found,) = check_judge([row], open_model(f"scripted:{script}"), read_tools(garden))
    assert found is not None
    assert found.detail.startswith("count: word word")
    assert found.detail.endswith("… [cut: 1,000,000 characters were written]")
    assert len(found.detail) < 400


def test_what_fits_is_kept_as_it_is() -> None:
    assert kept("x" * LONGEST_KEPT) == "x" * LONGEST_KEPT
    assert kept("x" * (LONGEST_KEPT + 1)) == "x" * LONGEST_KEPT + "… [cut: 2,001 characters were written]"
