"""The benchmark of the verifier asks a judge about mutants that no rule can tell, and about right rows."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
from verifier_judge import CLEAN, judge_table

from lamina.data import Checker
from lamina.trajectories import Message, ToolCall, Trajectory

JUDGE = """
def reply(messages, tools, seed):
    wrong = '"start": "Rome"' in messages[-1]["content"]
    return '{"thought": "so", "pass": %s, "rule": "%s"}' % (("false", "arguments") if wrong else ("true", "none"))
"""
PARAMETERS = {"type": "object", "properties": {"start": {"type": "string"}, "end": {"type": "string"}}}
ROUTE = {"type": "function", "function": {"name": "route", "description": "A way.", "parameters": PARAMETERS}}


def rows(start: str, end: str, name: str = "route") -> list[Trajectory]:
    said = [f"number {n}: from Oslo to Rome" for n in range(6)]
    called = Message(role="assistant", tool_calls=[ToolCall.of(name, {"start": start, "end": end})])
    return [Trajectory(id=s, tools=[ROUTE], messages=[Message(role="user", content=s), called]) for s in said]


def test_the_judge_is_asked_about_so_many_of_each_kind_that_the_rules_let_pass(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    (tmp_path / "judge.py").write_text(JUDGE, encoding="utf-8")
    kinds = {
        CLEAN: rows("Oslo", "Rome"),
        "swapped values": iter(rows("Rome", "Oslo")),
        "seen by a rule": rows("Oslo", "Rome", "no_such_function"),
    }
    judge_table(f"scripted:{tmp_path / 'judge.py'}", 4, kinds, Checker())
    told = {line[:44].strip(): line[44:].split() for line in capsys.readouterr().out.splitlines()}
    assert told["swapped values"][:2] == ["4", "100.0%"]
    assert told[CLEAN][:2] == ["4", "0.0%"]
    assert told["seen by a rule"] == ["0"]
    assert any(re.match("the judge agrees with 30 of 60", name) for name in told)
