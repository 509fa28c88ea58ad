"""kill -9 of a bench whose model is answering: what is stored is asked no more, and the figures are the same."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from lamina.runs import Run

SLOWLY = "def reply(messages, tools, seed):\n    import time\n    time.sleep({seconds})\n"


def bench_command(desk: SimpleNamespace, model: str, out: Path) -> list[str]:
    words = ["bench", model, "--tools", str(desk.folder / "desk_tools.py"), "--tasks", f"own:{desk.queries}"]
    return [sys.executable, "-m", "lamina", *words, "--out", str(out), "--json"]


def slow_model(desk: SimpleNamespace, seconds: float) -> str:
    """One whose answers take that long: time enough for a kill between them."""
    ref: str = desk.model({"greet Ana": "[]"})
    file = Path(ref.removeprefix("scripted:"))
    kept = file.read_text().replace("def reply(messages, tools, seed):\n", SLOWLY.format(seconds=seconds))
    file.write_text(kept)
    return ref


def samples(run: Path) -> dict[str, Any]:
    if not (run / "config.toml").exists():
        return {}
    with Run.at(run) as opened:
        return {row.id: json.loads(row.payload) for row in opened.store.iterate("sample")}


def scores(printed: str) -> list[dict[str, Any]]:
    return [row for row in json.loads(printed)["rows"] if row["task"] != "device"]


def wait_for_samples(run: Path, process: subprocess.Popen[bytes], seconds: float = 120) -> dict[str, Any]:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.poll() is None:
        if found := samples(run):
            return found
        time.sleep(0.05)
    raise AssertionError("no sample was stored")


def test_a_killed_bench_goes_on_after_the_samples_it_has(desk: SimpleNamespace, tmp_path: Path) -> None:
    model, run = slow_model(desk, seconds=0.5), tmp_path / "broken"
    with subprocess.Popen(bench_command(desk, model, run), stdout=subprocess.DEVNULL, start_new_session=True) as first:
        wait_for_samples(run, first)
        os.killpg(first.pid, signal.SIGKILL)
    stored = samples(run)
    assert 0 < len(stored) < 4
    with Run.at(run) as opened:
        assert not opened.is_done("bench")

    def finished(out: Path) -> tuple[list[dict[str, Any]], int]:
        before = desk.asked()
        done = subprocess.run(bench_command(desk, model, out), capture_output=True, text=True, timeout=240)
        assert done.returncode == 0, done.stderr
        return scores(done.stdout), desk.asked() - before

    resumed, asked_then = finished(run)
    unbroken, asked_in_all = finished(tmp_path / "unbroken")
    assert resumed == unbroken
    assert asked_in_all - asked_then == sum(len(sample["transcript"]) for sample in stored.values()), "asked again"
    both = samples(run), samples(tmp_path / "unbroken")
    assert both[0].keys() == both[1].keys()
    assert len(both[0]) == 4
    assert {key: both[0][key] for key in stored} == stored, "what was stored stays as it was"
