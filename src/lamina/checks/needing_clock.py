"""Dates that only the clock tells: "tomorrow" for 2026-11-24.

The prompts that Lamina trains and serves do not say what day it is, so a model can learn such a date by heart and no
more: it is right for the row's clock and wrong on every other day. A value that follows the words of the request on any
day ("1 December 2026", or the words themselves, for the function to resolve) is no such date, and neither is one in a
row whose system message states the day, or one of a call after a tool has told it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from lamina.checks.evidence import evidence_of, values_of
from lamina.checks.moments import follows_at_any_clock, phrase_for
from lamina.checks.reasons import Reason
from lamina.checks.rule import Candidate, Rejection
from lamina.tools import Toolbox
from lamina.trajectories import Evidence, Message

STAGE = "grounding"
MEND = "prompts do not say what day it is: let the function take the day as it is said, or write the whole date"
_NOW = re.compile(r"\b(?:current(?:ly)?|today(?:'s)?|now|clock)\b")
_OF_CLOCKS = frozenset(
    {"get", "tell", "show", "read", "what", "which", "is", "it", "the", "system", "server", "local", "utc", "date",
     "time", "day", "datetime", "timestamp", "zone"}
)  # fmt: skip
"""Words of names that say nothing but date and time: "get_date", "what_day_is_it"."""
_JSON_MARKS = re.compile(r'[{}\[\]"]|(?<=")[:,]')


def check_needs_clock(candidate: Candidate, toolbox: Toolbox) -> Rejection | None:
    """The first date of the calls that only the candidate's clock tells."""
    if not candidate.calls or not candidate.now:
        return None
    messages = candidate.conversation(candidate.request)
    if any(m.role == "system" and _states(m.content, candidate.now) for m in messages):
        return None
    for evidence, value in _traced(messages, toolbox, candidate.now):
        if evidence.by == "date" and evidence.words and not follows_at_any_clock(value, evidence.words):
            what = f"{evidence.argument}={value!r} follows from {evidence.words!r} on one day alone; {MEND}"
            return Rejection(STAGE, Reason.NEEDS_CLOCK, what)
    return None


def _traced(messages: Sequence[Message], toolbox: Toolbox, now: str) -> Iterator[tuple[Evidence, str]]:
    """Each value of a call, and where in what was said before it comes from; but for those that a result says, and up
    to where a tool tells the day: other days follow from it."""
    heard: list[str] = []
    returned = ""
    for message in messages:
        if message.role == "user":
            heard.append(message.content)
        elif message.role == "tool":
            if _tells_the_day(message.name, toolbox) and _states(message.content, now):
                return
            returned += f" {message.content}"
        elif message.tool_calls:
            values = [str(value) for _, value, _ in values_of(message.tool_calls, toolbox)]
            found = evidence_of("\n".join(heard), message.tool_calls, toolbox, now)
            # Values come first in the evidence, keys and what is empty after them.
            yield from ((e, v) for e, v in zip(found, values, strict=False) if v not in returned)


def _states(text: str, now: str) -> bool:
    return phrase_for(now[:10], _JSON_MARKS.sub(" ", text), None) is not None


def _tells_the_day(name: str | None, toolbox: Toolbox) -> bool:
    """Whether the tool is a clock by its own words: a date in a list of events is not said to be today."""
    tool = toolbox.get(name) if name else None
    if tool is None:
        return False
    words = [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", tool.name)]
    said = f"{' '.join(words)} {tool.description.partition('. ')[0]}".lower()
    return _OF_CLOCKS.issuperset(words) or _NOW.search(said) is not None
