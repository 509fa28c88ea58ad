"""A stage that is killed continues where it was: nothing lost, nothing twice, the same bytes in the end."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lamina.runs import Run
from lamina.trajectories import TrajectoryStore

SYNTH = (
    "synth",
    "tools.py",
    "--writer",
    "scripted:writer.py",
    "--round-trip",
    "none",
    "-n",
    120,
    "--seed",
    3,
)
EXPORTS = ("trajectories.jsonl", "rejects.jsonl")


def exports(run: Path) -> dict[str, bytes]:
    return {name: (run / name).read_bytes() for name in EXPORTS}


@dataclass(frozen=True)
class Finished:
    """An unbroken synthesis and what it printed."""

    folder: Path
    result: dict[str, Any]
    files: dict[str, bytes]


@pytest.fixture(scope="module")
def unbroken(command, workshop: Path) -> Finished:
    done = command(*SYNTH, "--out", "unbroken", "--json")
    assert done.returncode == 0, done.stderr
    return Finished(workshop / "unbroken", json.loads(done.stdout), exports(workshop / "unbroken"))


@pytest.fixture
def copy(unbroken: Finished, workshop: Path) -> Path:
    """A run of its own, finished, for a test that changes it."""
    return Path(shutil.copytree(unbroken.folder, workshop / "copy", dirs_exist_ok=True))


@pytest.mark.parametrize("kills", [[1], [40], [70, 10, 10]], ids=str)
def test_a_killed_synthesis_ends_with_the_same_bytes_as_an_unbroken_one(
    command, workshop: Path, unbroken: Finished, kills: list[int]
):
    folder = workshop / f"broken-{'-'.join(map(str, kills))}"
    for at in kills:
        assert command(*SYNTH, "--out", folder.name, stop_at=at).returncode == -9
    resumed = command(*SYNTH, "--out", folder.name, "--json")
    assert resumed.returncode == 0, resumed.stderr
    assert exports(folder) == unbroken.files
    rows = [json.loads(line) for line in exports(folder)["trajectories.jsonl"].splitlines()]
    assert len(rows) >= 10, "too few rows for this test to mean anything"
    assert len({row["id"] for row in rows}) == len(rows)
    result = json.loads(resumed.stdout)
    assert result["verified"] == unbroken.result["verified"]
    assert result["verified"] + result["augmented"] == len(rows)


KILLS_IN_SPLIT = (
    ("lamina.synth.splitting:_placed 8", 0),
    ("lamina.synth.splitting:BLOCK=10 lamina.synth.splitting:_placed 25", 20),
    ("lamina.trajectories.store:TrajectoryStore.update 1", 1.0),
    ("lamina.runs.records:RecordStore.export_jsonl 1", 1.0),
)
"""Before any row is placed, between rows, before the export and between its files; and how many rows, or what share
of them, are placed by then."""


def test_a_killed_split_places_every_row_once_and_where_an_unbroken_one_does(
    command, workshop: Path, unbroken: Finished
):
    folder = workshop / "split"
    for n, (where, placed) in enumerate(KILLS_IN_SPLIT):
        writer_dies = 1 if n else 0  # were it asked again
        killed = command(*SYNTH, "--out", folder.name, killed_in=where, stop_at=writer_dies)
        assert killed.returncode == -9
        with Run.at(folder) as run:
            assert run.is_done("synth")
            assert not run.is_done("split")
            sides = [row.meta.split for row in TrajectoryStore(run.store).trajectories()]
            assert len(sides) - sides.count(None) == (placed * len(sides) if placed == 1.0 else placed)
    resumed = command(*SYNTH, "--out", folder.name, stop_at=1)
    assert resumed.returncode == 0, resumed.stderr
    assert exports(folder) == unbroken.files


def test_ctrl_c_says_so_in_one_line_and_the_same_command_continues(command, workshop: Path, unbroken: Finished):
    stopped = command(*SYNTH, "--out", "stopped", stop_at=30, stop_by="SIGINT")
    assert stopped.returncode == 130
    assert stopped.stderr.splitlines()[-1] == "lamina: stopped; the same command continues where it was"
    assert "Traceback" not in stopped.stderr
    assert command(*SYNTH, "--out", "stopped").returncode == 0
    assert exports(workshop / "stopped") == unbroken.files


def test_a_finished_synthesis_is_not_done_again(command, unbroken: Finished):
    again = command(*SYNTH, "--out", "unbroken", "--json", stop_at=1)
    assert again.returncode == 0
    assert json.loads(again.stdout) == unbroken.result


def test_fresh_starts_anew(command, unbroken: Finished, copy: Path):
    assert command(*SYNTH, "--out", copy.name, "--fresh", stop_at=1).returncode == -9
    assert command(*SYNTH, "--out", copy.name).returncode == 0
    assert exports(copy) == unbroken.files


def test_another_seed_in_the_same_folder_is_an_error_that_shows_the_difference(command, unbroken: Finished):
    other = command(*SYNTH[:-1], 4, "--out", "unbroken")
    assert other.returncode == 2
    assert len(other.stderr.splitlines()) == 1
    assert "seed: 3 -> 4" in other.stderr
    assert exports(unbroken.folder) == unbroken.files


def test_synth_prints_what_scripts_rely_on(unbroken: Finished):
    result = unbroken.result
    assert {"targets", "verified", "rejected", "seconds", "tokens"} <= set(result)
    assert result["targets"] >= 120
    rejected = sum(n for reasons in result["rejected"].values() for n in reasons.values())
    assert rejected == len(unbroken.files["rejects.jsonl"].splitlines())
    kept = len(unbroken.files["trajectories.jsonl"].splitlines())
    assert result["verified"] + result["augmented"] == kept
    report = json.loads((unbroken.folder / "report.json").read_text())
    assert report["synth"] == result


def test_every_reject_says_at_which_stage_why_and_what_was_written(unbroken: Finished):
    for line in unbroken.files["rejects.jsonl"].splitlines():
        reject = json.loads(line)
        assert set(reject) >= {"id", "stage", "reason", "detail", "record", "raw"}
        assert reject["stage"]
        assert reject["reason"]
        assert reject["detail"]
