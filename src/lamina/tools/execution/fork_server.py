"""The supervisor: a small process that has the user's modules imported and forks once for each sequence.

    python -m lamina.tools.execution.fork_server        (started by Executor, spoken to over stdin and stdout)

It holds one job at a time. It outlives its forks, never runs a tool itself, and after each job kills until no
process of that job is left (PR_SET_CHILD_SUBREAPER: daemons that forked twice become its children).
"""

from __future__ import annotations

import _socket
import contextlib
import gc
import inspect
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from types import ModuleType
from typing import Any

from lamina.tools.execution import frames, processes
from lamina.tools.execution.argument_types import reader_for
from lamina.tools.execution.batch import run_batch
from lamina.tools.execution.confinement import Confinement, place
from lamina.tools.execution.error_results import error_by
from lamina.tools.execution.fork import Function, run_calls, said
from lamina.tools.execution.outcomes import LINKED_AT_START, STATE, Limits
from lamina.tools.execution.scratch import ScratchFolders, remove_tree
from lamina.tools.execution.warming import warm
from lamina.tools.execution.watch import Stop, Watch
from lamina.tools.signatures import Flaw, read_parameters
from lamina.tools.user_module import library_first, load_module


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


def main() -> None:
    pipes = _Pipes.take_over()
    processes.prctl(processes.PR_SET_CHILD_SUBREAPER, 1)
    signal.signal(signal.SIGTERM, _stop)
    for name in LINKED_AT_START:
        os.environ.pop(name, None)
    setup = frames.receive(pipes.requests)
    if setup is None:
        return
    limits = Limits(**setup["limits"])
    try:
        functions = _preload(setup["targets"], setup["passed"])
    except BaseException as error:
        frames.send(pipes.answers, {"problem": error.what if isinstance(error, Flaw) else said(error)})
        return
    supervisor = Supervisor(functions, limits, setup["base"], pipes)
    gc.collect()
    gc.freeze()  # forks share these pages only as long as the collector does not touch them
    frames.send(pipes.answers, {"ready": True})
    try:
        while (job := frames.receive(pipes.requests)) is not None:
            frames.send(pipes.answers, supervisor.answer(job))
    except (Stop, BrokenPipeError):
        pass
    finally:
        processes.kill_until_none_left()
        remove_tree(setup["base"])


def _stop(*_: Any) -> None:
    raise Stop


def _preload(targets: list[list[Any]], passed: list[str]) -> dict[str, Function]:
    """Import each file once; ``targets`` holds (tool name, file, function name, rule for results that are errors).
    ``passed``: the variables whose values no result may say."""
    hidden = _hidden(passed)  # before any module of the user's changes the environment
    modules = {file: load_module(file) for file in dict.fromkeys(file for _, file, _, _ in targets)}
    functions = {}
    with library_first():
        for name, file, function, rule in targets:
            if function == STATE:
                functions[name] = Function(_state_of(modules[file]), {}, lambda state: None, hidden)
                continue
            call = getattr(modules[file], function)
            readers = {p.name: reader_for(p.hint) for p in read_parameters(call, name)}
            functions[name] = Function(call, readers, partial(error_by, rule), hidden)
            error_by(rule, None)  # what it imports and compiles, no fork has to
        import random  # noqa: F401 -- so that no fork has to import it

        if any(inspect.iscoroutinefunction(f.call) for f in functions.values()):
            import asyncio  # noqa: F401

        with contextlib.suppress(Exception):  # a module that broke what this needs: each call will say so
            warm()
    return functions


def _hidden(passed: list[str]) -> Callable[[Any], Any] | None:
    """What takes the values of these variables out of JSON data; None where there are none."""
    if not passed:
        return None
    from lamina.tools.environment import secrets_of

    return secrets_of(passed).scrubbed


