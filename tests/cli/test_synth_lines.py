"""What ``lamina synth`` prints at its end: figures that fit together, and what did not count."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

WRITER = """
import re


def reply(messages, tools, seed):
    said = re.findall(r": ([^;\\]]+)", messages[-1]["content"].rstrip().splitlines()[-1])
    return f"please take {' and '.join(said)} now"
"""
JUDGE = """
import json


def reply(messages, tools, seed):
    return json.dumps({"thought": "fine", "pass": True, "rule": "none"})
"""


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--votes", "3"], "no judge is named; --votes wants --judge REF"),
        (["--votes-needed", "1"], "no judge is named; --votes-needed wants --judge REF"),
        (["--unconstrained"], "--unconstrained says how pairs are written; add --how pairs or leave it out"),
        (["--per-request", "5"], "--per-request says how many pairs are asked for at once; add --how pairs"),
    ],
)
def test_an_option_that_would_change_nothing_is_an_error(
    lamina, tools_file: Path, tmp_path: Path, words: list[str], said: str
):
    done = lamina("synth", tools_file, "--out", tmp_path / "run", "--writer", "scripted:none.py", *words)
    assert done.status == 2
    assert said in done.errors[-1]
    assert not (tmp_path / "run").exists()


def test_examples_are_counted_apart_and_a_judge_near_chance_is_said_not_to_count(
    lamina, tools_file: Path, tmp_path: Path
):
    (tmp_path / "writer.py").write_text(WRITER, encoding="utf-8")
    (tmp_path / "judge.py").write_text(JUDGE, encoding="utf-8")
    examples = [
        {"query": f"multiply {n} by 7", "calls": [{"name": "scale", "arguments": {"value": n, "factor": 7}}]}
        for n in range(11, 15)
    ]
    (tmp_path / "mine.jsonl").write_text("".join(json.dumps(row) + "\n" for row in examples), encoding="utf-8")
    words = ["--writer", f"scripted:{tmp_path / 'writer.py'}", "--judge", f"scripted:{tmp_path / 'judge.py'}"]
    said = lamina(
        "synth", tools_file, *words, "-n", "8", "--examples", tmp_path / "mine.jsonl", "--out", tmp_path / "run"
    )
    assert said.status == 0, said.err
    made = json.loads((tmp_path / "run" / "report.json").read_text("utf-8"))["synth"]
    own = made["composition"]["your examples"]
    first = next(line for line in said.out.splitlines() if "verified rows" in line)
    assert own >= 4
    assert f"{made['verified']} verified rows in {tmp_path / 'run'}: " in first
    assert f": {made['verified'] - own} of 8 targets, {own} examples" in first
    assert "no row failed at judge: is it checking anything?" in said.out
    near = "the judge did not count: it agrees with 30 of 60 rows labelled by hand, which is near chance"
    assert near in said.out


def test_a_judge_whose_answers_cannot_be_read_is_said_to_be_that(lamina, tools_file: Path, tmp_path: Path):
    (tmp_path / "writer.py").write_text(WRITER, encoding="utf-8")
    (tmp_path / "judge.py").write_text('def reply(*_):\n    return "I think so"\n', encoding="utf-8")
    words = ["--writer", f"scripted:{tmp_path / 'writer.py'}", "--judge", f"scripted:{tmp_path / 'judge.py'}"]
    said = lamina("synth", tools_file, *words, "-n", "4", "--out", tmp_path / "run")
    assert "the judge did not count: 60 of its 60 answers about rows labelled by hand cannot be read;" in said.out
