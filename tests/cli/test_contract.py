"""What scripts may rely on: help, exit status, one-line errors, JSON alone on standard output, config
files."""

from __future__ import annotations

import importlib
import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from lamina.cli import VERBS, module_of


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_every_verb_has_help_with_an_example_and_the_common_options(lamina, verb: str):
    said = lamina(*verb.split(), "--help")
    assert said.status == 0
    assert f"Usage: lamina {verb}" in said.out
    assert "Example:" in said.out
    assert f"lamina {verb}" in said.out.split("Example:")[1]
    assert "--json" in said.out
    assert "--config FILE.toml" in said.out


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_every_example_is_a_command_that_parses(verb: str):
    """The example names only options that there are."""
    app = importlib.import_module(module_of(verb)).app
    command = typer.main.get_command(app)
    options = {o for p in command.params for o in p.opts}
    example = command.epilog.split("Example:")[1]
    assert {w.split("=")[0] for w in example.split() if w.startswith("-")} <= options


def test_the_overview_lists_every_verb(lamina):
    said = lamina("--help")
    assert said.status == 0
    assert all(f"  {verb} " in said.out for verb in VERBS)
    assert lamina().out == said.out


def test_the_version_is_the_packages(lamina):
    from importlib.metadata import PackageNotFoundError, version

    printed = lamina("--version").out.split()[-1]
    try:
        assert printed == version("lamina")
    except PackageNotFoundError:
        pytest.skip("lamina is not installed")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["bulid"], "did you mean 'build'?"),
        (["tools"], "Missing argument 'TOOLS'"),
        (["tools", "x.py", "--colour"], "No such option: --colour"),
        (["synth", "x.py", "--out", "y", "--seed", "soon"], "'--seed'"),
        (["act", "hello"], "give --run RUN, or both --tools TOOLS and --model REF"),
    ],
)
def test_a_wrong_command_is_one_line_with_status_2(lamina, arguments: list[str], says: str):
    said = lamina(*arguments)
    assert said.status == 2
    assert len(said.errors) == 1
    assert said.errors[0].startswith("lamina: ")
    assert says in said.errors[0]


def test_json_stands_alone_on_standard_output(tools_file: Path):
    command = [sys.executable, "-m", "lamina", "tools", str(tools_file), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert [t["function"]["name"] for t in json.loads(done.stdout)] == ["scale", "note"]


@pytest.mark.parametrize("verb", ["models", "formats", "tasks"])
def test_lists_are_objects_with_a_name(lamina, verb: str):
    said = lamina(verb, "--json")
    assert said.status == 0
    rows = json.loads(said.out)
    assert rows
    assert all(row["name"] and row["about"] for row in rows)


def test_a_config_file_has_the_same_keys_and_the_command_line_wins(lamina, tools_file: Path, tmp_path: Path):
    config = tmp_path / "mine.toml"
    config.write_text(f'tools = "{tools_file}"\njson = true\n', encoding="utf-8")
    assert json.loads(lamina("tools", "--config", config).out)[0]["function"]["name"] == "scale"
    other = tmp_path / "other.py"
    other.write_text(tools_file.read_text().replace("def scale", "def grow").replace(">>> scale", ">>> grow"))
    assert json.loads(lamina("tools", other, "--config", config).out)[0]["function"]["name"] == "grow"


@pytest.mark.parametrize(
    ("text", "says"),
    [('colour = "red"\n', ":1: unknown key 'colour'"), ("seed = \n", "no TOML"), ("\xff", "no TOML")],
)
def test_a_bad_config_file_is_named(lamina, tmp_path: Path, text: str, says: str):
    config = tmp_path / "mine.toml"
    config.write_bytes(text.encode("latin-1"))
    said = lamina("tools", "--config", config)
    assert said.status == 2
    assert len(said.errors) == 1
    assert str(config) in said.err
    assert says in said.err


def test_a_missing_config_file_is_named(lamina, tmp_path: Path):
    said = lamina("tools", "--config", tmp_path / "none.toml")
    assert said.status == 2
    assert "none.toml" in said.errors[0]


def test_a_reader_that_leaves_ends_the_output_quietly(tools_file: Path):
    command = [sys.executable, "-m", "lamina", "tools", str(tools_file), "--json"]
    read, write = os.pipe()
    os.close(read)
    try:
        done = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, text=True)
    finally:
        os.close(write)
    assert done.stderr == ""
    assert done.returncode == 1


def test_what_a_library_prints_does_not_reach_standard_output(lamina, tools_file: Path, tmp_path: Path):
    """A scripted model may print as it likes, as trainers and engines do."""
    model = tmp_path / "model.py"
    model.write_text("def reply(messages, tools, seed):\n    print('{noise')\n    return '[]'\n", encoding="utf-8")
    said = lamina("act", "hello", "--tools", tools_file, "--model", f"scripted:{model}", "--json")
    assert json.loads(said.out)["metrics"]["ending"] == "refused"
    assert "{noise" in said.err


@pytest.mark.parametrize(
    ("on_the_path", "called", "said"),
    [
        (True, ".venv/bin/lamina", "lamina"),
        (False, ".venv/bin/lamina", ".venv/bin/lamina"),
        (False, "lamina/__main__.py", f"{shlex.quote(sys.executable)} -m lamina"),
    ],
)
def test_the_command_to_try_an_agent_is_one_that_the_shell_finds(
    monkeypatch: pytest.MonkeyPatch, on_the_path: bool, called: str, said: str
):
    from lamina.cli.build import this_program

    monkeypatch.setattr("shutil.which", lambda name: name if on_the_path else None)
    monkeypatch.setattr(sys, "argv", [called, "build"])
    assert this_program() == said
