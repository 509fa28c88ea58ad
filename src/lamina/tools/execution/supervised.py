"""Lamina's end of a supervisor (``fork_server``): starts it when needed, talks to it, replaces it when it dies."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lamina.errors import ToolDefinitionError, WorkFailedError
from lamina.tools.environment import allowed_environment, passed_variables, secrets_of, withheld_mend
from lamina.tools.execution import frames, processes
from lamina.tools.execution.outcomes import LINKED_AT_START, STATE, Limits
from lamina.tools.targets import PythonTarget
from lamina.tools.tool import JSON, Toolbox

START_SECONDS = 60.0
GRACE_SECONDS = 10.0

Call = tuple[str, JSON]


class _Gone(Exception):
    """The supervisor is dead, or as good as dead."""


class SupervisorProcess:
    """Lamina's end of one supervisor: starts it when needed, replaces it when it dies."""

    def __init__(self, toolbox: Toolbox, limits: Limits):
        self._targets: list[list[Any]] = [
            [t.name, t.target.file, t.target.function, t.error_schema]
            for t in toolbox
            if isinstance(t.target, PythonTarget)
        ]
        files = dict.fromkeys(file for _, file, _, _ in self._targets)
        self._targets += [[f"{STATE}() of {file}", file, STATE, None] for file in files]
        self._limits = limits
        self._passed = passed_variables()
        self._process: subprocess.Popen[bytes] | None = None
        self._base = ""

    def run(self, job: dict[str, Any], calls: Sequence[Call]) -> list[dict[str, Any]]:
        """The outcomes of a job; at least one, whatever happens to the supervisor."""
        start = time.monotonic()
        try:
            return self._exchange(job, len(calls))
        except _Gone as gone:
            error = f"{calls[0][0]} {gone}"
            return [{"status": "killed", "error": error, "seconds": time.monotonic() - start}]

    def run_batch(self, batch: list[dict[str, Any]]) -> list[list[dict[str, Any]]] | None:
        """The outcomes of each; None where the supervisor is lost, and with it the answer."""
        try:
            return self._exchange({"batch": batch}, sum(len(sequence["calls"]) for sequence in batch))
        except _Gone:
            return None

    def _exchange(self, job: dict[str, Any], calls: int) -> list[Any]:
        if self._process is None or self._process.poll() is not None:
            self._start()
        try:
            self._send(job)
            answer = self._receive(self._limits.wall_seconds * calls + GRACE_SECONDS)
        except BaseException:  # also Ctrl-C: the next answer would be taken for another call's
            self.kill()
            raise
        if not answer["gone"]:
            self.kill()
        outcomes: list[Any] = answer["outcomes"]
        return outcomes

    def _start(self) -> None:
        self.kill()
        self._base = tempfile.mkdtemp(prefix="lamina-")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "lamina.tools.execution.fork_server"],
            cwd=self._base,
            env={**allowed_environment(Path(self._base), self._passed), **LINKED_AT_START},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            bufsize=0,
        )
        setup = {"targets": self._targets, "limits": dataclasses.asdict(self._limits), "base": self._base,
                 "passed": self._passed}  # fmt: skip
        try:
            self._send(setup)
            answer = self._receive(START_SECONDS)
        except _Gone as gone:
            self.kill()
            raise WorkFailedError(f"the process that runs tools did not start: it {gone}") from None
        except BaseException:
            self.kill()
            raise
        if "problem" in answer:
            self.kill()
            file = self._targets[0][1]
            problem = secrets_of(self._passed).scrub(answer["problem"])
            mend = withheld_mend(problem) or "tools get a bare environment and an empty folder"
            raise ToolDefinitionError(f"the module cannot be imported to run it ({problem})", file=file, mend=mend)

    def _send(self, message: dict[str, Any]) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        try:
            frames.send(self._process.stdin.fileno(), message)
        except OSError:
            raise _Gone("took the supervisor down with it") from None

    def _receive(self, seconds: float) -> dict[str, Any]:
        assert self._process is not None
        assert self._process.stdout is not None
        descriptor = self._process.stdout.fileno()
        deadline = time.monotonic() + seconds
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        buffer = bytearray()
        while True:
            if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
                raise _Gone("left the supervisor without an answer")
            part = os.read(descriptor, 1 << 16)
            if not part:
                raise _Gone("took the supervisor down with it")
            buffer += part
            try:
                if messages := frames.split(buffer):
                    answer: dict[str, Any] = messages[0]
                    return answer
            except ValueError:
                raise _Gone("broke the supervisor's channel") from None

    def close(self) -> None:
        """Let it end by itself, as it does when its input ends; kill it if it does not."""
        if self._process is not None and self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.close()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(3.0)
        self.kill()

    def kill(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            if process.poll() is None:
                below = processes.descendants(process.pid)
                process.kill()
                for pid in below:
                    processes.kill(pid)
            process.wait()
            for stream in (process.stdin, process.stdout):
                if stream is not None:
                    with contextlib.suppress(OSError):
                        stream.close()
        if self._base:
            shutil.rmtree(self._base, ignore_errors=True)
            self._base = ""
