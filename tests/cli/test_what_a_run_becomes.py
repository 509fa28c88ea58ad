"""What a run of ``lamina synth`` becomes elsewhere: rows of another format, and a card that anyone may read."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from lamina.trajectories import read_trajectories

WRITER = """
import re


def reply(messages, tools, seed):
    said = re.findall(r": ([^;\\]]+)", messages[-1]["content"].rstrip().splitlines()[-1])
    return f"please take {' and '.join(said)} now" if said else "no"
"""


@pytest.fixture
def run(lamina, tools_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "writer.py").write_text(WRITER, encoding="utf-8")
    words = ["--writer", f"scripted:{tmp_path / 'writer.py'}", "-n", "8", "--out", tmp_path / "run"]
    monkeypatch.setattr(sys, "argv", ["lamina", "synth", str(tools_file), *map(str, words)])
    said = lamina("synth", tools_file, *words)
    assert said.status == 0, said.err
    return tmp_path / "run"


def test_a_synth_run_is_exported_as_xlam_60k_without_its_results_and_says_so(lamina, run: Path):
    rows = list(read_trajectories(run))
    of_one_turn = [row for row in rows if sum(bool(turn) for turn in row.turns) <= 1]
    with_results = [row for row in of_one_turn if any(m.role == "tool" for m in row.messages)]
    assert with_results
    done = json.loads(lamina("data", "export", run, "--to", "xlam-60k", "--json").out)
    assert done["written"] == len(of_one_turn)
    assert done["lost"]["results"] == len(with_results)
    assert sum(done["rejected"].values()) == len(rows) - len(of_one_turn)
    back = {row.id: row for row in read_trajectories(done["path"])}
    for row in with_results:
        assert [(c.name, c.arguments) for c in back[row.id].calls] == [(c.name, c.arguments) for c in row.calls]
    assert "results" in lamina("data", "export", run, "--to", "xlam-60k").out


def test_the_card_of_a_synth_run_names_no_path_of_the_machine(lamina, run: Path, tools_file: Path):
    pytest.importorskip("pyarrow")
    assert lamina("data", "push", run, "--repo", "me/calls", "--dry-run").status == 0
    card = (run / "hub" / "README.md").read_text(encoding="utf-8")
    assert f"lamina synth {tools_file.name} --writer scripted:writer.py -n 8 --out run" in card
    assert f'"{tools_file.name}": ' in card
    assert str(run.parent) not in card
