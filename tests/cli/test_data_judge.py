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


def test_a_slow_judge_is_seen_at_work(lamina, tools_file: Path, tmp_path: Path, judge: str, monkeypatch):
    monkeypatch.setattr("lamina.runs.progress.SECONDS_BETWEEN_LINES", 0.0)
    file = rows(tmp_path / "rows.jsonl", "what is 4 times 7")
    words = [file, "--execute", tools_file, "--judge", judge]
    assert "check: 0 (answers 60)" in lamina("data", "check", *words).err  # the labelled rows come first
    assert "fix: 0 (answers 61)" in lamina("data", "fix", *words, "--out", tmp_path / "fixed").err


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
    assert "no record failed at judge: is it checking anything?" in said.out, "as the report of synthesis says it"
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


@pytest.mark.parametrize(("needed", "passes"), [("1", True), ("2", False)])
def test_how_many_votes_must_pass_can_be_said(
    lamina, tools_file: Path, tmp_path: Path, judge: str, needed: str, passes: bool
):
    file = rows(tmp_path / "rows.jsonl", "maybe 4 times 7")
    words = [file, "--execute", tools_file, "--judge", judge, "--votes", "3", "--votes-needed", needed]
    assert bool(json.loads(lamina("data", "check", *words, "--json").out)["accepted"]) is passes
    fixed = json.loads(lamina("data", "fix", *words, "--out", tmp_path / "fixed", "--json").out)
    assert bool(fixed["accepted"]) is passes


@pytest.mark.parametrize("verb", ["check", "fix"])
@pytest.mark.parametrize("needed", ["0", "4"])
def test_votes_that_cannot_be_had_are_refused_before_any_work(
    lamina, tools_file: Path, tmp_path: Path, judge: str, verb: str, needed: str
):
    file = rows(tmp_path / "rows.jsonl", "what is 4 times 7")
    out = ["--out", tmp_path / "fixed"] if verb == "fix" else []
    said = lamina("data", verb, file, "--judge", judge, "--votes", "3", "--votes-needed", needed, *out)
    assert said.status == 2
    assert said.errors[-1].endswith(f"{needed} passes of 3 votes cannot be had; --votes-needed takes 1 to 3")
    assert not (tmp_path / "fixed").exists()
    synth = ["synth", tools_file, "--out", tmp_path / "run", "--votes", "3", "--votes-needed", needed]
    assert lamina(*synth).status == 2


@pytest.mark.parametrize("option", [["--sample", "3"], ["--votes", "3"], ["--judge-anyway"], ["--votes-needed", "1"]])
def test_what_is_said_of_a_judge_that_nobody_named_is_refused(lamina, tmp_path: Path, option: list[str]):
    said = lamina("data", "check", rows(tmp_path / "rows.jsonl", "what is 4 times 7"), *option)
    assert said.status == 2
    assert f"no judge is named; {option[0]} wants --judge REF" in said.err


def forty(path: Path) -> Path:
    return rows(path, *(f"what is 4 times 7, number {n}{' TWICE' if n % 2 else ''}" for n in range(40)))


def test_a_judge_can_be_asked_about_a_sample_and_the_others_are_not_judged(lamina, tools_file, tmp_path, judge: str):
    words = ["data", "check", forty(tmp_path / "rows.jsonl"), "--tools", tools_file, "--judge", judge, "--sample", "10"]
    found = json.loads(lamina(*words, "--json").out)
    assert len(found["judged"]) == 10
    assert len(found["not_judged"]) == 30
    assert {r["id"] for r in found["judged"]} | set(found["not_judged"]) == {f"r{n}" for n in range(40)}
    rejected = {r["id"] for r in found["rejected"]}
    assert rejected == {r["id"] for r in found["judged"] if r["verdict"] == "rejected"}
    assert len(found["accepted"]) == 40 - len(rejected)
    drawn = {
        seed: [r["id"] for r in json.loads(lamina(*words, "--seed", seed, "--json").out)["judged"]] for seed in "01"
    }
    assert drawn["0"] == [r["id"] for r in found["judged"]]
    assert drawn["1"] != drawn["0"]


def test_each_judged_row_is_listed_with_verdict_rule_and_thought(lamina, tools_file: Path, tmp_path: Path, judge: str):
    file = rows(tmp_path / "rows.jsonl", "what is 4 times 7", "what is 4 times 7 TWICE")
    words = ["data", "check", file, "--tools", tools_file, "--judge", judge]
    good, bad = json.loads(lamina(*words, "--json").out)["judged"]
    assert (good["verdict"], good["opinion"], good["rule"], good["thought"]) == ("passed", "pass", "none", "seen")
    assert (bad["verdict"], bad["opinion"], bad["rule"], bad["votes"]) == ("rejected", "fail", "arguments", "1 of 1")
    assert bad["request"] == "what is 4 times 7 TWICE"
    assert bad["calls"] == [{"name": "scale", "arguments": {"value": 4, "factor": 7}}]
    said = lamina(*words, "--sample", "2").out
    assert "  r0  passed    none       seen\n  r1  rejected  arguments  seen\n" in said


NO = """
def reply(messages, tools, seed):
    return '{"thought": "too few", "pass": false, "rule": "count"}'
"""


def test_a_judge_near_chance_can_be_asked_for_comparison_and_rejects_nothing(lamina, tools_file: Path, tmp_path: Path):
    (tmp_path / "no.py").write_text(NO, encoding="utf-8")
    file = rows(tmp_path / "rows.jsonl", "what is 4 times 7", "what is 4 times 7, too")
    words = [file, "--tools", tools_file, "--judge", f"scripted:{tmp_path / 'no.py'}"]
    silent = json.loads(lamina("data", "check", *words, "--json").out)
    assert (silent["judged"], silent["not_judged"]) == ([], ["r0", "r1"])
    assert "no record is judged; --judge-anyway" in lamina("data", "check", *words).out

    found = json.loads(lamina("data", "check", *words, "--judge-anyway", "--sample", "1", "--json").out)
    (remark,) = found["judged"]
    assert (remark["verdict"], remark["opinion"], remark["rule"]) == ("unjudged", "fail", "count")
    assert (sorted(found["accepted"]), found["rejected"]) == (["r0", "r1"], [])

    lamina("data", "fix", *words, "--judge-anyway", "--out", tmp_path / "fixed")
    kept = [json.loads(line) for line in (tmp_path / "fixed" / "trajectories.jsonl").read_text().splitlines()]
    (check, _) = [check for row in kept for check in row["meta"]["checks"] if check["name"] == "judge"]
    assert check["verdict"] == "unjudged"
    assert check["detail"].endswith("asked anyway, it says fail: count: too few")
