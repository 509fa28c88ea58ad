"""A slow worker is no crash; one that hangs, or computes for ever, is."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

import pytest

from lamina.bench import workers
from lamina.bench.pulse import Pulse
from lamina.bench.workers import _events


def told(during: Callable[[Pulse], None]) -> set[str]:
    heard: set[str] = set()
    pulse = Pulse(heard.add, seconds=0.05)
    during(pulse)
    pulse.stop()
    return heard


def computing(seconds: float) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        sum(range(1000))


def test_a_process_that_computes_says_so_and_one_that_waits_says_nothing():
    assert told(lambda pulse: computing(0.5)) == {"busy"}
    assert told(lambda pulse: time.sleep(0.3)) == set()


def test_what_was_finished_is_progress():
    def steps(pulse: Pulse) -> None:
        for _ in range(20):
            pulse.beat()
            time.sleep(0.02)

    assert "progress" in told(steps)


def heard(lines: list[tuple[float, dict[str, Any]]], silence: float) -> list[dict[str, Any]]:
    """What comes of a worker that writes each line after so many seconds, and then waits."""
    script = "import sys, time\nfor wait, line in " + repr([(wait, json.dumps(line)) for wait, line in lines])
    script += ":\n    time.sleep(wait)\n    print(line, flush=True)\ntime.sleep(30)\n"
    worker = subprocess.Popen([sys.executable, "-S", "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with tempfile.TemporaryFile() as complaints:
        try:
            return list(_events(worker, {}, complaints, silence))
        finally:
            worker.kill()
            worker.wait()


@pytest.mark.parametrize("sign", ["busy", "progress"])
def test_a_slow_worker_that_shows_that_it_is_at_work_is_waited_for(sign: str):
    lines = [(0.5, {"event": sign})] * 5 + [(0.0, {"event": "done"})]
    assert heard(lines, silence=2.0) == [{"event": "done"}]


def test_a_worker_that_computes_for_ever_and_finishes_nothing_is_ended(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(workers, "PATIENCE", 0.1)
    (failed,) = heard([(0.1, {"event": "busy"})] * 60, silence=5.0)
    assert (failed["event"], failed["stage"]) == ("failed", "load")
    assert "finished nothing in" in failed["detail"]


def test_progress_is_waited_for_however_long_it_takes(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(workers, "PATIENCE", 0.4)
    lines = [(0.1, {"event": "progress"}), *[(0.1, {"event": "busy"})] * 5] * 4 + [(0.0, {"event": "done"})]
    assert heard(lines, silence=5.0) == [{"event": "done"}]


def test_a_silent_worker_is_ended_still():
    (failed,) = heard([], silence=0.3)
    assert "no sign of life" in failed["detail"]
