"""What ``lamina distill`` is asked wrongly is said in one line, before anything is trained."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

pytest.importorskip("torch")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "--teacher, --student and --data are all needed"),
        (["--experiment", "faces"], "no experiment 'faces'"),
        (["--experiment", "digits", "--teacher", "embedded"], "brings its own teacher"),
        (["--experiment", "digits", "--weight", "2"], "--weight is of one transfer"),
        (["--experiment", "digits", "--rates", "fast"], "no rule for rates 'fast'"),
        (["--experiment", "digits", "--transfer", "magic"], "no transfer 'magic'"),
        (["--experiment", "mnist-10k", "--data", "nowhere"], "no folder mnist-10k"),
        (["--teacher", "a", "--student", "b", "--data", "c", "--transfer", "magic"], "no transfer 'magic'"),
        (["--teacher", "a", "--student", "b", "--data", "c", "--layers", "x"], "is no pair"),
    ],
)
def test_a_wrong_command_is_one_line_with_status_2(lamina, tmp_path: Path, arguments: list[str], says: str):
    said = lamina("distill", "--out", tmp_path / "run", *arguments)
    assert said.status == 2
    assert says in said.errors[-1]
    assert said.errors[-1].startswith("lamina: ")


def test_an_engine_that_is_not_installed_is_said_before_a_teacher_is_trained(
    lamina, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(sys.modules, "ray", None)
    said = lamina("distill", "--out", tmp_path / "run", "--experiment", "digits", "--engine", "ray")
    assert said.status == 2
    assert said.errors == ["lamina: ray is not installed; pip install 'lamina[ray]' brings it"]
