"""Execution: did the calls run, and is what came back a result? (APIGen stage 2, arXiv 2406.18518 section 3.2.)"""

from __future__ import annotations

from typing import Any

from lamina.checks.reasons import Reason
from lamina.checks.rule import Candidate, Rejection

STAGE = "execution"

_REASONS = {
    "raised": Reason.RAISED,
    "timed_out": Reason.TIMED_OUT,
    "killed": Reason.KILLED,
    "exited": Reason.KILLED,
    "unserialisable": Reason.UNSERIALISABLE,
    "invalid": Reason.BAD_ARGUMENTS,
}


def check_execution(candidate: Candidate) -> Rejection | None:
    """A success that carries an error is an error: a non-empty ``error`` in the result, or ``success``/``ok``
    that is false (our choice)."""
    for result in (r for turn in candidate.results for r in turn):
        if not result.ok:
            reason = _REASONS.get(result.status, Reason.RAISED)
            return Rejection(STAGE, reason, result.error or result.status)
        if carries_error(result.value):
            return Rejection(STAGE, Reason.ERROR_RESULT, f"the result is an error: {result.text[:200]}")
    return None


def carries_error(value: Any) -> bool:
    if not isinstance(value, dict):
        return False
    return bool(value.get("error")) or value.get("success") is False or value.get("ok") is False
