"""What happens inside the fork: limits on, arguments converted, function called by keyword, result as JSON.

Nothing here is trusted to come back: the supervisor decides what to make of a fork that says nothing.
"""

from __future__ import annotations

import contextlib
import inspect
import json
import os
import resource
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydantic_core import to_jsonable_python

from lamina.tools.execution import frames
from lamina.tools.execution.outcomes import Limits
from lamina.tools.execution.processes import (
    LINUX,
    PR_SET_NO_NEW_PRIVS,
    PR_SET_PDEATHSIG,
    prctl,
)

MEGABYTE = 1 << 20
HEADROOM = 64 * MEGABYTE  # to report with, once the memory allowed is used up
ERROR_CHARACTERS = 500


@dataclass(frozen=True)
class Function:
    """A preloaded function of the user's, with one pydantic adapter for each argument."""

    call: Callable[..., Any]
    adapters: dict[str, Any]


def confine(limits: Limits, calls: int, mapped: int, scratch: str, now: str | None, most_processes: int | None) -> None:
    """Own session, resource limits, scratch folder as working directory, home and temporary folder.

    ``most_processes`` is a ceiling over a fork bomb for all processes of the user, so it is coarse; the
    supervisor counts those of the call.
    """
    os.setsid()
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    for number in (signal.SIGTERM, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    os.umask(0o077)
    os.chdir(scratch)
    os.environ.update(HOME=scratch, TMPDIR=scratch)
    os.environ.pop("LAMINA_NOW", None)
    if now is not None:
        os.environ["LAMINA_NOW"] = now
    if "tempfile" in sys.modules:
        setattr(sys.modules["tempfile"], "tempdir", None)  # noqa: B010 -- a cached choice
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_FSIZE, limits.file_mb * MEGABYTE)
    _limit(resource.RLIMIT_NOFILE, limits.open_files)
    _limit(resource.RLIMIT_CPU, limits.cpu_seconds, limits.cpu_seconds * calls + 1)
    if most_processes is not None:
        _limit(resource.RLIMIT_NPROC, most_processes)
    if LINUX:
        allowed = mapped + limits.memory_mb * MEGABYTE
        _limit(resource.RLIMIT_AS, allowed, allowed + HEADROOM)
        with contextlib.suppress(OSError):  # if the machine itself runs out, this process goes first
            score = os.open("/proc/self/oom_score_adj", os.O_WRONLY)  # open() would take ten times as long here
            os.write(score, b"1000")
            os.close(score)


def _limit(which: int, soft: int, hard: int | None = None) -> None:
    ceiling = resource.getrlimit(which)[1]
    hard = soft if hard is None else hard
    if ceiling != resource.RLIM_INFINITY:
        soft, hard = min(soft, ceiling), min(hard, ceiling)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(which, (soft, hard))


def run_calls(job: dict[str, Any], functions: dict[str, Function], limits: Limits, result: int) -> None:
    """Make the calls in order, sending a message after each over the socket ``result``. Stop at the first
    that is not ok."""
    for number, (name, arguments) in enumerate(job["calls"]):
        if number:
            used = time.process_time()
            hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
            with contextlib.suppress(OSError, ValueError):
                resource.setrlimit(resource.RLIMIT_CPU, (min(hard, int(used) + 1 + limits.cpu_seconds), hard))
        if "random" in sys.modules:  # a tool that draws lots draws the same ones in a resumed run
            seed = json.dumps([name, arguments, job["now"]], sort_keys=True)
            sys.modules["random"].seed(seed)
        start = time.perf_counter()
        outcome = call_function(name, arguments, functions[name], limits)
        outcome["seconds"] = time.perf_counter() - start
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(Exception):
                stream.flush()
        frames.send(result, outcome)
        more = number + 1 < len(job["calls"])
        if outcome["status"] != "ok" or (more and not os.read(result, 1)):  # waits until its output was read
            return


def call_function(name: str, arguments: dict[str, Any], function: Function, limits: Limits) -> dict[str, Any]:
    """The outcome of one call, whatever it raises."""
    try:
        try:
            ready = {k: function.adapters[k].validate_json(frames.json_bytes(v)) for k, v in arguments.items()}
        except ValueError as error:  # pydantic's ValidationError is one
            return {"status": "invalid", "error": f"{name}: {_invalid(error)}"}
        try:
            value = function.call(**ready)
            if inspect.iscoroutine(value):
                import asyncio

                value = asyncio.run(value)
        except SystemExit as ending:
            return {"status": "exited", "error": f"{name} ended its process (sys.exit({ending.code!r:.80}))"}
        try:
            text = json_text(value)
        except MemoryError:
            raise
        except Exception as error:
            return {"status": "unserialisable", "error": f"{name} returned {_unserialisable(value, error)}"}
        return {"status": "ok", **_cut(text, limits.output_bytes)}
    except MemoryError:
        with contextlib.suppress(OSError, ValueError):
            hard = resource.getrlimit(resource.RLIMIT_AS)[1]
            resource.setrlimit(resource.RLIMIT_AS, (hard, hard))
        sentence = f"{name} ran out of the {limits.memory_mb} MB of memory that a call may use"
        return {"status": "killed", "error": sentence}
    except BaseException as error:
        return {"status": "raised", "error": f"{name} raised {said(error)}"}


def json_text(value: Any) -> str:
    """``value`` as JSON text: dataclasses and models as objects, dates in ISO form, enums by value. Raises
    ValueError, TypeError or a pydantic error for what has no JSON form, NaN and infinity included."""

    def other(unknown: Any) -> Any:
        for method in ("tolist", "isoformat"):  # NumPy arrays and scalars, and third-party dates
            if hasattr(unknown, method):
                return getattr(unknown, method)()
        raise TypeError(f"an object of type {type(unknown).__name__}")

    plain = to_jsonable_python(value, fallback=other)
    text = json.dumps(plain, ensure_ascii=False, allow_nan=False)
    text.encode()  # half a surrogate pair fails here, not in whoever stores it
    return text


def _cut(text: str, limit: int) -> dict[str, Any]:
    data = text.encode()
    if len(data) <= limit:
        return {"text": text, "truncated": False}
    return {"text": data[:limit].decode(errors="ignore"), "truncated": True}


def said(error: BaseException) -> str:
    """Type and message in one line, without the scratch folder's name, which differs from run to run."""
    try:
        message = " ".join(str(error).split())
        with contextlib.suppress(OSError):
            message = message.replace(os.getcwd(), ".")
    except BaseException:
        message = "its message cannot be shown"
    if len(message) > ERROR_CHARACTERS:
        message = message[:ERROR_CHARACTERS] + "…"
    message = message.encode(errors="replace").decode()
    return f"{type(error).__name__}: {message}" if message else type(error).__name__


def _invalid(error: ValueError) -> str:
    errors = getattr(error, "errors", None)
    if errors is None:
        return said(error)
    first = errors(include_url=False, include_context=False)[0]
    where = ".".join(str(p) for p in first["loc"])
    return f"{where}: {first['msg']}" if where else str(first["msg"])


def _unserialisable(value: Any, error: Exception) -> str:
    return f"a {type(value).__name__} that has no JSON form ({said(error)})"
