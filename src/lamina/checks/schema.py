"""Format: is what was written a record at all? Known functions, arguments that fit the schema, a request that
is one readable line (APIGen stage 1, arXiv 2406.18518 section 3.2)."""

from __future__ import annotations

from lamina.checks.arguments import check_call
from lamina.checks.reasons import Reason
from lamina.checks.rule import Candidate, Rejection
from lamina.tools import Toolbox

STAGE = "format"
LONGEST_REQUEST = 400
"""Characters. People type less to an assistant (our choice)."""


def check_format(candidate: Candidate, toolbox: Toolbox) -> Rejection | None:
    """Nothing when the candidate is a record, else the first thing that is wrong with it."""
    if candidate.unread is not None:
        return candidate.unread
    request = candidate.request.strip()
    if len(request) < 2 or not any(c.isalpha() for c in request):
        said = f"the request {request[:80]!r} has no word" if request else "the writer wrote no request"
        return Rejection(STAGE, Reason.NO_ANSWER, said)
    if len(request) > LONGEST_REQUEST:
        return Rejection(STAGE, Reason.TOO_LONG, f"{len(request)} characters; at most {LONGEST_REQUEST}")
    if "\n" in request or "\ufffd" in request or "\x00" in request:
        return Rejection(STAGE, Reason.UNREADABLE, "the request is not one line of readable text")
    for call in candidate.calls:
        if found := check_call(call, toolbox):
            return found
    return None
