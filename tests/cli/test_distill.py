"""What ``lamina distill`` is asked wrongly is said in one line, before anything is trained."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

import pytest

pytest.importorskip("torch")

from lamina.training.layerwise.images import SOURCES
from lamina.training.layerwise.rates import RULES
from lamina.training.layerwise.transfer import KINDS

RECIPES = sorted((Path(__file__).parents[2] / "examples" / "distillation").glob("*.toml"))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "--teacher, --student and --data are all needed"),
        (["--experiment", "faces"], "no experiment 'faces'"),
        (["--experiment", "digits", "--teacher", "embedded"], "no network 'embedded'"),
        (["--experiment", "digits", "--keep-every", "2"], "--keep-every is for language models"),
        (["--experiment", "digits", "--layers", "a=b"], "--layers is for language models"),
        (["--experiment", "digits", "--recompute-teacher"], "--recompute-teacher is for language models"),
        (["--experiment", "digits", "--learning-rate", "0.1"], "--learning-rate is for language models"),
        (["--experiment", "digits", "--qat", "Q4_0"], "--qat is for language models"),
        (["--teacher", "a", "--student", "b", "--data", "c", "--recompute-teacher"], "is for --transfer jacobian"),
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


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda file: file.stem)
def test_each_recipe_is_a_grid_that_the_verb_takes(lamina, tmp_path: Path, recipe: Path):
    options = tomllib.loads(recipe.read_text())
    assert options["experiment"] in SOURCES
    assert set(options["transfer"].split(",")) <= set(KINDS)
    assert set(options["rates"].split(",")) <= set(RULES)
    said = lamina("distill", "--config", recipe, "--out", tmp_path / "run", "--teacher", "none-such")
    assert said.status == 2
    assert "no network 'none-such'" in said.errors[-1], "only the network is wrong"


def test_an_engine_that_is_not_installed_is_said_before_a_teacher_is_trained(
    lamina, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(sys.modules, "ray", None)
    said = lamina("distill", "--out", tmp_path / "run", "--experiment", "digits", "--engine", "ray")
    assert said.status == 2
    assert said.errors == ["lamina: ray is not installed; pip install 'lamina[ray]' brings it"]


@pytest.mark.parametrize(
    ("options", "rule"),
    [
        ([], "uniform"),
        (["--rates", "random"], "random"),
        (["--relative"], "layerwise"),
        (["--rate-warmup", "20"], "layerwise"),
        (["--exponent", "-1"], "layerwise"),
    ],
)
def test_all_layers_learn_at_one_rate_unless_another_is_asked_for(
    lamina, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], rule: str
):
    seen = []
    monkeypatch.setattr("lamina.cli.distill._language", lambda plan, *rest: seen.append(plan.rule.name))
    said = lamina("distill", "--teacher", "a", "--student", "b", "--data", tmp_path, "--out", tmp_path / "o", *options)
    assert said.status == 0, said.err
    assert seen == [rule]


@pytest.mark.parametrize(
    ("options", "learns"),
    [
        ([], ("logits", None)),
        (["--keep-every", "2"], ("logits", 1e-3)),
        (["--keep-every", "2", "--learning-rate", "3e-4", "--transfer", "attention"], ("attention", 3e-4)),
    ],
)
def test_a_student_that_lost_layers_learns_faster_and_from_logits_unless_told_otherwise(
    lamina, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], learns: tuple
):
    seen = []

    def remember(plan, student, data, out, style, given, *rest):
        seen.append((plan.transfer.kind, given.get("learning_rate")))

    monkeypatch.setattr("lamina.cli.distill._language", remember)
    said = lamina("distill", "--teacher", "a", "--student", "b", "--data", tmp_path, "--out", tmp_path / "o", *options)
    assert said.status == 0, said.err
    assert seen == [learns]
