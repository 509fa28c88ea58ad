"""A model for which there is no memory: an allocation that really fails, in a worker under a limit of the kernel's."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from gguf import GGUFWriter

from lamina.bench import BenchModel, BenchSettings, bench_models, memory_left, open_task, worker
from lamina.bench.jobs import job_of
from lamina.bench.memory_left import bytes_left, context_bytes, lack_of_memory
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


def test_a_file_that_memory_is_clearly_too_small_for_is_not_loaded_and_one_that_fits_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = save_tiny_gguf(tmp_path / "m.gguf", context=512)
    weights, context = file.stat().st_size, 2 * 1 * 512 * 2 * (32 + 32)
    opened: list[str] = []
    monkeypatch.setattr("lamina.models.open_model", lambda ref, **options: opened.append(ref))
    monkeypatch.setattr(memory_left, "has_graphics_card", lambda: False)
    job = job_of("quality", BenchModel(str(file), "m", ""), [], Toolbox([]), BenchSettings(context=4096), slots=1)
    assert context_bytes(file, 1, 4096) == context, "no more than what it was trained for"
    for left, loads in ((weights + context, True), (weights + context - 1, False), (None, True)):
        opened.clear()
        monkeypatch.setattr(memory_left, "bytes_left", lambda left=left: left)
        if loads:
            worker._open(job)
        else:
            with pytest.raises(
                MemoryError, match=r"the model's files take \d+ MB and its context .*; it was not loaded"
            ):
                worker._open(job)
        assert opened == [str(file)] * loads
    monkeypatch.setattr(memory_left, "bytes_left", lambda: 0)
    for ref in ("openai:m", "scripted:m.py", str(tmp_path), "hf:some/model", str(tmp_path / "gone.gguf")):
        memory_left.check_room(ref)
    with pytest.MonkeyPatch.context() as in_memory:
        in_memory.setattr(memory_left, "lies_in_memory", lambda _: True)
        memory_left.check_room(str(file))
    monkeypatch.setattr(memory_left, "has_graphics_card", lambda: True)
    memory_left.check_room(str(file))


@pytest.mark.skipif(not Path("/proc/self/mountinfo").exists(), reason="Linux says what a file system is there")
def test_a_file_in_memory_is_told_from_one_on_a_disk():
    kinds = {line.split()[1]: line.split()[2] for line in Path("/proc/self/mounts").read_text().splitlines()}
    for place in ("/dev/shm", "/proc"):
        if place in kinds:
            assert memory_left.lies_in_memory(Path(place)) == (kinds[place] == "tmpfs")
    with pytest.raises(FileNotFoundError):
        memory_left.lies_in_memory(Path("/nowhere/at all"))


def test_the_context_of_an_architecture_that_may_keep_less_is_not_counted(tmp_path: Path) -> None:
    file = tmp_path / "window.gguf"
    writer = GGUFWriter(file, "gemma3")
    for key in ("block_count", "embedding_length", "attention.head_count", "attention.head_count_kv", "context_length"):
        writer.add_uint32(f"gemma3.{key}", 8)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()
    assert context_bytes(file, 1, 1 << 20) == 0


def test_a_file_that_there_is_room_for_failed_for_another_reason(tmp_path: Path) -> None:
    broken = tmp_path / "m.gguf"
    broken.write_bytes(b"GGUF")
    assert (bytes_left() or 0) > 1_000_000
    assert lack_of_memory(ModelError("cannot load it"), str(broken)) is None
    assert lack_of_memory(ModelError("cannot load it"), "openai:m") is None
    assert lack_of_memory(ModelError("there is no such file"), str(tmp_path / "gone.gguf")) is None
