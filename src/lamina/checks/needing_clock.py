"""Dates that only the clock tells: "tomorrow" for 2026-11-24.

The prompts that Lamina trains and serves do not say what day it is, so a model can learn such a date by heart and no
more: it is right for the row's clock and wrong on every other day. A value that follows the words of the request on any
day ("1 December 2026", or the words themselves, for the function to resolve) is no such date, and neither is one in a
row whose system message states the day."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lamina.checks.evidence import evidence_of, values_of
from lamina.checks.moments import follows_at_any_clock, phrase_for
from lamina.checks.reasons import Reason
from lamina.checks.rule import Candidate, Rejection
from lamina.tools import Toolbox
from lamina.trajectories import Evidence, Message

STAGE = "grounding"
MEND = "prompts do not say what day it is: let the function take the day as it is said, or write the whole date"


def check_needs_clock(candidate: Candidate, toolbox: Toolbox) -> Rejection | None:
    """The first date of the calls that only the candidate's clock tells."""
    if not candidate.calls or not candidate.now:
        return None
    messages = candidate.conversation(candidate.request)
    if any(m.role == "system" and phrase_for(candidate.now[:10], m.content, None) for m in messages):
        return None
    for evidence, value in _traced(messages, toolbox, candidate.now):
        if evidence.by == "date" and evidence.words and not follows_at_any_clock(value, evidence.words):
            what = f"{evidence.argument}={value!r} follows from {evidence.words!r} on one day alone; {MEND}"
            return Rejection(STAGE, Reason.NEEDS_CLOCK, what)
    return None


def _traced(messages: Sequence[Message], toolbox: Toolbox, now: str) -> Iterator[tuple[Evidence, str]]:
    """Each value of a call, and where in what was said before it comes from; but for those that a result says."""
    heard: list[str] = []
    returned = ""
    for message in messages:
        if message.role == "user":
            heard.append(message.content)
        elif message.role == "tool":
            returned += f" {message.content}"
        elif message.tool_calls:
            values = [str(value) for _, value, _ in values_of(message.tool_calls, toolbox)]
            found = evidence_of("\n".join(heard), message.tool_calls, toolbox, now)
            # Values come first in the evidence, keys and what is empty after them.
            yield from ((e, v) for e, v in zip(found, values, strict=False) if v not in returned)
