"""`lamina build` is broken off before its training, by kill -9, Ctrl-C or a full disk: the same command goes on, and
nothing is lost or there twice. (Every run here is killed as training begins, so that none needs it.)"""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path

import pytest

from lamina.cli import main
from lamina.runs import Run
from lamina.trajectories import TrajectoryStore

pytest.importorskip("trl")

BUILD = (
    *("build", "tools.py", "--writer", "scripted:writer.py", "--judge", "none", "--base", "base", "--no-compare-base"),
    *("--rows", 30, "--variants", 6, "--recipe", "recipe.toml", "--seed", 3),
)
RECIPE = """
[[source]]
name = "mine"
path = "@synthesis"
"""
TRAINING = "lamina.build.making:training_rows 1"
KINDS = ("trajectory", "reject")
STOPPED = "lamina: stopped; the same command continues where it was"


def records(run: Path) -> dict[str, object]:
    """What the run holds: its rows and rejects, as exported and in the store, and those of its mix."""
    with Run.at(run) as opened:
        rows = [(row.id, row.position, row.payload) for kind in KINDS for row in opened.store.iterate(kind)]
    names = ("trajectories.jsonl", "rejects.jsonl", "mix/trajectories.jsonl")
    files = {name: (run / name).read_bytes() for name in names}
    for name, lines in files.items():
        ids = [json.loads(line)["id"] for line in lines.splitlines()]
        assert len(set(ids)) == len(ids), f"a row is twice in {name}"
    requests = [json.loads(line)["messages"][0]["content"] for line in files["trajectories.jsonl"].splitlines()]
    assert len(set(requests)) == len(requests), "a request is there twice"
    return {"store": rows, **files}


def rows_of(run: Path) -> Counter[str]:
    with Run.at(run) as opened:
        found = TrajectoryStore(opened.store).trajectories()
        return Counter("variants" if (row.meta.model_extra or {}).get("augmented") else "others" for row in found)


@pytest.fixture(scope="module")
def unbroken(command, workshop: Path) -> dict[str, object]:
    (workshop / "recipe.toml").write_text(RECIPE, encoding="utf-8")
    (workshop / "base").mkdir()
    (workshop / "base" / "config.json").write_text("{}", encoding="utf-8")
    done = command(*BUILD, "--out", "unbroken", killed_in=TRAINING)
    assert done.returncode == -9, done.stderr
    found = rows_of(workshop / "unbroken")
    assert found["variants"] >= 10, "too few for these tests to mean anything"
    assert found["others"] >= 30
    return records(workshop / "unbroken")


BREAKS = {
    "in the variants": ("lamina.synth.composing:with_other_values 9", "synth"),
    "between the variants and the exports": ("lamina.synth.synthesize:write_variants 1", "synth"),
    "in the split": ("lamina.synth.splitting:_placed 9", "split"),
    "in the mix": ("lamina.data.mixing:_judged 1", "mix"),
    "as the mix is written": ("lamina.runs.records:RecordStore.export_jsonl 1", "mix"),
}


@pytest.mark.parametrize("by", ["SIGKILL", "SIGINT"])
def test_a_build_that_is_broken_off_again_and_again_ends_with_the_same_records(
    command, workshop: Path, unbroken: dict[str, object], by: str
):
    name = f"broken-{by}"
    for where, (place, stage) in BREAKS.items():
        broken = command(*BUILD, "--out", name, killed_in=place, killed_by=by)
        if by == "SIGINT":
            assert broken.returncode == 130, (where, broken.stderr)
            assert broken.stderr.splitlines()[-1] == STOPPED, where
            assert "Traceback" not in broken.stderr, where
        else:
            assert broken.returncode == -9, (where, broken.stderr)
        with Run.at(workshop / name) as run:
            assert not run.is_done(stage), f"{where}: the stage was over"
        if where == "in the variants":
            assert rows_of(workshop / name)["variants"] == 0, "they are one transaction"
    assert command(*BUILD, "--out", name, killed_in=TRAINING).returncode == -9
    assert records(workshop / name) == unbroken


@pytest.mark.parametrize("room", [60_000, 150_000, 260_000])
def test_a_build_whose_disk_is_full_says_so_in_one_line_and_goes_on_when_there_is_room(
    command, workshop: Path, unbroken: dict[str, object], room: int
):
    name = f"full-{room}"
    full = command(*BUILD, "--out", name, largest_file=room)
    assert full.returncode == 1, full.stderr
    complaints = [line for line in full.stderr.splitlines() if line.startswith("lamina: ")]
    assert len(complaints) == 1
    assert f"{name}/" in complaints[0]
    assert "Traceback" not in full.stderr
    assert full.stdout == ""
    resumed = command(*BUILD, "--out", name, killed_in=TRAINING)
    assert resumed.returncode == -9, resumed.stderr
    assert records(workshop / name) == unbroken


def test_a_folder_that_may_not_be_written_is_said_in_one_line_before_any_work(
    workshop: Path, unbroken: dict[str, object], tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
):  # fmt: skip
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o555)
    monkeypatch.chdir(workshop)
    if os.geteuid() == 0:  # to whom no folder is closed
        refused = PermissionError(13, "Permission denied", str(locked / "run"))
        monkeypatch.setattr(Path, "mkdir", lambda *_, **__: (_ for _ in ()).throw(refused))
    assert main([*map(str, BUILD), "--out", str(locked / "run")]) == 1
    (line,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("lamina: ")]
    assert str(locked / "run") in line
    assert "Permission denied" in line
    assert list(locked.iterdir()) == []
