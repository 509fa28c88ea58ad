"""Novelty of recorded trajectories: is a record of somebody else's data set there already?

A copy has the same tools on offer, the same system text, the same words of the users and the same calls in the same
order; ids, results and what the assistant says beside its calls do not count. The same request with other tools on
offer, or with another number of steps, is another record: data sets teach choice and stopping that way. Near copies are
looked for only if asked: in foreign data "weather in Paris" and "weather in Rome" are two right rows."""

from __future__ import annotations

import hashlib
from collections import Counter

from lamina.checks.near import NearCopies
from lamina.checks.novelty import STAGE, plain, shape_of_calls
from lamina.checks.reasons import Reason
from lamina.checks.rule import Rejection
from lamina.tools import Tool, Toolbox
from lamina.trajectories import Trajectory
from lamina.trajectories.trajectory import json_line


class RecordedNovelty:
    """Remembers what passes, some 250 bytes a record: a digest and the id. ``near``: share of the users' words in
    common from which on a record is a near copy of one that calls the same tools (one without calls: of one with the
    same on offer); None: near copies stay. ``per_call``: records allowed with one shape of calls; None: any number."""

    def __init__(self, near: float | None = None, per_call: int | None = None):
        self.per_call = per_call
        self._ids: dict[bytes, str] = {}
        self._shapes: Counter[bytes] = Counter()
        self._near = NearCopies(near) if near is not None else None

    def check(self, record: Trajectory, toolbox: Toolbox) -> Rejection | None:
        """``toolbox``: the tools that its calls are made to. Records that ``data augment`` made of others are near by
        intent."""
        mark = _digest(_said(record))
        if (other := self._ids.get(mark)) is not None:
            return Rejection(STAGE, Reason.DUPLICATE, f"says and calls what {other} does, with the same tools")
        calls = shape_of_calls(record.calls)
        shape = _digest(calls)
        if self.per_call is not None and calls and self._shapes[shape] >= self.per_call:
            return Rejection(STAGE, Reason.OVER_SHARE, f"{self.per_call} records call {calls} already")
        if self._near is not None and not (record.meta.model_extra or {}).get("augmented"):
            words, tools = _words(record), _tools(record, toolbox)
            if other := self._near.find(words, tools):
                return Rejection(STAGE, Reason.NEAR_DUPLICATE, f"nearly the same as {other[:200]!r}")
            self._near.add(words, tools)
        self._ids[mark] = record.id
        if self.per_call is not None:
            self._shapes[shape] += 1
        return None


def _said(record: Trajectory) -> list[object]:
    """All that makes a record what it is. Where nothing is called the assistant's words are the answer."""
    silent = not record.calls
    return [
        record.tools,
        *(
            [
                message.role,
                plain(message.content) if silent or message.role != "assistant" else "",
                [[call.name, call.arguments] for call in message.tool_calls or []],
            ]
            for message in record.messages
            if message.role != "tool"
        ),
    ]


def _words(record: Trajectory) -> str:
    return " ".join(message.content for message in record.messages if message.role == "user")


def _tools(record: Trajectory, toolbox: Toolbox) -> list[str]:
    """What a record is compared within: two tools of one name with other arguments are two."""
    called = {call.name for call in record.calls}
    return [_identity(tool) for tool in toolbox if not called or tool.name in called]


def _identity(tool: Tool) -> str:
    return f"{tool.name}#{_digest(tool.parameters, size=6).hex()}"


def _digest(value: object, size: int = 16) -> bytes:
    return hashlib.blake2b(json_line(value, sort_keys=True), digest_size=size).digest()
