"""Turns: is the record in an order in which it can have happened?"""

from __future__ import annotations

from lamina.checks.reasons import Reason
from lamina.checks.rule import Rejection
from lamina.trajectories import Message, Trajectory

STAGE = "order"


def check_turns(trajectory: Trajectory) -> Rejection | None:
    """Somebody asks before the assistant acts; each result belongs to a call of the turn before it; a user does not
    speak between a call and its result. Calls whose results are not recorded are allowed: most single-turn data
    sets end there."""
    messages = trajectory.messages
    if not any(m.role == "user" and m.content.strip() for m in messages):
        return Rejection(STAGE, Reason.NO_REQUEST, "no user says anything")
    if not any(m.role == "assistant" for m in messages):
        return Rejection(STAGE, Reason.NO_ANSWER, "no assistant says or does anything")
    first = next(m.role for m in messages if m.role != "system")
    if first == "tool":
        return _broken("the record begins with a result")
    if messages[-1].role == "system" and len(messages) > 1:
        return _broken("the record ends with a system message")
    return _check_results(messages)


def _check_results(messages: list[Message]) -> Rejection | None:
    waiting: list[str | None] = []
    """Ids of the calls of the last assistant turn that have no result yet."""
    for number, message in enumerate(messages):
        if message.role == "assistant":
            waiting = [c.id for c in message.tool_calls or []]
        elif message.role == "tool":
            if not waiting:
                return _broken(f"message {number} is a result, but no call waits for one")
            own = message.tool_call_id
            if own is not None and any(waiting):
                if own not in waiting:
                    return _broken(f"message {number} is the result of a call {own!r} that is not there")
                waiting.remove(own)
            else:
                waiting.pop(0)
        elif message.role == "user" and waiting and _result_follows(messages[number + 1 :]):
            return _broken(f"message {number}: the user speaks between a call and its result")
    return None


def _result_follows(messages: list[Message]) -> bool:
    return bool(messages) and messages[0].role == "tool"


def _broken(detail: str) -> Rejection:
    return Rejection(STAGE, Reason.BROKEN_ORDER, detail)
