"""``lamina data check --judge``: the judge of synthesis, over a data set that somebody else made."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

KNOWS = """
import json
from lamina.checks import labelled_rows

WRONG = [r.request for r in labelled_rows() if r.meta.model_extra["label"] == "wrong"]


def reply(messages, tools, seed):
    asked = messages[-1]["content"].split("Request: ", 1)[1].split("\\n", 1)[0]
    bad = asked in WRONG or "TWICE" in asked or ("maybe" in asked and seed % 3 != 1)
    return json.dumps({"thought": "seen", "pass": not bad, "rule": "arguments" if bad else "none"})
"""
YES = """
def reply(messages, tools, seed):
    return '{"thought": "fine", "pass": true, "rule": "none"}'
"""


def rows(path: Path, *requests: str) -> Path:
    call = {"type": "function", "function": {"name": "scale", "arguments": {"value": 4, "factor": 7}}}
    lines = [
        {"id": f"r{n}", "messages": [{"role": "user", "content": request}, {"role": "assistant", "tool_calls": [call]}]}
        for n, request in enumerate(requests)
    ]
    path.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    return path


@pytest.fixture
def judge(tmp_path: Path) -> str:
    (tmp_path / "judge.py").write_text(KNOWS, encoding="utf-8")
    return f"scripted:{tmp_path / 'judge.py'}"


def test_what_passes_everything_else_is_judged(lamina, tools_file: Path, tmp_path: Path, judge: str):
    file = rows(tmp_path / "rows.jsonl", "what is 4 times 7", "what is 4 times 7 TWICE", "what is 5 times 6")
    said = lamina("data", "check", file, "--execute", tools_file, "--judge", judge, "--json")
    found = json.loads(said.out)
    assert found["accepted"] == ["r0"]
    assert {(r["id"], r["stage"]) for r in found["rejected"]} == {("r1", "judge"), ("r2", "grounding")}
    assert found["models"][0]["usable"]


def test_more_than_half_of_the_votes_must_pass(lamina, tools_file: Path, tmp_path: Path, judge: str):
    file = rows(tmp_path / "rows.jsonl", "maybe 4 times 7")
    words = ["data", "check", file, "--execute", tools_file, "--judge", judge, "--votes", "3", "--json"]
    (rejected,) = json.loads(lamina(*words).out)["rejected"]
    assert (rejected["reason"], rejected["detail"]) == ("judged-wrong", "arguments: seen (2 of 3)")


def test_a_judge_that_always_says_yes_is_near_chance_and_its_records_are_unjudged(
    lamina, tools_file: Path, tmp_path: Path
):
    (tmp_path / "yes.py").write_text(YES, encoding="utf-8")
    file = rows(tmp_path / "rows.jsonl", "what is 4 times 7")
    words = [file, "--execute", tools_file, "--judge", f"scripted:{tmp_path / 'yes.py'}"]
    said = lamina("data", "check", *words)
    assert "the judge agrees with 30 of 60 labelled rows: near chance, so what it says is not used" in said.out
    lamina("data", "fix", *words, "--out", tmp_path / "fixed")
    (row,) = [json.loads(line) for line in (tmp_path / "fixed" / "trajectories.jsonl").read_text().splitlines()]
    (check,) = [check for check in row["meta"]["checks"] if check["name"] == "judge"]
    assert check["verdict"] == "unjudged"


def test_a_judge_that_rejected_nothing_is_pointed_out(lamina, tools_file: Path, tmp_path: Path, judge: str):
    file = rows(tmp_path / "rows.jsonl", "what is 4 times 7")
    said = lamina("data", "check", file, "--execute", tools_file, "--judge", judge)
    assert "no record failed at judge: is it checking anything?" in said.out


def test_thoughts_are_rated_and_a_rater_that_likes_everything_is_not_used(lamina, tools_file: Path, tmp_path: Path):
    body = """def reply(messages, tools, seed):\n    return '{"reason": "fine", "rating": 5}'\n"""
    (tmp_path / "five.py").write_text(body, encoding="utf-8")
    row = json.loads(rows(tmp_path / "rows.jsonl", "what is 4 times 7").read_text())
    row["messages"][1]["content"] = "Four times seven: scale takes both."
    (tmp_path / "rows.jsonl").write_text(json.dumps(row), encoding="utf-8")
    words = [
        "data",
        "fix",
        tmp_path / "rows.jsonl",
        "--tools",
        tools_file,
        "--rate",
        f"scripted:{tmp_path / 'five.py'}",
    ]
    (told,) = json.loads(lamina(*words, "--out", tmp_path / "fixed", "--json").out)["models"]
    assert (told["stage"], told["labelled"], told["agreed"], told["usable"]) == ("rating", "thoughts", 15, False)
    (kept,) = [json.loads(line) for line in (tmp_path / "fixed" / "trajectories.jsonl").read_text().splitlines()]
    (check,) = [check for check in kept["meta"]["checks"] if check["name"] == "rating"]
    assert check["verdict"] == "unjudged"
