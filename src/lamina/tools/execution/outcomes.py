"""Limits of a call, and what came of it. Small enough for the fork server to import."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Literal

Status = Literal["ok", "raised", "timed_out", "killed", "exited", "unserialisable", "invalid", "unmet"]
"""``unmet``: the tool was not reached, for a key or a server has yet to be set."""

LINKED_AT_START = {"LD_BIND_NOW": "1"}
"""For the fork server's environment alone: C functions are looked up once in it, not once more in every fork."""


STATE = "_state"
"""The function of a user's module that says what its state is: no tool, for its name is private."""


@dataclass(frozen=True)
class Limits:
    """What one call may use. ``processes`` counts those it starts; ``memory_mb`` is on top of what the worker
    has mapped already; ``output_bytes`` caps the JSON text of a result, and what it prints, each."""

    wall_seconds: float = 5.0
    cpu_seconds: int = 5
    memory_mb: int = 512
    output_bytes: int = 65536
    file_mb: int = 16
    processes: int = 16
    open_files: int = 256

    @classmethod
    def of(cls, seconds: float | None) -> Limits:
        """With so many seconds a call, computing or waiting; None for the usual ones."""
        return cls() if seconds is None else cls(wall_seconds=seconds, cpu_seconds=max(1, math.ceil(seconds)))


@dataclass(frozen=True)
class CallResult:
    """What came of one call.

    ``value`` is the result as JSON data (None where ``truncated``: half of a JSON text has no value).
    ``text`` is what a model gets to see: the JSON text, cut at ``Limits.output_bytes``, or ``{"error": …}``.

    ``http_status`` is that of the last answer, where the call was an HTTP request that was answered.

    ``carried_error`` says of a truncated result what makes it an error by the tool's rule, judged on the whole of it;
    ``error_results.error_in`` judges any.

    ``error`` is one sentence. ``printed`` is what the call wrote to stdout and stderr. ``seconds`` is a
    measurement: it takes no part in equality and must not enter anything that is derived from content.
    """

    status: Status
    value: Any = None
    text: str = ""
    error: str | None = None
    truncated: bool = False
    printed: str = ""
    seconds: float = field(default=0.0, compare=False)
    http_status: int | None = None
    carried_error: str | None = None

    @property
    def ok(self) -> bool:
        return self.status == "ok"
