"""A model for which there is no memory: an allocation that really fails, in a worker under a limit of the kernel's."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from lamina.bench import BenchModel, BenchSettings, bench_models, open_task
from lamina.bench.asking import job_of
from lamina.bench.memory_left import bytes_left, lack_of_memory
from lamina.bench.workers import ask_worker
from lamina.errors import ModelError
from lamina.tools import Toolbox

sys.path.insert(0, str(Path(__file__).parents[1]))

from tiny_gguf import save_tiny_gguf

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the limit and what is left of it are Linux's")
LIMIT = 3_000_000
"""Kilobytes of address space: a worker with its engine takes about one."""
GREEDY = "held = bytearray(4 << 30)\n\n\ndef reply(messages, tools, seed):\n    return 'yes'\n"
LATE = "def reply(messages, tools, seed):\n    held = bytearray(4 << 30)\n    return 'yes'\n"


@pytest.fixture
def limited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers start under the limit, as from a shell with ``ulimit -v``."""
    started = tmp_path / "limited.sh"
    started.write_text(f'#!/bin/sh\nulimit -v {LIMIT}\nexec "{sys.executable}" "$@"\n')
    started.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(started))


def crash_and_next(desk: SimpleNamespace, ref: str) -> tuple[dict, float]:
    """The row of a model that crashes, and the figure of the one that is benched after it."""
    models = [BenchModel(ref, "large", ""), BenchModel(desk.model(), "good", "script")]
    settings = BenchSettings(timing_samples=0, slots=1)
    rows = bench_models(
        models, [open_task(f"own:{desk.queries}")], run=desk.run, toolbox=desk.toolbox, settings=settings
    )["rows"]
    good = next(r["value"] for r in rows if r["model"] == "good" and r["metric"] == "call_exact")
    (crash,) = [r for r in rows if r["model"] == "large"]
    return crash, good


@pytest.mark.usefixtures("limited")
def test_a_file_that_memory_has_no_room_for_fails_at_load_and_says_so(tmp_path: Path) -> None:
    pytest.importorskip("xllamacpp")
    file = save_tiny_gguf(tmp_path / "large.gguf", feed_forward=6_000_000, hollow=True)
    settings = BenchSettings(context=512, threads=1)
    job = job_of("quality", BenchModel(str(file), "large", ""), [], Toolbox([]), settings, slots=1)
    (event,) = ask_worker(job, silence_seconds=120)
    assert (event["event"], event["stage"]) == ("failed", "load")
    assert event["detail"].startswith("MemoryError: the model's files take 4608 MB")


@pytest.mark.usefixtures("limited")
@pytest.mark.parametrize(("script", "stage"), [(GREEDY, "load"), (LATE, "generate")])
def test_an_allocation_that_fails_is_a_row_that_says_when_and_the_next_model_is_benched(
    desk: SimpleNamespace, tmp_path: Path, script: str, stage: str
) -> None:
    greedy = tmp_path / "greedy.py"
    greedy.write_text(script)
    crash, good = crash_and_next(desk, f"scripted:{greedy}")
    assert (crash["stage"], good) == (stage, 1.0)
    assert crash["detail"].startswith("MemoryError: an allocation failed (")


def test_a_file_that_there_is_room_for_failed_for_another_reason(tmp_path: Path) -> None:
    broken = tmp_path / "m.gguf"
    broken.write_bytes(b"GGUF")
    assert (bytes_left() or 0) > 1_000_000
    assert lack_of_memory(ModelError("cannot load it"), str(broken)) is None
    assert lack_of_memory(ModelError("cannot load it"), "openai:m") is None
    assert lack_of_memory(ModelError("there is no such file"), str(tmp_path / "gone.gguf")) is None
