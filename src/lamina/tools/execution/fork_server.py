"""The supervisor: a small process that has the user's modules imported and forks once for each sequence.

    python -m lamina.tools.execution.fork_server        (started by Executor, spoken to over stdin and stdout)

It holds one job at a time. It outlives its forks, never runs a tool itself, and after each job kills until no
process of that job is left (PR_SET_CHILD_SUBREAPER: daemons that forked twice become its children).
"""

from __future__ import annotations

import contextlib
import gc
import inspect
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from typing import Any

from lamina.tools.execution import frames, processes
from lamina.tools.execution.batch import Confinement, run_batch
from lamina.tools.execution.fork import Function, confine, run_calls, said
from lamina.tools.execution.outcomes import Limits
from lamina.tools.signatures import Flaw, read_parameters
from lamina.tools.user_module import load_module

WATCH_SECONDS = 0.025
SLACK_BYTES = 262144


class _Stop(BaseException):
    """Lamina is gone, or asked this process to end."""


@dataclass
class _Pipes:
    """``requests`` and ``answers`` lead to Lamina and are closed in every fork."""

    requests: int
    answers: int

    @classmethod
    def take_over(cls) -> _Pipes:
        """Put the protocol on descriptors of its own; what a module prints at import goes nowhere."""
        pipes = cls(os.dup(0), os.dup(1))
        nothing = os.open(os.devnull, os.O_RDWR)
        for standard in (0, 1, 2):
            os.dup2(nothing, standard)
        os.close(nothing)
        return pipes


@dataclass
class _Watch:
    """One fork and what is known of it."""

    pid: int
    result: int
    printed: int
    calls: int
    limits: Limits
    outcomes: list[dict[str, Any]] = field(default_factory=list)
    buffer: bytearray = field(default_factory=bytearray)
    output: bytearray = field(default_factory=bytearray)
    broken: str = ""

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
        return len(self.outcomes) >= self.calls or (bool(self.outcomes) and self.outcomes[-1].get("status") != "ok")


def _available(descriptor: int) -> list[bytes]:
    parts: list[bytes] = []
    with contextlib.suppress(BlockingIOError, ConnectionResetError):
        while len(parts) < 64:
            part = os.read(descriptor, 65536)
            if not part:
                break
            parts.append(part)
    return parts


def main() -> None:
    pipes = _Pipes.take_over()
    processes.prctl(processes.PR_SET_CHILD_SUBREAPER, 1)
    signal.signal(signal.SIGTERM, _stop)
    setup = frames.receive(pipes.requests)
    if setup is None:
        return
    limits = Limits(**setup["limits"])
    try:
        functions = _preload(setup["targets"])
    except BaseException as error:
        frames.send(pipes.answers, {"problem": error.what if isinstance(error, Flaw) else said(error)})
        return
    gc.collect()
    gc.freeze()  # forks share these pages only as long as the collector does not touch them
    mapped = processes.mapped_bytes()
    frames.send(pipes.answers, {"ready": True})
    try:
        while (job := frames.receive(pipes.requests)) is not None:
            frames.send(pipes.answers, _done(job, setup["base"], functions, limits, mapped, pipes))
    except (_Stop, BrokenPipeError):
        pass
    finally:
        processes.kill_until_none_left()
        remove_tree(setup["base"])


def _done(
    job: dict[str, Any], base: str, functions: dict[str, Function], limits: Limits, mapped: int, pipes: _Pipes
) -> dict[str, Any]:
    """A job in the folder it names, or in one that is removed afterwards; a batch of jobs as one."""
    scratch = job.get("scratch") or tempfile.mkdtemp(prefix="call-", dir=base)
    try:
        if "batch" not in job:
            return _run(job, scratch, functions, limits, mapped, pipes)
        gone = True

        def alone(sequence: dict[str, Any]) -> list[dict[str, Any]]:
            nonlocal gone
            answer = _done(sequence, base, functions, limits, mapped, pipes)
            gone = gone and answer["gone"]
            outcomes: list[dict[str, Any]] = answer["outcomes"]
            return outcomes

        within = Confinement(mapped, scratch, _most_processes(limits), (pipes.requests, pipes.answers))
        return {"outcomes": run_batch(job["batch"], functions, limits, within, alone), "gone": gone}
    finally:
        if not job.get("scratch"):
            remove_tree(scratch)


def _stop(*_: Any) -> None:
    raise _Stop


def _preload(targets: list[list[str]]) -> dict[str, Function]:
    """Import each file once; ``targets`` holds (tool name, file, function name)."""
    from pydantic import TypeAdapter

    modules = {file: load_module(file) for file in dict.fromkeys(file for _, file, _ in targets)}
    functions = {}
    for name, file, function in targets:
        call = getattr(modules[file], function)
        functions[name] = Function(call, {p.name: TypeAdapter(p.hint) for p in read_parameters(call, name)})
    import random  # noqa: F401 -- so that no fork has to import it

    if any(inspect.iscoroutinefunction(f.call) for f in functions.values()):
        import asyncio  # noqa: F401

    return functions


