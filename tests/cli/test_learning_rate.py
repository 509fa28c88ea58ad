"""The learning rate is the user's to choose, for one training and for the main job."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest


@pytest.mark.parametrize(("options", "rate"), [([], 5e-4), (["--learning-rate", "2e-4"], 2e-4)])
def test_a_training_takes_it(
    lamina: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], rate: float
) -> None:
    seen = []
    monkeypatch.setattr("lamina.training.read_training_data", lambda data: None)
    monkeypatch.setattr("lamina.cli.train._show_plan", lambda ref, found, settings, *rest: seen.append(settings))
    said = lamina("train", tmp_path, "--out", tmp_path / "o", "--dry-run", *options)
    assert said.status == 0, said.err
    assert [settings.learning_rate for settings in seen] == [rate]


@pytest.mark.parametrize(("options", "rate"), [([], 5e-4), (["--learning-rate", "2e-4"], 2e-4)])
def test_the_main_job_takes_it(
    lamina: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], rate: float
) -> None:
    seen = []

    def stop(tools: Path, out: Path, settings: Any, **rest: Any) -> None:
        seen.append(settings.train.learning_rate)
        raise KeyboardInterrupt

    monkeypatch.setattr("lamina.build.build", stop)
    tools = tmp_path / "mine.py"
    tools.write_text('def double(n: int) -> int:\n    """Double it."""\n    return 2 * n\n')
    said = lamina("build", tools, "--out", tmp_path / "o", *options)
    assert said.status == 130, said.err
    assert seen == [rate]
