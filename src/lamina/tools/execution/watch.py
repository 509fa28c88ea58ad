"""One fork from the supervisor's side: what it sends and prints is collected until it ends, is late, or breaks a rule.

Each page of memory that the supervisor writes to after a fork is copied, or at least faulted in, once more (see
``confinement``), so this makes few objects and raises few exceptions where all goes well.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import time
from typing import Any

from lamina.tools.execution import frames, processes
from lamina.tools.execution.outcomes import Limits

WATCH_SECONDS = 0.025
SLACK_BYTES = 262144
PART_BYTES = 65536


class Stop(BaseException):
    """Lamina is gone, or asked the supervisor to end."""


class Watch:
    """One fork and what is known of it. ``result`` and ``printed`` are read without waiting."""

    __slots__ = ("broken", "buffer", "limits", "names", "outcomes", "output", "pid", "printed", "result")

    def __init__(self, pid: int, result: int, printed: int, names: list[str], limits: Limits):
        self.pid = pid
        self.result = result
        self.printed = printed
        self.names = names
        """The tools called, in order."""
        self.limits = limits
        self.outcomes: list[dict[str, Any]] = []
        self.buffer = bytearray()
        self.output = bytearray()
        self.broken = ""

    def read_result(self) -> None:
        for part in _available(self.result):
            self.buffer += part
            if len(self.buffer) > 4 * self.limits.output_bytes + SLACK_BYTES:
                self.broken = "wrote more into the result channel than a result may have"
                return
            try:
                arrived = frames.split(self.buffer)
            except ValueError:
                self.broken = "wrote into the result channel"
                return
            for outcome in arrived:
                self.read_output()  # all it printed before this message is in the pipe by now
                outcome["printed"] = self._take_output()
                self.outcomes.append(outcome)
                if len(self.outcomes) < len(self.names):
                    with contextlib.suppress(OSError):
                        os.write(self.result, b"+")  # the next call may begin

    def read_output(self) -> None:
        for part in _available(self.printed):  # past the cap it is read and thrown away: the tool must not block
            self.output += part[: max(0, self.limits.output_bytes - len(self.output))]

    def _take_output(self) -> str:
        text = self.output.decode(errors="replace")
        self.output.clear()
        return text

    def fail(self, status: str, error: str, seconds: float) -> None:
        outcome = {"status": status, "error": error, "seconds": seconds, "printed": self._take_output()}
        self.outcomes.append(outcome)

    @property
    def done(self) -> bool:
        outcomes = self.outcomes
        return len(outcomes) >= len(self.names) or (bool(outcomes) and outcomes[-1].get("status") != "ok")

    def supervise(self, requests: int) -> None:
        """Collect outcomes until the fork ends, is late, or breaks a rule; then add what it could not say. Stop is
        raised when ``requests`` can be read: nothing is due there before the answer, so Lamina is gone."""
        pidfd = os.pidfd_open(self.pid) if hasattr(os, "pidfd_open") else -1
        poll = select.poll()
        for descriptor in (self.result, self.printed, pidfd, requests):
            if descriptor >= 0:
                poll.register(descriptor, select.POLLIN)
        try:
            self._collect(poll, requests)
        finally:
            if pidfd >= 0:
                os.close(pidfd)

    def _collect(self, poll: select.poll, requests: int) -> None:
        start = time.monotonic()
        seen = 0
        while True:
            allowed = self.limits.wall_seconds - (time.monotonic() - start)
            ready = dict(poll.poll(max(0.0, min(WATCH_SECONDS, allowed)) * 1000))
            if requests in ready:
                raise Stop
            ended, status = os.waitpid(self.pid, os.WNOHANG)
            for descriptor, read in ((self.printed, self.read_output), (self.result, self.read_result)):
                if ended or descriptor in ready:
                    read()
                if not ended and ready.get(descriptor, 0) & (select.POLLHUP | select.POLLERR):
                    poll.unregister(descriptor)
            if len(self.outcomes) > seen:
                seen, start = len(self.outcomes), time.monotonic()
            if self._over(ended, status, time.monotonic() - start, not ready):
                return

    def _over(self, ended: int, status: int, seconds: float, idle: bool) -> bool:
        """Whether there is nothing to wait for. Then ``outcomes`` say everything."""
        name = self.names[min(len(self.outcomes), len(self.names) - 1)]
        if self.broken:
            self.fail("killed", f"{name} {self.broken}", seconds)
            return True
        if ended:
            failure = _ending(name, status, self) if not self.done else None
        elif seconds >= self.limits.wall_seconds:
            failure = "timed_out", f"{name} was still running after {self.limits.wall_seconds:g} s"
        elif idle and len(processes.descendants(self.pid)) > self.limits.processes:
            failure = "killed", f"{name} started more than {self.limits.processes} processes"
        else:
            return False
        if failure is not None and not self.done:
            self.fail(*failure, seconds)
        return True


def _available(descriptor: int) -> list[bytes]:
    parts: list[bytes] = []
    try:
        while len(parts) < 64:
            part = os.read(descriptor, PART_BYTES)
            if part:
                parts.append(part)
            if len(part) < PART_BYTES:  # that was all there is
                break
    except (BlockingIOError, ConnectionResetError):
        pass
    return parts


def _ending(name: str, status: int, watch: Watch) -> tuple[str, str]:
    limits = watch.limits
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        if number == signal.SIGXCPU:
            return "killed", f"{name} used more than {limits.cpu_seconds} s of processor time"
        if number == signal.SIGABRT and b"memory allocation of" in watch.output:  # a library in Rust
            return "killed", f"{name} ran out of the {limits.memory_mb} MB of memory that a call may use"
        return "killed", f"{name} was ended by {signal.Signals(number).name}"
    return "exited", f"{name} ended its process with status {os.WEXITSTATUS(status)}"
