"""kill -9 at any moment: no acknowledged row is lost and none is there twice."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from lamina.runs import Run

WRITER = """
import hashlib, os, sys
from lamina.runs import Run, Row
run = Run.open(sys.argv[1], {"seed": 1})
def rows(start):  # the same work on each resume: ids are derived from content
    for n in range(start, start + 5):
        yield Row("trajectory", hashlib.sha256(b"%d" % n).hexdigest(), n, b'{"n": %d}' % n)
n = run.store.count("trajectory") // 5 * 5 - 5  # resumes with work that was done already
n = max(n, 0)
print("ready", flush=True)
while True:
    run.store.put(rows(n))
    os.write(1, b"%d\\n" % (n + 4))
    run.log("batch", n=n)
    n += 5
"""


def test_acknowledged_rows_survive_kill_nine_and_are_there_once(tmp_path: Path) -> None:
    chance = random.Random(7)
    acknowledged = -1
    folder = tmp_path / "run"
    for _ in range(8):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(folder)],
            stdout=subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
        )
        assert writer.stdout
        assert writer.stdout.readline() == b"ready\n"
        time.sleep(chance.uniform(0.0, 0.15))
        os.kill(writer.pid, signal.SIGKILL)
        output = writer.stdout.read()
        writer.wait()
        writer.stdout.close()
        acknowledged = max([acknowledged, *(int(n) for n in output.split(b"\n")[:-1])])
        with Run.at(folder) as run:  # no lock is left behind, and the log is whole
            found = [r.position for r in run.store.iterate("trajectory")]
            assert found == list(range(len(found)))
            assert len(found) > acknowledged
            assert [json.loads(r.payload)["n"] for r in run.store.iterate("trajectory")] == found
        for line in (folder / "log.jsonl").read_text().splitlines():
            assert json.loads(line)
    assert acknowledged > 20


def test_kill_nine_while_the_run_is_being_created_leaves_a_folder_that_can_be_used(tmp_path: Path) -> None:
    chance = random.Random(3)
    opening = "import sys\nfrom lamina.runs import Run\nprint(1, flush=True)\nRun.open(sys.argv[1], {'a': 1})"
    for n in range(8):
        folder = tmp_path / f"run{n}"
        child = subprocess.Popen(
            [sys.executable, "-c", opening, str(folder)],
            stdout=subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
        )
        assert child.stdout
        child.stdout.readline()
        time.sleep(chance.uniform(0.0, 0.03))
        child.kill()
        child.wait()
        child.stdout.close()
        with Run.open(folder, {"a": 1}) as run:
            run.finish("tools", {})
