"""Execution: did the calls run, and is what came back a result? (APIGen stage 2, arXiv 2406.18518 section 3.2.)"""

from __future__ import annotations

from lamina.checks.reasons import Reason
from lamina.checks.rule import Candidate, Rejection
from lamina.tools import Toolbox
from lamina.tools.execution import error_in

STAGE = "execution"

_REASONS = {
    "raised": Reason.RAISED,
    "timed_out": Reason.TIMED_OUT,
    "killed": Reason.KILLED,
    "exited": Reason.KILLED,
    "unserialisable": Reason.UNSERIALISABLE,
    "invalid": Reason.BAD_ARGUMENTS,
    "unmet": Reason.UNMET,
}


def check_execution(candidate: Candidate, toolbox: Toolbox) -> Rejection | None:
    """A success that carries an error is an error, by the rule that the tool declares or the default one."""
    for calls, results in zip(candidate.turns, candidate.results, strict=False):
        for call, result in zip(calls, results, strict=False):
            if not result.ok:
                reason = _REASONS.get(result.status, Reason.RAISED)
                if reason is Reason.RAISED and result.http_status is not None:
                    reason = Reason.HTTP_STATUS  # a server answered; what it answered is in the error
                return Rejection(STAGE, reason, result.error or result.status)
            if why := error_in(toolbox.get(call.name), result):
                detail = f"the result is an error: {why}: {result.text[:200]}"
                return Rejection(STAGE, Reason.ERROR_RESULT, detail)
    return None
