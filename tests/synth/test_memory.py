"""What a synthesis holds does not grow with its rows: counted, not timed."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import Any

import pytest

from lamina.runs import Progress, Run
from lamina.synth import SynthSettings, splitting, synthesize
from lamina.synth.work import Work
from lamina.tools import read_tools
from lamina.tools.execution import Executor
from lamina.trajectories import Trajectory

TOOLS = '''
PURE = True


def paint_door(colour: str, coats: int) -> str:
    """Paint a door.

    Args:
        colour: The colour.
        coats: How many coats of paint.
    """
    return f"{coats} coats of {colour}"
'''
BATCH = 16


def most_held(folder: Path, writer: str, batches: int, monkeypatch: pytest.MonkeyPatch) -> tuple[int, int]:
    """How many rows are alive at most while batches are committed and while they are split, and how many there are."""
    held: list[int] = []

    def counting(function: Any) -> Any:
        def counted(*given: Any, **named: Any) -> Any:
            held.append(sum(isinstance(one, Trajectory) for one in gc.get_objects()))
            return function(*given, **named)

        return counted

    (folder / "doors.py").write_text(TOOLS, encoding="utf-8")
    toolbox = read_tools(folder / "doors.py")
    settings = SynthSettings(
        targets=batches * BATCH, batch=BATCH, grammar_share=0, writer=writer, styles=(("simple", 1.0),), near=1.0
    )
    with monkeypatch.context() as patched:
        patched.setattr(Work, "commit", counting(Work.commit))
        patched.setattr(splitting, "_sides", counting(splitting._sides))
        with Executor(toolbox) as executor, Run.open(folder / f"run{batches}", {"seed": 0}) as run:
            made = synthesize(toolbox, run, settings, Progress(silent=True), executor)
            splitting.split(run)
    return max(held), made["verified"]


def test_four_times_the_rows_hold_no_more(tmp_path: Path, says_it_all: str, monkeypatch: pytest.MonkeyPatch) -> None:
    few, rows_of_few = most_held(tmp_path, says_it_all, 1, monkeypatch)
    many, rows_of_many = most_held(tmp_path, says_it_all, 4, monkeypatch)
    assert rows_of_many > 2 * rows_of_few
    assert many <= few + BATCH, (few, many, rows_of_many)
    assert many < rows_of_many
