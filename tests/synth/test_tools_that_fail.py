"""A function of which no call runs costs a synthesis little, and is named in the end."""

from __future__ import annotations

import io
import random
import time
from pathlib import Path

import pytest

from lamina.runs import Progress, Run
from lamina.synth import SynthSettings, synthesize
from lamina.synth.calls import Stock
from lamina.synth.values import ValuePool
from lamina.tools import read_tools
from lamina.tools.execution import Executor, Limits

NOW = "2026-11-24T10:00:00"
TOOLS = '''
import time


def wait(minutes: int) -> str:
    """Wait.

    Args:
        minutes: How many minutes.
    """
    time.sleep(minutes + 60)
    return "over"


def ring(times: int) -> str:
    """Ring the bell.

    Args:
        times: How many times.
    """
    raise RuntimeError("the bell is broken")
'''
WRITER = "def reply(messages, tools, seed):\n    return 'please ring the bell'\n"


@pytest.mark.parametrize("pure", ["", "PURE = True\n"])
def test_a_function_that_hangs_is_tried_a_few_times_and_not_hundreds(tmp_path: Path, pure: str) -> None:
    file = tmp_path / "bell.py"
    file.write_text(pure + TOOLS.split("def ring")[0], encoding="utf-8")
    toolbox, rng = read_tools(file), random.Random(0)
    started = time.monotonic()
    with Executor(toolbox, limits=Limits(wall_seconds=0.2)) as executor:
        stock = Stock(toolbox, ValuePool(), executor, NOW)
        for batch in range(12):
            stock.begin(batch)
            assert [stock.take(toolbox["wait"], rng) for _ in range(10)] == [None] * 10
    assert time.monotonic() - started < 20  # one more round of six for each of these would take minutes
    assert stock.failing.late == {"wait"}


def test_a_function_that_never_runs_is_named_with_what_it_said(tmp_path: Path) -> None:
    file, writer, said = tmp_path / "bell.py", tmp_path / "writer.py", io.StringIO()
    file.write_text(TOOLS, encoding="utf-8")
    writer.write_text(WRITER, encoding="utf-8")
    toolbox = read_tools(file)
    settings = SynthSettings(targets=2, batch=2, grammar_share=0, writer=f"scripted:{writer}", now=NOW)
    with (
        Executor(toolbox, limits=Limits(wall_seconds=0.2)) as executor,
        Run.open(tmp_path / "run", {"seed": 0}) as run,
    ):
        synthesize(toolbox, run, settings, Progress(stream=said), executor)
    lines = said.getvalue()
    assert "ring: no call that was drawn for it ran" in lines
    assert "the bell is broken" in lines
    assert "wait: no call that was drawn for it ran" in lines
