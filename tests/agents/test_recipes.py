"""The recipes of examples/learning: all are there, say what they are, and run."""

from __future__ import annotations

import json
import tomllib
from importlib.util import find_spec
from pathlib import Path

import pytest

from lamina.cli import main

RECIPES = sorted((Path(__file__).parents[2] / "examples" / "learning").glob("*.toml"))
MODEL = f"scripted:{Path(__file__).parent / 'obedient_model.py'}"
LEARNING = {"rpo-batch-reward", "rpo-batch-self", "rpo-traj-reward", "rpo-traj-self", "whole", "gepa"}


def test_there_is_one_for_every_method_that_is_compared():
    assert {file.stem for file in RECIPES} == LEARNING | {"act", "react"}


def test_all_that_learn_have_one_budget_and_play_the_same_tasks():
    read = {file.stem: tomllib.loads(file.read_text(encoding="utf-8")) for file in RECIPES}
    for keys, names in ((("held", "max-calls"), LEARNING), (("test", "turns"), set(read))):
        assert len({tuple(read[name][key] for key in keys) for name in names}) == 1


@pytest.mark.parametrize("file", RECIPES, ids=[file.stem for file in RECIPES])
def test_it_says_how_it_is_run_and_runs(file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    if file.stem == "gepa" and not find_spec("gepa"):
        pytest.skip("needs pip install 'lamina[gepa]'")
    head = file.read_text(encoding="utf-8").splitlines()[:3]
    assert all(line.startswith("# ") for line in head)
    assert f"lamina learn --config examples/learning/{file.name}" in head[2]
    given = ["--env", "shop", "--model", MODEL, "--out", str(tmp_path / "run"), "--test", "2", "--max-calls", "12"]
    held = ["--held", "2"] if file.stem in LEARNING else []
    assert main(["learn", "--config", str(file), *given, *held, "--json"]) == 0
    metrics = json.loads(capsys.readouterr().out)["metrics"]
    assert metrics["last"]["n"] == 2
    spent = sum(cost["calls"] for part, cost in metrics["cost"].items() if part != "test")
    assert spent <= 12
    if file.stem not in LEARNING:
        assert (spent, metrics["updates"], metrics["ending"]) == (0, 0, "iterations")
