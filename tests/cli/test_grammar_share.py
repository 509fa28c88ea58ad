"""``--grammar-share``: how many of the rows the grammar composes, so that a build with and one without them can be
compared."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

WRITER = """\
def reply(messages, tools, seed):
    last = messages[-1]["content"].rstrip().splitlines()[-1]
    said = [part.split(": ", 1)[1] for part in last.strip("[]").split("; ") if ": " in part]
    return f"{['please do it with', 'I want', 'quick,'][seed % 3]} {' and '.join(said)} for me, {'abcdefgh'[seed % 8]}"
"""


@pytest.mark.parametrize(("words", "composed"), [([], True), (["--grammar-share", "0"], False)])
def test_the_grammars_rows_can_be_left_out(lamina, tools_file: Path, tmp_path: Path, words: list[str], composed: bool):
    (tmp_path / "writer.py").write_text(WRITER, encoding="utf-8")
    how = ["--writer", f"scripted:{tmp_path / 'writer.py'}", "--rows", "12", "--variants", "0", *words]
    said = lamina("synth", tools_file, *how, "--out", tmp_path / "run", "--json")
    assert said.status == 0, said.err
    rows = [json.loads(line) for line in (tmp_path / "run" / "trajectories.jsonl").read_text().splitlines()]
    assert ("grammar" in {row["meta"]["writer"] for row in rows}) is composed
    assert ("the grammar" in json.loads(said.out)["composition"]) is composed


@pytest.mark.parametrize("verb", ["synth", "build"])
def test_more_than_a_third_is_refused_before_a_folder_is_made(lamina, tools_file: Path, tmp_path: Path, verb: str):
    said = lamina(verb, tools_file, "--grammar-share", "0.5", "--out", tmp_path / "run")
    assert said.status == 2
    assert [line for line in said.errors if line.startswith("lamina: ")] == [
        "lamina: grammar_share is 0.5; it must lie between 0 and 1/3"
    ]
    assert not (tmp_path / "run").exists()
