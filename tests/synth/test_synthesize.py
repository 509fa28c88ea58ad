"""Synthesis with a scripted writer: what is kept is verified, what is not has a reason, a kill costs nothing."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lamina.checks import Candidate, Reason, Rejection
from lamina.errors import UserError
from lamina.models import open_model
from lamina.runs import Progress, Run
from lamina.synth import SynthSettings, composing, split, synthesize
from lamina.synth.augment import is_variant
from lamina.synth.synthesize import _by_models
from lamina.synth.verifying import trajectory_of
from lamina.synth.wording import locate
from lamina.synth.work import Work
from lamina.tools import Tool, Toolbox, read_tools
from lamina.tools.execution import Executor
from lamina.trajectories import ToolCall, TrajectoryStore, read_trajectories


def run_synth(tools: Path, out: Path, **settings: Any) -> dict[str, Any]:
    toolbox = read_tools(tools)
    made = SynthSettings(**{"rows": 40, "batch": 16, "round_trip": "none", **settings})
    with Executor(toolbox) as executor, Run.open(out, {"writer": made.writer}) as run:
        result = synthesize(toolbox, run, made, Progress(silent=True), executor)
        split(run)
    return result


def test_every_kept_call_fits_ran_and_is_said_in_its_request(garden: Path, writer: str, tmp_path: Path) -> None:
    result = run_synth(garden, tmp_path / "run", writer=writer)
    rows = list(read_trajectories(tmp_path / "run" / "trajectories.jsonl"))
    assert result["verified"] >= 40
    assert len(rows) == result["verified"] + result["augmented"]
    toolbox = read_tools(garden)
    for row in rows:
        assert row.meta.sandbox == "guarded"
        for call in row.calls:
            assert toolbox[call.name].problems(call.arguments) == []
        results = [m for m in row.messages if m.role == "tool"]
        assert len(results) == len(row.calls)


def test_rejects_are_kept_with_stage_reason_and_what_was_written(garden: Path, writer: str, tmp_path: Path) -> None:
    result = run_synth(garden, tmp_path / "run", writer=writer)
    with Run.at(tmp_path / "run") as run:
        rejects = list(TrajectoryStore(run.store).rejects())
    assert rejects
    assert sum(n for reasons in result["rejected"].values() for n in reasons.values()) == len(rejects)
    for reject in rejects:
        assert reject.reason in set(Reason)
        assert reject.detail
        assert reject.record is not None
        assert reject.record["writer"]


LONG = '''
def print_page(name: str) -> str:
    """Print a page.

    Args:
        name: Of the page.

    Examples:
        print the page garden
        >>> print_page(name="garden")
    """
    return name * 500_000
'''


def test_a_result_of_megabytes_is_cut_and_the_record_says_so(writer: str, tmp_path: Path) -> None:
    (tmp_path / "long.py").write_text(LONG, encoding="utf-8")
    run_synth(tmp_path / "long.py", tmp_path / "run", rows=2, writer=writer)
    rows = [row for row in read_trajectories(tmp_path / "run" / "trajectories.jsonl") if row.calls]
    assert rows
    for row in rows:
        results = [m for m in row.messages if m.role == "tool"]
        assert row.truncated == list(range(len(results)))
        assert {len(m.content) for m in results} == {65_536}


def test_the_grammar_writes_at_most_a_third(garden: Path, writer: str, tmp_path: Path) -> None:
    run_synth(garden, tmp_path / "run", writer=writer, grammar_share=1 / 3)
    rows = list(read_trajectories(tmp_path / "run" / "trajectories.jsonl"))
    used = [r for r in rows if r.meta.split != "surplus" and not is_variant(r)]
    composed = [r for r in used if r.meta.writer == "grammar"]
    assert composed
    assert len(composed) <= len(used) / 3


def test_more_than_a_third_is_refused_before_any_work() -> None:
    with pytest.raises(UserError, match="between 0 and 1/3"):
        SynthSettings(grammar_share=0.5)


def test_synthesis_stops_at_four_attempts_a_row_and_says_so(garden: Path, tmp_path: Path) -> None:
    silent = tmp_path / "silent.py"
    silent.write_text("def reply(messages, tools, seed):\n    return ''\n", encoding="utf-8")
    result = run_synth(garden, tmp_path / "run", writer=f"scripted:{silent}", rows=10)
    assert result["stopped"] == "40 attempts made"
    assert result["rejected"]["format"] == {"no-answer": 40}
    assert result["writers"].get(f"scripted:{silent}", 0) == 0


@pytest.mark.parametrize("answer", ["{", '{"query": ', "\\ud83d", "word " * 250_000, "\x00\x00"])
def test_a_writer_that_writes_nonsense_gives_rejects_and_no_crash(garden: Path, tmp_path: Path, answer: str) -> None:
    (tmp_path / "answer.txt").write_text(answer, encoding="utf-8")
    script = tmp_path / "nonsense.py"
    script.write_text(
        f"def reply(messages, tools, seed):\n    return open({str(tmp_path / 'answer.txt')!r}).read()\n",
        encoding="utf-8",
    )
    result = run_synth(garden, tmp_path / "run", writer=f"scripted:{script}", targets=8, how="pairs")
    assert result["rejected"]["format"]


def test_pairs_that_a_model_writes_are_executed_and_grounded(garden: Path, tmp_path: Path) -> None:
    script = tmp_path / "pairs.py"
    script.write_text(
        "import json\n"
        "def reply(messages, tools, seed):\n"
        "    n = seed % 90 + 2\n"
        "    liters = n if seed % 2 else 100000\n"
        "    return json.dumps({'query': f'give the oak {n} liters', 'answers': "
        "[{'name': 'water_plant', 'arguments': {'plant': 'oak', 'liters': liters}}]})\n",
        encoding="utf-8",
    )
    result = run_synth(
        garden, tmp_path / "run", writer=f"scripted:{script}", targets=32, how="pairs", grammar_share=0.0
    )
    rows = [r for r in read_trajectories(tmp_path / "run" / "trajectories.jsonl") if r.meta.writer != "examples"]
    assert rows
    for row in rows:
        assert f"give the oak {row.calls[0].arguments['liters']:g} liters" in row.request
    assert result["rejected"]["execution"] == {"raised": result["rejected"]["execution"]["raised"]}
    assert all(r.calls[0].arguments["liters"] < 300 for r in rows)


def test_near_copies_stay_on_one_side_of_the_split(garden: Path, writer: str, tmp_path: Path) -> None:
    """By frame, which is looked for here anew: an example and what the grammar fills into it are one."""
    run_synth(garden, tmp_path / "run", writer=writer, rows=60, variants=0)
    toolbox, sides = read_tools(garden), dict[str, set[str]]()
    for row in read_trajectories(tmp_path / "run" / "trajectories.jsonl"):
        frame = (row.meta.model_extra or {})["template"]
        if row.meta.writer == "examples":
            (call,) = row.calls
            located = locate(toolbox[call.name], row.request, call.arguments)
            frame = f"{call.name}: {located.frame}" if located else row.request
        if row.meta.split != "surplus":
            sides.setdefault(frame or row.request, set()).add(str(row.meta.split))
    assert {side for found in sides.values() for side in found} >= {"train", "test"}
    assert [frame for frame, found in sides.items() if len(found) > 1] == []


COMMAND = """
import sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from test_synthesize import run_synth
run_synth(Path({tools!r}), Path({out!r}), writer={writer!r}, rows=60, batch=8)
"""


def test_a_killed_synthesis_continues_and_ends_byte_identical(garden: Path, writer: str, tmp_path: Path) -> None:
    run_synth(garden, tmp_path / "unbroken", writer=writer, rows=60, batch=8)
    broken = tmp_path / "broken"
    code = COMMAND.format(tests=str(Path(__file__).parent), tools=str(garden), out=str(broken), writer=writer)
    for delay in (1.5, 2.0, 2.5):
        process = subprocess.Popen([sys.executable, "-c", code], start_new_session=True)
        time.sleep(delay)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    subprocess.run([sys.executable, "-c", code], check=True)
    for name in ("trajectories.jsonl", "rejects.jsonl"):
        assert (broken / name).read_bytes() == (tmp_path / "unbroken" / name).read_bytes()


def test_a_grammar_broken_off_between_its_parts_continues_and_ends_byte_identical(
    garden: Path, writer: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(composing, "PART", 4)
    commit = Work.commit

    def broken_off(work: Work, phase: str, *given: Any, **notes: Any) -> None:
        commit(work, phase, *given, **notes)
        if phase == "grammar-2":
            raise KeyboardInterrupt

    whole = run_synth(garden, tmp_path / "whole", writer=writer, rows=60)
    monkeypatch.setattr(Work, "commit", broken_off)
    with pytest.raises(KeyboardInterrupt):
        run_synth(garden, tmp_path / "broken", writer=writer, rows=60)
    monkeypatch.setattr(Work, "commit", commit)
    resumed = run_synth(garden, tmp_path / "broken", writer=writer, rows=60)
    for name in ("trajectories.jsonl", "rejects.jsonl"):
        assert (tmp_path / "broken" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    assert (resumed["targets"], resumed["writers"]) == (whole["targets"], whole["writers"])


def test_the_attempts_of_the_grammar_count_in_whatever_parts_they_were_committed(
    garden: Path, writer: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once = run_synth(garden, tmp_path / "at once", writer=writer, targets=60)
    monkeypatch.setattr(composing, "PART", 4)
    assert run_synth(garden, tmp_path / "in parts", writer=writer, targets=60)["targets"] == at_once["targets"] == 60


@pytest.mark.parametrize(("votes", "passes"), [(1, True), (3, False), (5, True)])
def test_of_the_votes_of_a_judge_more_than_half_must_pass(
    garden: Path, tmp_path: Path, votes: int, passes: bool
) -> None:
    """This one passes a row when it is asked with seeds 0, 3 and 4."""
    judge = tmp_path / "judge.py"
    judge.write_text(
        "import json\n\n\ndef reply(messages, tools, seed):\n"
        "    good = seed in (0, 3, 4)\n"
        "    return json.dumps({'thought': 'so', 'pass': good, 'rule': 'none' if good else 'other'})\n",
        encoding="utf-8",
    )
    toolbox, settings = read_tools(garden), SynthSettings(votes=votes)
    call = ToolCall.of(next(iter(toolbox)).name, {})
    row = Candidate("Do it, please.", [[call]], "simple", "model", 0, "")
    agreement = SimpleNamespace(usable=True)
    work = SimpleNamespace(
        round_trip=None, judge=open_model(f"scripted:{judge}"), agreement=agreement, toolbox=toolbox, settings=settings
    )
    rejections: list[Rejection | None] = [None]
    _by_models(work, [row], rejections)  # type: ignore[arg-type]
    assert (rejections[0] is None) == passes


@pytest.mark.parametrize(("always", "verdict"), [(True, "pass"), (False, "fail")])
def test_rows_of_a_judge_near_chance_are_marked_unjudged_and_neither_passed_nor_failed(
    garden: Path, writer: str, tmp_path: Path, always: bool, verdict: str
) -> None:
    """It says the same of every row, so it agrees with 30 of the 60 that are labelled."""
    judge = tmp_path / "judge.py"
    rule = "none" if always else "objective"
    answer = f"{{'thought': 'so', 'pass': {always}, 'rule': {rule!r}}}"
    judge.write_text(f"import json\n\n\ndef reply(messages, tools, seed):\n    return json.dumps({answer})\n")
    result = run_synth(garden, tmp_path / "run", writer=writer, judge=f"scripted:{judge}", rows=12)
    assert (result["judge"]["agreed"], result["judge"]["rows"], result["judge"]["usable"]) == (30, 60, False)
    assert "judge" not in result["rejected"], f"it would {verdict} every row"
    written = [r for r in read_trajectories(tmp_path / "run" / "trajectories.jsonl") if r.meta.writer == writer]
    assert written
    for row in written:
        (said,) = [check for check in row.meta.checks if check.name == "judge"]
        assert said.verdict == "unjudged"
        assert said.detail == "the judge: it agrees with 30 of 60 rows labelled by hand, which is near chance"


@pytest.mark.parametrize("by", ["examples", "grammar"])
def test_rows_that_no_model_wrote_keep_their_number_of_calls_too(by: str) -> None:
    box = Toolbox([Tool("walk", "Walk.", {"type": "object", "properties": {"steps": {"type": "integer"}}})])
    calls = [ToolCall.of("walk", {"steps": steps}) for steps in (3, 5)]
    for style, made, kept in (("parallel", calls, 2), ("simple", calls[:1], 0), ("irrelevant", [], 0)):
        row = Candidate("walk 3 and then 5", [made], style, by, 0, "2026-01-01T00:00:00")
        assert trajectory_of(row, box, "guarded", row.request, random.Random(0)).expected_calls == kept