def _run(
    job: dict[str, Any],
    scratch: str,
    functions: dict[str, Function],
    limits: Limits,
    mapped: int,
    pipes: _Pipes,
) -> dict[str, Any]:
    result, result_end = (end.detach() for end in socket.socketpair())
    printed, printed_end = os.pipe()
    most = _most_processes(limits)
    pid = os.fork()
    if pid == 0:
        try:
            for descriptor in (pipes.requests, pipes.answers, result, printed):
                os.close(descriptor)
            os.dup2(printed_end, 1)
            os.dup2(printed_end, 2)
            os.close(printed_end)
            gc.enable()
            confine(limits, len(job["calls"]), mapped, scratch, job["now"], most)
            run_calls(job, functions, limits, result_end)
        except BaseException as error:
            with contextlib.suppress(BaseException):
                outcome = {"status": "raised", "error": said(error), "seconds": 0.0}
                frames.send(result_end, outcome)
        finally:
            os._exit(0)
    os.close(result_end)
    os.close(printed_end)
    os.set_blocking(result, False)
    os.set_blocking(printed, False)
    watch = _Watch(pid, result, printed, len(job["calls"]), limits)
    try:
        _supervise(watch, [name for name, _ in job["calls"]], pipes.requests)
    finally:
        processes.kill_group(pid)
        gone = processes.kill_until_none_left()
        os.close(result)
        os.close(printed)
    return {"outcomes": watch.outcomes, "gone": gone}


_counted = (-10.0, 0)  # when this user's threads were counted, and how many there were


def _most_processes(limits: Limits) -> int | None:
    """RLIMIT_NPROC for a fork. Root is exempt. Counting takes milliseconds: every 5 s is enough."""
    global _counted
    if not processes.LINUX or os.getuid() == 0:
        return None
    if time.monotonic() - _counted[0] > 5.0:
        _counted = (time.monotonic(), processes.user_threads())
    return _counted[1] + limits.processes + 64


def _supervise(watch: _Watch, names: list[str], requests: int) -> None:
    """Collect outcomes until the fork ends, is late, or breaks a rule; then add what it could not say."""
    start = time.monotonic()
    seen = 0
    pidfd = os.pidfd_open(watch.pid) if hasattr(os, "pidfd_open") else -1
    poll = select.poll()
    for descriptor in (watch.result, watch.printed, pidfd):
        if descriptor >= 0:
            poll.register(descriptor, select.POLLIN)
    poll.register(requests, select.POLLIN)
    try:
        while True:
            allowed = watch.limits.wall_seconds - (time.monotonic() - start)
            ready = dict(poll.poll(max(0.0, min(WATCH_SECONDS, allowed)) * 1000))
            if requests in ready:
                raise _Stop
            for descriptor in (watch.result, watch.printed):
                if ready.get(descriptor, 0) & (select.POLLHUP | select.POLLERR):
                    poll.unregister(descriptor)
            ended, status = os.waitpid(watch.pid, os.WNOHANG)
            watch.read_output()
            watch.read_result()
            if len(watch.outcomes) > seen:
                seen, start = len(watch.outcomes), time.monotonic()
            name = names[min(len(watch.outcomes), len(names) - 1)]
            seconds = time.monotonic() - start
            if watch.broken:
                return watch.fail("killed", f"{name} {watch.broken}", seconds)
            if ended:
                return None if watch.done else watch.fail(*_ending(name, status, watch), seconds)
            if seconds >= watch.limits.wall_seconds:
                error = f"{name} was still running after {watch.limits.wall_seconds:g} s"
                return None if watch.done else watch.fail("timed_out", error, seconds)
            if not ready and len(processes.descendants(watch.pid)) > watch.limits.processes:
                error = f"{name} started more than {watch.limits.processes} processes"
                return None if watch.done else watch.fail("killed", error, seconds)
    finally:
        if pidfd >= 0:
            os.close(pidfd)


def _ending(name: str, status: int, watch: _Watch) -> tuple[str, str]:
    limits = watch.limits
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        if number == signal.SIGXCPU:
            return "killed", f"{name} used more than {limits.cpu_seconds} s of processor time"
        if number == signal.SIGABRT and b"memory allocation of" in watch.output:  # a library in Rust
            return "killed", f"{name} ran out of the {limits.memory_mb} MB of memory that a call may use"
        return "killed", f"{name} was ended by {signal.Signals(number).name}"
    return "exited", f"{name} ended its process with status {os.WEXITSTATUS(status)}"


def remove_tree(folder: str) -> None:
    """Remove what a call left, whatever it did: no permissions, a link in its place, folders in folders."""
    with contextlib.suppress(OSError):
        return os.rmdir(folder)  # most leave nothing
    with contextlib.suppress(OSError):
        if os.path.islink(folder):
            os.unlink(folder)
            return
    try:
        shutil.rmtree(folder)
    except FileNotFoundError:
        return
    except (OSError, RecursionError):
        for command in (["chmod", "-R", "u+rwx", folder], ["rm", "-rf", folder]):
            with contextlib.suppress(OSError):
                subprocess.run(command, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


if __name__ == "__main__":
    sys.argv = sys.argv[:1]
    main()
