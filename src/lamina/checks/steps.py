"""Steps: does the assistant go round in circles, or act as if a result had not come? (xLAM's "low-quality planning",
arXiv 2409.03215 section 4; the rules are our choice.)"""

from __future__ import annotations

from collections import Counter
from typing import Any

from lamina.checks.evidence import numbers_in, plain
from lamina.checks.reasons import Reason
from lamina.checks.rule import Rejection
from lamina.tools.execution import carried_error
from lamina.trajectories import Message, Trajectory
from lamina.trajectories.formats.reading.loose import as_value
from lamina.trajectories.trajectory import json_line

STAGE = "steps"
ALLOWED = 2
"""Times that one call may be made between two things the user says. The second may be a retry; the third is a loop."""


def check_steps(trajectory: Trajectory) -> Rejection | None:
    """A call made again although it failed in the same words, or gave the same result, at once; a call made more than
    ``ALLOWED`` times for one request; the same call twice in one turn."""
    made: Counter[bytes] = Counter()
    before: dict[bytes, str] = {}
    """Each call of the last turn, with its result."""
    asked = ""
    for number, message in enumerate(trajectory.messages):
        if message.role == "user":
            asked = message.content
            made.clear()
            before = {}
        if message.role != "assistant" or not message.tool_calls:
            continue
        keys = [json_line([c.name, c.arguments], sort_keys=True) for c in message.tool_calls]
        results = _results(trajectory.messages, number)
        if len(set(keys)) < len(keys) and not _as_often_as_asked(message, asked):
            return Rejection(STAGE, Reason.REPEATED_STEP, f"message {number} makes one call twice")
        for key, call, result in zip(keys, message.tool_calls, results, strict=True):
            made[key] += 1
            if before.get(key):
                if is_error(before[key]):
                    detail = f"message {number} calls {call.name} again with the arguments that had just failed"
                    return Rejection(STAGE, Reason.IGNORED_OBSERVATION, detail)
                if before[key] == result:
                    detail = f"message {number} calls {call.name} again and gets the result it had"
                    return Rejection(STAGE, Reason.REPEATED_STEP, detail)
            if made[key] > max(ALLOWED, keys.count(key)):
                detail = f"message {number} makes one call of {call.name} for the third time"
                return Rejection(STAGE, Reason.REPEATED_STEP, detail)
        before = dict(zip(keys, results, strict=True))
    return None


def _as_often_as_asked(message: Message, asked: str) -> bool:
    """Three random jokes are three calls that take nothing, and nothing else can tell them apart."""
    calls = message.tool_calls or []
    often = Counter(c.name for c in calls if not c.arguments)
    same = {name: n for name, n in often.items() if n > 1}
    apart = [json_line([c.name, c.arguments], sort_keys=True) for c in calls if c.arguments]
    return len(set(apart)) == len(apart) and set(map(float, same.values())) <= set(numbers_in(plain(asked)))


def _results(messages: list[Message], at: int) -> list[str]:
    """The results of the calls of a turn, in their order; empty text where there is none."""
    calls = messages[at].tool_calls or []
    found: list[Message] = []
    for message in messages[at + 1 :]:
        if message.role != "tool":
            break
        found.append(message)
    by_id = {m.tool_call_id: m.content for m in found if m.tool_call_id}
    texts = [m.content for m in found] + [""] * len(calls)
    return [by_id.get(c.id, texts[i]) if c.id else texts[i] for i, c in enumerate(calls)]


_ERRORS = ("error", "exception", "traceback", "failed", "invalid")


def is_error(text: str) -> bool:
    """Whether a result says that the call failed."""
    value: Any = as_value(text)
    if isinstance(value, dict):
        return carried_error(None, value) is not None or (set(value) == {"detail"})
    return isinstance(value, str) and value.strip().casefold().startswith(_ERRORS)