def _state_of(module: ModuleType) -> Callable[[], Any]:
    """The module's ``_state``, where it is a function that needs nothing; else one that has nothing to say."""
    found = getattr(module, STATE, None)
    needs_nothing = inspect.isfunction(found) and not inspect.signature(found).parameters
    return found if needs_nothing else lambda: None  # type: ignore[return-value]


class Supervisor:
    """Runs jobs in forks of this process, one at a time."""

    def __init__(self, functions: dict[str, Function], limits: Limits, base: str, pipes: _Pipes):
        self._functions = functions
        self._limits = limits
        self._folders = ScratchFolders(base)
        self._requests = pipes.requests
        closed = (pipes.requests, pipes.answers)
        self._confinement = Confinement.of(limits, processes.mapped_bytes(), closed)
        self._counted = (-10.0, 0)
        """When this user's threads were counted, and how many there were."""

    def answer(self, job: dict[str, Any]) -> dict[str, Any]:
        """A job in the folder it names, or in one that is removed afterwards; a batch of jobs as one."""
        scratch = job.get("scratch") or self._folders.take()
        try:
            return self._run_batch(job, scratch) if "batch" in job else self._run(job, scratch)
        finally:
            if not job.get("scratch"):
                self._folders.give_back(scratch)

    def _run_batch(self, job: dict[str, Any], scratch: str) -> dict[str, Any]:
        gone = True

        def alone(sequence: dict[str, Any]) -> list[dict[str, Any]]:
            nonlocal gone
            answer = self.answer(sequence)
            gone = gone and answer["gone"]
            outcomes: list[dict[str, Any]] = answer["outcomes"]
            return outcomes

        most = self._most_processes()
        outcomes = run_batch(job["batch"], self._functions, self._confinement, scratch, most, alone)
        return {"outcomes": outcomes, "gone": gone}

    def _run(self, job: dict[str, Any], scratch: str) -> dict[str, Any]:
        try:
            place(scratch, job["now"])
        except OSError as error:
            return {"outcomes": [{"status": "raised", "error": said(error)}], "gone": True}
        ours, theirs = _socket.socketpair()  # socket.socketpair() wraps each end in a second object
        result, result_end = ours.detach(), theirs.detach()
        printed, printed_end = os.pipe()
        most = self._most_processes()
        pid = os.fork()
        if pid == 0:
            try:
                os.close(result)
                os.close(printed)
                self._be_the_fork(job, scratch, most, result_end, printed_end)
            finally:
                os._exit(0)
        os.close(result_end)
        os.close(printed_end)
        os.set_blocking(result, False)
        os.set_blocking(printed, False)
        watch = Watch(pid, result, printed, [name for name, _ in job["calls"]], self._limits)
        try:
            watch.supervise(self._requests)
        finally:
            processes.kill_group(pid)
            gone = processes.kill_until_none_left()
            os.close(result)
            os.close(printed)
        return {"outcomes": watch.outcomes, "gone": gone}

    def _be_the_fork(self, job: dict[str, Any], scratch: str, most: int | None, result: int, printed: int) -> None:
        try:
            for descriptor in self._confinement.closed:
                os.close(descriptor)
            os.dup2(printed, 1)
            os.dup2(printed, 2)
            os.close(printed)
            gc.enable()
            self._confinement.apply(len(job["calls"]), most)
            run_calls(job, self._functions, self._limits, result)
        except BaseException as error:
            with contextlib.suppress(BaseException):
                frames.send(result, {"status": "raised", "error": said(error), "seconds": 0.0})

    def _most_processes(self) -> int | None:
        """RLIMIT_NPROC for a fork. Root is exempt. Counting takes milliseconds: every 5 s is enough."""
        if not processes.LINUX or os.getuid() == 0:
            return None
        if time.monotonic() - self._counted[0] > 5.0:
            self._counted = (time.monotonic(), processes.user_threads())
        return self._counted[1] + self._limits.processes + 64


if __name__ == "__main__":
    sys.argv = sys.argv[:1]
    main()
