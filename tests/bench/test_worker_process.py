"""The worker does not outlive the one who started it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from lamina.bench.worker import toolbox_from, toolbox_rows


def test_the_worker_leaves_when_its_parent_is_gone(desk: SimpleNamespace) -> None:
    path = desk.folder / "sleeps.py"
    path.write_text("import time\ntime.sleep(60)\n")
    job = {
        "mode": "quality", "ref": f"scripted:{path}", "style": "baked", "system": None,
        "max_tokens": 8, "threads": 1, "slots": 1,
        "context": None, "sandbox": "guarded", "execute": False, "tools": [], "groups": [],
    }  # fmt: skip
    worker = subprocess.Popen([sys.executable, "-m", "lamina.bench.worker"], stdin=subprocess.PIPE)
    assert worker.stdin is not None
    worker.stdin.write(json.dumps(job).encode() + b"\n")
    worker.stdin.close()  # what the kernel does for a killed parent
    assert worker.wait(timeout=30) == 3


def test_tools_cross_to_the_worker_unchanged(desk: SimpleNamespace) -> None:
    there = toolbox_from(json.loads(json.dumps(toolbox_rows(desk.toolbox))))
    assert there.as_openai() == desk.toolbox.as_openai()
    assert [tool.target for tool in there] == [tool.target for tool in desk.toolbox]


def test_how_long_a_call_may_take_crosses_to_the_worker(desk: SimpleNamespace) -> None:
    from contextlib import ExitStack

    from lamina.bench.worker import _setting

    job = {"tools": toolbox_rows(desk.toolbox), "execute": True, "sandbox": "guarded", "timeout": 40.0}
    with ExitStack() as stack:
        setting = _setting(job | {"style": "baked", "system": None, "max_tokens": 8}, stack)
        assert setting.executor is not None
        assert (setting.executor.limits.wall_seconds, setting.executor.limits.cpu_seconds) == (40.0, 40)


def test_an_integer_of_any_length_in_an_answer_is_told_and_ends_no_process():
    from lamina.bench.worker import event_line

    assert str(10**30) in event_line({"event": "sample", "record": {"calls": [{"x": 10**30}]}}).decode()


def test_integers_that_fit_stay_integers_beside_one_that_does_not():
    from lamina.bench.workers import _parse

    fits, cannot = 2**64 - 1, "1" * 400
    event = _parse(f'{{"event": "sample", "n": [{fits}, {-(2**63)}, {cannot}]}}'.encode())
    assert event is not None
    assert event["n"] == [fits, -(2**63), cannot]


def test_no_file_of_the_current_folder_is_taken_for_a_module_of_pythons(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lamina.bench.workers import ask_worker

    (tmp_path / "queue.py").write_text("raise RuntimeError('mine')\n")
    monkeypatch.chdir(tmp_path)
    *_, last = ask_worker({}, silence_seconds=60)
    assert last["event"] == "failed"
    assert "mine" not in last["detail"]
