"""The parent's side of a bench worker: starts it, passes its events on, and turns every way a process can end
into an event."""

from __future__ import annotations

import json
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import IO, Any

import orjson

from lamina.bench.pulse import BEAT_SECONDS, PATIENCE
from lamina.tools.tool import JSON

_SECONDS_TO_LEAVE = 10.0


def ask_worker(job: JSON, *, silence_seconds: float) -> Iterator[JSON]:
    """Runs one job (``worker.py``) in a process of its own and yields its events as they come. The last event
    is always ``done`` or ``failed`` with ``stage`` and ``detail``: a crash, a kill or ``silence_seconds``
    without a sign of life (``pulse``) is an event, not an error, and so are ``PATIENCE`` times as many in which it
    computed and finished nothing. The process is gone when the iterator ends or is closed."""
    job = {**job, "beat_seconds": min(BEAT_SECONDS, silence_seconds / 4)}
    with tempfile.TemporaryFile() as complaints:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "lamina.bench.worker"],  # -P: no queue.py of this folder is Python's
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=complaints,
        )
        try:
            yield from _events(process, job, complaints, silence_seconds)
            with suppress(subprocess.TimeoutExpired):  # it closes its engine and its executor
                process.wait(timeout=_SECONDS_TO_LEAVE)
        finally:
            process.kill()
            process.wait()


def _events(
    process: subprocess.Popen[bytes], job: JSON, complaints: IO[bytes], silence_seconds: float
) -> Iterator[JSON]:
    lines: queue.Queue[bytes | None] = queue.Queue()
    threading.Thread(target=_read, args=(process.stdout, lines), daemon=True).start()
    stage, finished = "load", time.monotonic()
    try:
        assert process.stdin is not None
        process.stdin.write(orjson.dumps(job) + b"\n")
        process.stdin.flush()
    except OSError:
        pass  # it died before it read the job; the end of its output says so below
    while True:
        try:
            line = lines.get(timeout=silence_seconds)
        except queue.Empty:
            process.kill()
            yield _failed(stage, f"no sign of life for {silence_seconds:.0f} s, ended")
            return
        if line is None:
            yield _failed(stage, _how_it_ended(process, complaints))
            return
        event = _parse(line)
        if event is None:
            continue
        if event["event"] == "busy":
            if time.monotonic() - finished > PATIENCE * silence_seconds:
                process.kill()
                yield _failed(stage, f"finished nothing in {PATIENCE * silence_seconds:.0f} s of work, ended")
                return
            continue
        finished = time.monotonic()
        if event["event"] == "progress":
            continue
        if event["event"] == "loaded":
            stage = "generate"
        yield event
        if event["event"] in ("done", "failed"):
            return


def _read(stream: IO[bytes] | None, lines: queue.Queue[bytes | None]) -> None:
    assert stream is not None
    with stream:
        for line in stream:
            lines.put(line)
    lines.put(None)


def _parse(line: bytes) -> dict[str, Any] | None:
    """A process that dies while it writes leaves half a line. A number that a model wrote may be too long for any type
    (hundreds of digits): it stays text."""
    try:
        event = orjson.loads(line)
    except orjson.JSONDecodeError:
        try:
            event = json.loads(line, parse_int=_held)
        except ValueError:
            return None
    return event if isinstance(event, dict) and "event" in event else None


def _held(digits: str) -> int | str:
    number = int(digits) if len(digits) < 21 else None
    return digits if number is None or not -(2**63) <= number < 2**64 else number


def _failed(stage: str, detail: str) -> JSON:
    return {"event": "failed", "stage": stage, "detail": detail}


def _how_it_ended(process: subprocess.Popen[bytes], complaints: IO[bytes]) -> str:
    status = process.wait()
    complaints.seek(0, 2)
    complaints.seek(max(0, complaints.tell() - 4096))
    said = [line for line in complaints.read().decode(errors="replace").splitlines() if line.strip()]
    how = f"killed by {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"
    if status == -getattr(signal, "SIGKILL", 9):
        how += ", as a machine does whose memory has run out"
    return f"{how}; last words: {said[-1][:300]}" if said else how
