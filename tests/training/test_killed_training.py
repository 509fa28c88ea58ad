"""kill -9 of a training that is under way: it continues from its last checkpoint, to the very same weights."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lamina.training import TrainSettings, fine_tune
from tiny_llama import desk_toolbox, split_rows

pytestmark = pytest.mark.slow  # another process that imports torch

SETTINGS = TrainSettings(epochs=3, batch=4, learning_rate=2e-3, max_length=200, save_seconds=0.0)
STEPS = 9
TRAINER = """
import sys, time
from pathlib import Path
from lamina.training import fine_tune, trainer
from test_killed_training import SETTINGS
from tiny_llama import desk_toolbox, split_rows

step = trainer.TrainingLog.step
def slow_step(self, *arguments):  # time enough for a kill between steps, on a busy machine too
    due = step(self, *arguments)
    time.sleep(0.3)
    return due
trainer.TrainingLog.step = slow_step
fine_tune(sys.argv[1], split_rows(12), [], Path(sys.argv[2]), SETTINGS, desk_toolbox())
"""


def logged(out: Path, column: str) -> list[str]:
    file = out / "train-log.csv"
    return [line[column] for line in csv.DictReader(file.open())] if file.exists() else []


def steps_logged(out: Path) -> list[int]:
    return [int(step) for step in logged(out, "step")]


def kill_after_steps(tiny: Path, out: Path, steps: int) -> None:
    folders = [str(Path(__file__).parent), str(Path(__file__).parents[1]), *filter(None, sys.path)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(folders)}
    with subprocess.Popen([sys.executable, "-c", TRAINER, str(tiny), str(out)], env=environment) as trainer:
        deadline = time.monotonic() + 300
        while len(steps_logged(out)) < steps:
            assert trainer.poll() is None, "it ended before"
            assert time.monotonic() < deadline, "it never got there"
            time.sleep(0.05)
        trainer.send_signal(signal.SIGKILL)
    assert trainer.returncode == -signal.SIGKILL


def test_a_training_killed_between_its_steps_ends_with_the_same_weights_and_each_step_logged_once(
    tiny: Path, tmp_path: Path
):
    broken, unbroken = tmp_path / "broken", tmp_path / "unbroken"
    kill_after_steps(tiny, broken, 4)
    assert 4 <= steps_logged(broken)[-1] < STEPS
    assert not (broken / "training.json").exists()
    assert not (broken / "model.safetensors").exists()

    def finished(out: Path) -> dict[str, object]:
        return fine_tune(str(tiny), split_rows(12), [], out, SETTINGS, desk_toolbox())

    resumed, whole = finished(broken), finished(unbroken)
    assert 3 <= resumed["resumed_from_step"] < STEPS
    assert steps_logged(broken) == list(range(1, STEPS + 1))
    assert logged(broken, "loss") == logged(unbroken, "loss")
    assert {k: resumed[k] for k in ("steps", "tokens", "loss")} == {k: whole[k] for k in ("steps", "tokens", "loss")}
    for name in ("model.safetensors", "config.json", "tokenizer.json", "chat_template.jinja"):
        assert (broken / name).read_bytes() == (unbroken / name).read_bytes(), name
    assert json.loads((broken / "lamina.json").read_text()) == json.loads((unbroken / "lamina.json").read_text())
