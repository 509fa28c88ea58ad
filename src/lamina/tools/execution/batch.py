"""Many calls in one fork, for tools declared pure: forking costs a hundred times what such a call does.

A tool is pure where its result follows from its arguments and the clock alone and it leaves nothing behind; only the
user can say so (``PURE`` in their module). The fork is guarded as ever. What goes wrong in a batch is found out by the
supervisor running the calls in doubt again, each in a fork of its own, so that every result is what it would have been.
"""

from __future__ import annotations

import _socket
import contextlib
import io
import os
import resource
import select
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from lamina.tools.execution import frames, processes
from lamina.tools.execution.confinement import Confinement, place
from lamina.tools.execution.fork import Function, call_function
from lamina.tools.execution.outcomes import Limits

FLUSH_SECONDS = 0.05
"""Outcomes are sent together, but never later than this after the first of them."""
DOUBTFUL = 64
"""Sequences that are run alone after a batch broke off: more than are made between two flushes of slow calls."""
SURE = ("ok", "raised", "invalid", "unserialisable")
"""Outcomes that say the same in a batch as alone; any other ends the batch before it."""

Sequence = dict[str, Any]
"""``{"calls": [[name, arguments], …], "now": text or None}``"""
Outcomes = list[dict[str, Any]]
Alone = Callable[[Sequence], Outcomes]


def run_batch(
    sequences: list[Sequence],
    functions: dict[str, Function],
    confinement: Confinement,
    scratch: str,
    most_processes: int | None,
    alone: Alone,
) -> list[Outcomes]:
    """The outcomes of each sequence, as a fork of its own would give them."""
    done: list[Outcomes] = []
    while len(done) < len(sequences):
        done += _in_one_fork(sequences[len(done) :], functions, confinement, scratch, most_processes)
        left = sequences[len(done) :]
        done += [alone(sequence) for sequence in left[:DOUBTFUL]]
    return done


def _in_one_fork(
    sequences: list[Sequence],
    functions: dict[str, Function],
    confinement: Confinement,
    scratch: str,
    most_processes: int | None,
) -> list[Outcomes]:
    """The outcomes of the first of ``sequences``: all of them, or those before the one that broke the batch off."""
    limits = confinement.limits
    result, result_end = (end.detach() for end in _socket.socketpair())
    place(scratch, None)
    pid = os.fork()
    if pid == 0:
        try:
            for descriptor in (*confinement.closed, result):
                os.close(descriptor)
            nothing = os.open(os.devnull, os.O_RDWR)
            os.dup2(nothing, 1)
            os.dup2(nothing, 2)
            calls = sum(len(s["calls"]) for s in sequences)
            confinement.apply(calls, most_processes)
            _work(sequences, functions, limits, result_end)
        except BaseException:  # the supervisor finds out, running what is missing alone
            pass
        finally:
            os._exit(0)
    os.close(result_end)
    try:
        return list(_collected(result, len(sequences), limits))
    finally:
        processes.kill_group(pid)
        processes.kill_until_none_left()
        os.close(result)


def _work(sequences: list[Sequence], functions: dict[str, Function], limits: Limits, result: int) -> None:
    waiting: list[Outcomes] = []
    since = time.perf_counter()
    now = None
    for sequence in sequences:
        if now != sequence["now"]:
            now = sequence["now"]
            os.environ.pop("LAMINA_NOW", None)
            if now is not None:
                os.environ["LAMINA_NOW"] = now
        outcomes = _run(sequence, functions, limits)
        if outcomes is None:
            break
        waiting.append(outcomes)
        if time.perf_counter() - since > FLUSH_SECONDS:
            frames.send(result, waiting)
            _allow_more_time(limits)
            waiting, since = [], time.perf_counter()
    frames.send(result, waiting)


def _allow_more_time(limits: Limits) -> None:
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    with contextlib.suppress(OSError, ValueError):
        soft = int(time.process_time()) + 1 + limits.cpu_seconds
        resource.setrlimit(resource.RLIMIT_CPU, (min(hard, soft), hard))


def _run(sequence: Sequence, functions: dict[str, Function], limits: Limits) -> Outcomes | None:
    """None where an outcome may have come from the batch and not from the call."""
    outcomes: Outcomes = []
    for name, arguments in sequence["calls"]:
        printed = sys.stdout = sys.stderr = io.StringIO()
        started = time.perf_counter()
        outcome = call_function(name, arguments, functions[name], limits)
        outcome["seconds"] = time.perf_counter() - started
        outcome["printed"] = printed.getvalue()
        if outcome["status"] not in SURE or len(outcome["printed"].encode(errors="replace")) > limits.output_bytes:
            return None
        outcomes.append(outcome)
        if outcome["status"] != "ok":
            break
    return outcomes


def _collected(result: int, wanted: int, limits: Limits) -> Iterator[Outcomes]:
    """What the fork sends, until it has sent all, ends, says nothing for longer than a call may take, or breaks the
    channel; and it may not start processes."""
    poll = select.poll()
    poll.register(result, select.POLLIN)
    buffer = bytearray()
    while wanted > 0:
        if not poll.poll((limits.wall_seconds + FLUSH_SECONDS) * 1000):
            return
        part = os.read(result, 1 << 18)
        if not part:
            return
        buffer += part
        try:
            messages = frames.split(buffer)
        except ValueError:
            return
        for message in messages:
            if not isinstance(message, list):
                return
            wanted -= len(message)
            yield from message
