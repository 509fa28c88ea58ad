"""`lamina build --recipe` trains on a mix, of which the rows that the build wrote may be a source."""

from __future__ import annotations

from pathlib import Path

import pytest

from lamina.build.mixing import check_recipe, mix_rows, recipe_identity, training_rows
from lamina.cli import main
from lamina.errors import InputError
from lamina.runs import Progress, Run
from lamina.tools import Toolbox
from lamina.trajectories import Message, Meta, ToolCall, Trajectory, TrajectoryStore, write_trajectories

SIDES = ["train"] * 6 + ["validation"] * 2 + ["test"] * 2
RECIPE = """
validation = 0.0
[[source]]
name = "mine"
path = "@synthesis"
[[source]]
name = "others"
path = "others.jsonl"
"""
WORDS = (
    "{name} the {number} apples in my basket",
    "How much is it to {name} {number}?",
    "take {number}, {name} it and tell Anna",
    "My rent is {number}. {name} that",
    "could somebody kindly {name} number {number}",
    "quick: {number}, {name}!",
    "We sold {number} tickets, please {name} the figure for tomorrow",
    "{name} {number}",
    "if I {name} {number} kilometres, where do I end",
    "Grandmother wants {number} eggs to {name}",
)
"""So different that none is a copy of another."""


def tool(name: str) -> dict[str, object]:
    schema = {"type": "object", "properties": {"x": {"type": "integer"}}, "required": ["x"]}
    return {"type": "function", "function": {"name": name, "description": "Does it.", "parameters": schema}}


def row(id: str, name: str, number: int, side: str | None = None) -> Trajectory:
    answer = Message(role="assistant", tool_calls=[ToolCall.of(name, {"x": number})])
    asked = Message(role="user", content=WORDS[number % len(WORDS)].format(name=name, number=number))
    return Trajectory(id=id, tools=[tool(name)], messages=[asked, answer], meta=Meta(split=side))


TOOLBOX = Toolbox.from_openai([tool("double")])
QUIET = Progress(silent=True)


@pytest.fixture
def run(tmp_path: Path):
    write_trajectories(tmp_path / "others.jsonl", [row(f"o{n}", "halve", n) for n in range(5)])
    (tmp_path / "recipe.toml").write_text(RECIPE)
    with Run.open(tmp_path / "run", {"verb": "build"}) as run:
        TrajectoryStore(run.store).add((n, row(f"r{n}", "double", n, side)) for n, side in enumerate(SIDES))
        yield run


def test_the_mix_is_trained_on_and_no_row_that_is_held_out(run: Run, tmp_path: Path):
    assert [r.id for r in training_rows(run, "train")] == [f"r{n}" for n in range(6)], "as ever without a mix"
    result = mix_rows(
        run,
        tmp_path / "recipe.toml",
        TOOLBOX,
        "full",
        {"my rent is 3, double that": "queries.jsonl q-1", "take 2, halve it and tell Anna": "queries.jsonl q-2"},
        QUIET,
    )
    run.finish("mix", result)
    trained = {r.id for r in training_rows(run, "train")}
    assert trained == {f"mine/r{n}" for n in (0, 1, 2, 4, 5)} | {f"others/o{n}" for n in (0, 1, 3, 4)}
    assert [r.id for r in training_rows(run, "validation")] == ["r6", "r7"], "those of the build are still unseen"
    assert [one["left_out"] for one in result["sources"]] == [{"contaminated": 1}] * 2


def test_a_mix_that_was_cut_off_is_made_anew(run: Run, tmp_path: Path):
    first = mix_rows(run, tmp_path / "recipe.toml", TOOLBOX, "full", {}, QUIET)
    assert mix_rows(run, tmp_path / "recipe.toml", TOOLBOX, "full", {}, QUIET) == first
    assert first["split"] == {"train": 11}


def test_a_baked_model_is_given_no_rows_of_functions_it_does_not_have(run: Run, tmp_path: Path):
    file = tmp_path / "recipe.toml"
    check_recipe(file, TOOLBOX, "full", QUIET)
    with pytest.raises(InputError, match=r"'halve'.*--style full or compact"):
        check_recipe(file, TOOLBOX, "baked", QUIET)
    with pytest.raises(InputError, match="'halve'"):
        mix_rows(run, file, TOOLBOX, "baked", {}, QUIET)
    write_trajectories(tmp_path / "others.jsonl", [row("o", "double", 77)])
    check_recipe(file, TOOLBOX, "baked", QUIET)


def test_a_mix_of_nothing_is_an_error(run: Run, tmp_path: Path):
    file = tmp_path / "recipe.toml"
    file.write_text(RECIPE.replace("0.0", "0.0\ntest = 0.999999999"))
    with pytest.raises(InputError, match="leaves nothing to train on"):
        mix_rows(run, file, TOOLBOX, "full", {}, QUIET)


def test_another_recipe_makes_another_build_and_none_says_nothing(tmp_path: Path):
    (tmp_path / "a.toml").write_text(RECIPE)
    (tmp_path / "b.toml").write_text(RECIPE + "# more")
    assert recipe_identity(None) == {}
    assert recipe_identity(tmp_path / "a.toml") != recipe_identity(tmp_path / "b.toml")


def test_a_build_says_what_is_wrong_with_its_recipe_before_any_work(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    pytest.importorskip("trl")
    (tmp_path / "tools.py").write_text('def double(x: int) -> int:\n    """Double a number."""\n    return 2 * x\n')
    (tmp_path / "recipe.toml").write_text(RECIPE)
    command = ["build", str(tmp_path / "tools.py"), "--out", str(tmp_path / "run")]
    assert main([*command, "--recipe", str(tmp_path / "recipe.toml")]) == 2
    assert "others.jsonl" in capsys.readouterr().err
    assert main([*command, "--recipe", str(tmp_path / "none.toml")]) == 2
    assert "none.toml" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
