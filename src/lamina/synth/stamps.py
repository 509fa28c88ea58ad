"""What a row says of the checks it passed: those that had something to check, and no others."""

from __future__ import annotations

from lamina.checks import Candidate
from lamina.checks.evidence import evidence_of
from lamina.tools import Toolbox
from lamina.trajectories import Check

REFUSAL = "refusal"
"""The check of rows without calls: that the right answer is none."""


def passed_checks(candidate: Candidate, toolbox: Toolbox) -> list[Check]:
    """Of a request that passed all rules: execution, and grounding with the evidence for its values, where it has
    calls. Without any nothing was executed and no value traced."""
    if not candidate.calls:
        return [Check(name="format"), Check(name=REFUSAL)]
    first = candidate.turns[0]
    said = evidence_of(candidate.request, first, toolbox, candidate.now) or None
    return [Check(name="format"), Check(name="execution"), Check(name="grounding", evidence=said)]


def withdraw(candidate: Candidate) -> None:
    """Takes away the call that a request was verified with, as its tool is not on offer, and with the call what was
    said of it."""
    called = ", ".join(call.name for call in candidate.calls)
    candidate.turns, candidate.results = [[]], [[]]
    detail = f"asks for {called}, which is not on offer"
    candidate.notes = [Check(name="format"), Check(name=REFUSAL, detail=detail)]
