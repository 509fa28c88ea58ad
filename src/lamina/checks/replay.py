"""Replay: run the calls of a recorded trajectory with the user's own functions and compare what comes back (APIGen
stage 2, arXiv 2406.18518 section 3.2, over a foreign data set)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from lamina.checks.execution import check_execution
from lamina.checks.grounding import check_grounding
from lamina.checks.reasons import Reason
from lamina.checks.rule import Candidate, Rejection
from lamina.tools import Toolbox
from lamina.tools.execution import CallResult, Executor
from lamina.trajectories import Trajectory
from lamina.trajectories.formats.reading.loose import as_value, loose

STAGE = "execution"


Replayed = tuple[Trajectory, Rejection | None, list[str]]


def check_replays(trajectories: Sequence[Trajectory], executor: Executor, *, grounding: bool = True) -> list[Replayed]:
    """Of each: the record (with the results that really came back, where the recorded ones differ and nothing was built
    on them), why it does not pass, and what was mended. The same rules as for rows that synthesis makes: all calls run,
    no result is an error, and (unless ``grounding`` is left out) the one request of a one-turn record says what its
    calls say."""
    calls = [[(c.name, c.arguments) for c in trajectory.calls] for trajectory in trajectories]
    results = executor.run_many(calls, [trajectory.meta.now for trajectory in trajectories])
    return [_verdict(one, ran, executor.toolbox, grounding) for one, ran in zip(trajectories, results, strict=True)]


def _verdict(trajectory: Trajectory, results: list[CallResult], toolbox: Toolbox, grounding: bool) -> Replayed:
    candidate = _candidate(trajectory, results)
    found = check_execution(candidate, toolbox)
    one_request = len(candidate.turns) == 1 and sum(m.role == "user" for m in trajectory.messages) == 1
    if found is None and grounding and one_request:
        found = check_grounding(candidate, toolbox)
    if found:
        return trajectory, found, []
    return _compare(trajectory, results)


def _candidate(trajectory: Trajectory, results: list[CallResult]) -> Candidate:
    turns = [turn for turn in trajectory.turns if turn]
    parts, at = [], 0
    for turn in turns:
        parts.append(results[at : at + len(turn)])
        at += len(turn)
    meta = trajectory.meta
    return Candidate(
        trajectory.request, turns, meta.style, meta.writer, meta.seed or 0, meta.now or "", results=parts
    )  # fmt: skip


def _compare(trajectory: Trajectory, results: list[CallResult]) -> tuple[Trajectory, Rejection | None, list[str]]:
    mended, changes = trajectory, []
    messages = trajectory.messages
    when = "" if trajectory.meta.now else " now (the record has no clock)"
    for at, result in _recorded(trajectory, results):
        if same(messages[at].content, result):
            continue
        detail = f"message {at} says {messages[at].content[:80]!r}, running the call{when} gives {result.text[:80]!r}"
        if any(m.role == "assistant" and (m.content or m.tool_calls) for m in messages[at + 1 :]):
            return trajectory, Rejection(STAGE, Reason.RESULT_DIFFERS, f"{detail}, and the record goes on"), []
        mended = mended.model_copy(deep=True) if mended is trajectory else mended
        mended.messages[at].content = result.text
        changes.append(detail)
    return _marked(mended, results), None, changes


def _marked(trajectory: Trajectory, results: list[CallResult]) -> Trajectory:
    """With the numbers of the results that are only a beginning: of those that ran here, as they stand; of others, what
    the record says already. A whole result that somebody recorded is not cut to what this executor keeps."""
    places = [at for at, message in enumerate(trajectory.messages) if message.role == "tool"]
    cut = {places.index(at): r.truncated and trajectory.messages[at].content == r.text
           for at, r in _recorded(trajectory, results)}  # fmt: skip
    known = trajectory.truncated
    marks = sorted({n for n, is_cut in cut.items() if is_cut} | {n for n in known if n not in cut})
    if marks == known:
        return trajectory
    meta = trajectory.meta.model_copy(update={"truncated": marks or None})
    return trajectory.model_copy(update={"meta": meta})


def _recorded(trajectory: Trajectory, results: list[CallResult]) -> list[tuple[int, CallResult]]:
    """Where each recorded result stands, with what running its call gave; by id, else by order."""
    found, at = [], 0
    for number, message in enumerate(trajectory.messages):
        calls = message.tool_calls or []
        own = results[at : at + len(calls)]
        at += len(calls)
        by_id = {c.id: r for c, r in zip(calls, own, strict=False) if c.id}
        for place, later in enumerate(trajectory.messages[number + 1 : number + 1 + len(own)]):
            if later.role != "tool":
                break
            found.append((number + 1 + place, by_id.get(later.tool_call_id or "", own[place])))
    return found


def same(recorded: str, result: CallResult) -> bool:
    """The same value, however it is written; a result may be wrapped as ``{"result": …}``. Of a result that was cut
    there is only a beginning to compare."""
    if result.truncated:
        return _begins_alike(recorded, result.text)
    try:
        value: Any = loose(recorded)
    except ValueError:
        value = recorded
    wanted = (result.value, result.text, as_value(result.text), {"result": result.value})
    return recorded == result.text or any(value == one for one in wanted)


def _begins_alike(recorded: str, beginning: str) -> bool:
    if recorded.startswith(beginning):
        return True
    try:
        value = json.loads(recorded)
    except ValueError:
        return False
    wrapped = value["result"] if isinstance(value, dict) and set(value) == {"result"} else value
    return any(json.dumps(one, ensure_ascii=False).startswith(beginning) for one in (value, wrapped))
