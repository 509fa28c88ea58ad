"""Recorded results: does a record end on an error that nobody noticed? (APIGen's fail rule "results that are errors",
arXiv 2406.18518 section 3.2, where the calls cannot be run again.)

An error that the assistant answers, by words or another call, is a lesson and stays."""

from __future__ import annotations

from lamina.checks.reasons import Reason
from lamina.checks.rule import Rejection
from lamina.tools import Toolbox
from lamina.tools.execution import carried_error
from lamina.trajectories import Message, Trajectory
from lamina.trajectories.formats.reading.loose import as_value

STAGE = "execution"


def check_recorded_results(trajectory: Trajectory, toolbox: Toolbox) -> Rejection | None:
    for message in _last_results(trajectory.messages):
        tool = toolbox.get(message.name) if message.name else None
        value = as_value(message.content)
        if isinstance(value, str):
            value = value.strip().strip('"')
        if why := carried_error(tool, value):
            detail = f"the record ends on a result that is an error: {why}: {message.content[:200]}"
            return Rejection(STAGE, Reason.ERROR_RESULT, detail)
    return None


def _last_results(messages: list[Message]) -> list[Message]:
    """The results after which the assistant says nothing; a last turn without words is not an answer."""
    end = len(messages)
    while end and messages[end - 1].role == "assistant" and not messages[end - 1].content.strip():
        if messages[end - 1].tool_calls:
            return []
        end -= 1
    start = end
    while start and messages[start - 1].role == "tool":
        start -= 1
    return messages[start:end]
