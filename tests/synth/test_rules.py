"""The rules of a written row stand in one register, and one of one's own may stand beside them."""

from __future__ import annotations

from pathlib import Path

import pytest

from lamina.checks import Candidate, Reason, Rejection
from lamina.synth.rules import RULES, UNGROUNDED, Case, check_alone
from lamina.synth.writers import Assignment
from lamina.tools import read_tools
from lamina.trajectories import ToolCall

TOOLS = '''
def ring(times: int) -> str:
    """Ring the bell.

    Args:
        times: How many times.
    """
    return "rung"
'''


def a_row(tmp_path: Path, request: str = "ring the bell 3 times") -> tuple:
    file = tmp_path / "bell.py"
    file.write_text(TOOLS, encoding="utf-8")
    calls = [[ToolCall.of("ring", {"times": 3})]]
    return Candidate(request, calls, "simple", "a model", 0, "2026-11-24T10:00:00"), read_tools(file)


def test_a_rule_of_ones_own_is_asked_in_its_turn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    candidate, toolbox = a_row(tmp_path)
    assert check_alone(candidate, toolbox) is None
    assert [note.name for note in candidate.notes] == ["format", "execution", "grounding"]

    def polite(case: Case) -> Rejection | None:
        said = "please" in case.candidate.request
        return None if said else Rejection("grounding", Reason.REQUEST_SAYS_MORE, "nobody asks so")

    monkeypatch.setitem(RULES, "polite", polite)
    found = check_alone(*a_row(tmp_path))
    assert found is not None
    assert found.detail == "nobody asks so"
    assert check_alone(*a_row(tmp_path), grounded=False) is None
    assert check_alone(*a_row(tmp_path, "please ring the bell 3 times")) is None


def test_the_first_rule_that_objects_gives_the_reason(tmp_path: Path):
    candidate, toolbox = a_row(tmp_path, "ring the bell")
    assert check_alone(candidate, toolbox).reason is Reason.VALUE_NOT_IN_REQUEST
    assert candidate.notes == []
    candidate.turns = [[ToolCall.of("ring", {"times": "three"})]]
    assert check_alone(candidate, toolbox).stage == "format"
    assert list(RULES)[: len(UNGROUNDED)] == list(UNGROUNDED)


@pytest.mark.parametrize(
    ("template", "swapped"),
    [
        ("{value} {from_unit} as {to_unit}", False),
        ("{value} {to_unit} as {from_unit}", True),
        ("{value} {to_unit} -> {from_unit}", True),
        ("{value} {to_unit} = {from_unit}?", True),
        ("convert {value}, from = {from_unit}, to = {to_unit}", False),
        ("{value} {from_unit} in {to_unit}", False),
        ("how many {from_unit} is {value} {to_unit}", True),
        ("I know {value} {from_unit}, as {to_unit}", False),
    ],
)
def test_a_source_that_stands_where_the_target_belongs_is_refused(tmp_path: Path, template: str, swapped: bool):
    candidate, toolbox = a_row(tmp_path)
    candidate.template = template
    found = RULES["roles"](Case(candidate, toolbox, Assignment((), "simple", 0)))
    assert (found is not None and found.reason is Reason.SWAPPED_ROLES) is swapped
