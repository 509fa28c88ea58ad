"""What happens inside the fork, once it is confined: arguments converted, function called by keyword, result as JSON.

Nothing here is trusted to come back: the supervisor decides what to make of a fork that says nothing.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import CoroutineType
from typing import Any

from pydantic_core import to_jsonable_python

from lamina.tools.execution import frames
from lamina.tools.execution.default_errors import default_error
from lamina.tools.execution.outcomes import Limits

ERROR_CHARACTERS = 500

_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode
_sorted = json.JSONEncoder(sort_keys=True).encode


@dataclass(frozen=True)
class Function:
    """A preloaded function of the user's, for each argument what makes it of its JSON text, and what says of a result
    why it is an error (None: it is none); asked only where the result is cut. ``hidden`` takes out of JSON data what no
    result may say; None where there is nothing to hide."""

    call: Callable[..., Any]
    readers: dict[str, Callable[[bytes], Any]]
    error_of: Callable[[Any], str | None] = default_error
    hidden: Callable[[Any], Any] | None = None


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
            sys.modules["random"].seed(_sorted([name, arguments, job["now"]]))
        start = time.perf_counter()
        outcome = call_function(name, arguments, functions[name], limits)
        outcome["seconds"] = time.perf_counter() - start
        _flush()
        frames.send(result, outcome)
        more = number + 1 < len(job["calls"])
        if outcome["status"] != "ok" or (more and not os.read(result, 1)):  # waits until its output was read
            return


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        try:  # noqa: SIM105 -- suppress() is one more object and two more frames
            stream.flush()
        except Exception:
            pass  # closed, or replaced by an object of the tool's own: what was printed is lost, not the result


def call_function(name: str, arguments: dict[str, Any], function: Function, limits: Limits) -> dict[str, Any]:
    """The outcome of one call, whatever it raises."""
    try:
        try:
            ready = {k: function.readers[k](frames.json_bytes(v)) for k, v in arguments.items()}
        except ValueError as error:  # pydantic's ValidationError is one
            return {"status": "invalid", "error": f"{name}: {_invalid(error, function)}"}
        try:
            value = function.call(**ready)
            if isinstance(value, CoroutineType):
                import asyncio

                value = asyncio.run(value)
        except SystemExit as ending:
            code = _told(repr(ending.code), function)[:80]
            return {"status": "exited", "error": f"{name} ended its process (sys.exit({code}))"}
        try:
            data = to_jsonable_python(value, fallback=_plain)
            data = data if function.hidden is None else function.hidden(data)  # before it is cut: no half of a key
            text = json_text(data)
        except MemoryError:
            raise
        except Exception as error:
            told = f"a {type(value).__name__} that has no JSON form ({said(error, function)})"
            return {"status": "unserialisable", "error": f"{name} returned {told}"}
        cut = _cut(text, limits.output_bytes)
        if cut["truncated"]:  # who gets half of it cannot judge it
            cut["carried_error"] = function.error_of(data)
        return {"status": "ok", **cut}
    except MemoryError:
        with contextlib.suppress(OSError, ValueError):
            hard = resource.getrlimit(resource.RLIMIT_AS)[1]
            resource.setrlimit(resource.RLIMIT_AS, (hard, hard))
        sentence = f"{name} ran out of the {limits.memory_mb} MB of memory that a call may use"
        return {"status": "killed", "error": sentence}
    except BaseException as error:
        return {"status": "raised", "error": f"{name} raised {said(error, function)}"}


def json_text(data: Any) -> str:
    """``data``, which pydantic made of a result (dataclasses and models as objects, dates in ISO form, enums by value),
    as JSON text. Raises ValueError or TypeError for what has no JSON form, NaN and infinity included."""
    text = _encode(data)
    text.encode()  # half a surrogate pair fails here, not in whoever stores it
    return text


def _plain(unknown: Any) -> Any:
    for method in ("tolist", "isoformat"):  # NumPy arrays and scalars, and third-party dates
        if hasattr(unknown, method):
            return getattr(unknown, method)()
    raise TypeError(f"an object of type {type(unknown).__name__}")


def _cut(text: str, limit: int) -> dict[str, Any]:
    data = text.encode()
    if len(data) <= limit:
        return {"text": text, "truncated": False}
    return {"text": data[:limit].decode(errors="ignore"), "truncated": True}


def said(error: BaseException, function: Function | None = None) -> str:
    """Type and message in one line, without the scratch folder's name, which differs from run to run, and what
    ``function`` must not say."""
    try:
        message = " ".join(str(error).split())
        with contextlib.suppress(OSError):
            message = message.replace(os.getcwd(), ".")
        message = _told(message, function)
    except BaseException:
        message = "its message cannot be shown"
    if len(message) > ERROR_CHARACTERS:
        message = message[:ERROR_CHARACTERS] + "…"
    message = message.encode(errors="replace").decode()
    return f"{type(error).__name__}: {message}" if message else type(error).__name__


def _told(text: str, function: Function | None) -> str:
    return text if function is None or function.hidden is None else str(function.hidden(text))


def _invalid(error: ValueError, function: Function) -> str:
    errors = getattr(error, "errors", None)
    if errors is None:
        return said(error, function)
    first = errors(include_url=False, include_context=False)[0]
    where = ".".join(str(p) for p in first["loc"])
    told = _told(str(first["msg"]), function)
    return f"{where}: {told}" if where else told
