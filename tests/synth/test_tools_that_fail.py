"""A function of which no call runs costs a synthesis little, and is named in the end."""

from __future__ import annotations

import io
import json
import random
from pathlib import Path

import pytest

from lamina.runs import Progress, Run
from lamina.synth import SynthSettings, synthesize
from lamina.synth.calls import DRAWS_PER_CALL, FEW, Stock
from lamina.synth.failing import SEARCHES
from lamina.synth.values import ValuePool
from lamina.tools import read_tools
from lamina.tools.execution import Executor, Limits
from lamina.trajectories import TrajectoryStore

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
    with Executor(toolbox, limits=Limits(wall_seconds=0.2)) as executor:
        ran = counted(executor)
        stock = Stock(toolbox, ValuePool(), executor, NOW)
        for batch in range(12):
            stock.begin(batch)
            assert [stock.take(toolbox["wait"], rng) for _ in range(10)] == [None] * 10
    assert len(ran) <= 10
    assert stock.failing.given_up == {"wait"}
    assert rng.getstate() == after(120), "a killed run, which tries it again, draws the same rows"


def test_a_function_that_always_raises_is_given_up(tmp_path: Path) -> None:
    file = tmp_path / "bell.py"
    file.write_text(TOOLS, encoding="utf-8")
    toolbox, rng = read_tools(file), random.Random(0)
    with Executor(toolbox) as executor:
        ran = counted(executor)
        stock = Stock(toolbox, ValuePool(), executor, NOW)
        assert [stock.take(toolbox["ring"], rng) for _ in range(20)] == [None] * 20
    assert 0 < len(ran) <= SEARCHES * DRAWS_PER_CALL * 2 * FEW
    assert stock.failing.given_up == {"ring"}
    assert rng.getstate() == after(20)


def test_a_function_that_never_runs_is_named_and_its_last_call_a_reject(tmp_path: Path) -> None:
    file, writer, said = tmp_path / "bell.py", tmp_path / "writer.py", io.StringIO()
    file.write_text(TOOLS, encoding="utf-8")
    writer.write_text(WRITER, encoding="utf-8")
    toolbox = read_tools(file)
    settings = SynthSettings(targets=2, batch=2, grammar_share=0, writer=f"scripted:{writer}", now=NOW)
    for _ in range(2):
        with (
            Executor(toolbox, limits=Limits(wall_seconds=0.2)) as executor,
            Run.open(tmp_path / "run", {"seed": 0}) as run,
        ):
            found = synthesize(toolbox, run, settings, Progress(stream=said), executor)
            rejects = [r for r in TrajectoryStore(run.store).rejects() if r.stage == "execution"]
    lines = said.getvalue()
    assert "ring: no call that was drawn for it ran" in lines
    assert "the bell is broken" in lines
    assert "wait: no call that was drawn for it ran" in lines
    assert {(r.record["calls"][0]["name"], r.reason) for r in rejects} == {("ring", "raised"), ("wait", "timed-out")}
    assert len(rejects) == 2, "the same command finds them there"
    assert found["by_tool"]["ring"]["failed"]["execution"] == {"raised": 1}


DOORS = [
    {
        "name": "open_door",
        "description": "Open a door.",
        "inputSchema": {
            "type": "object",
            "properties": {"code": {"type": "string", "pattern": "^\\p{Lu}\\p{Nd}{9}$"}},
            "required": ["code"],
        },
    }
]


def test_a_tool_that_no_draw_fits_is_named_and_its_reason_counted(tmp_path: Path) -> None:
    file, writer, said = tmp_path / "doors.json", tmp_path / "writer.py", io.StringIO()
    file.write_text(json.dumps(DOORS), encoding="utf-8")
    writer.write_text(WRITER, encoding="utf-8")
    toolbox = read_tools(file)
    settings = SynthSettings(targets=2, batch=2, grammar_share=0, writer=f"scripted:{writer}", now=NOW)
    with Executor(toolbox) as executor, Run.open(tmp_path / "run", {"seed": 0}) as run:
        found = synthesize(toolbox, run, settings, Progress(stream=said), executor)
    assert "open_door: no call could be drawn that fits its schema" in said.getvalue()
    assert "give its arguments examples in the schema" in said.getvalue()
    assert found["by_tool"]["open_door"] == {"passed": 0, "failed": {"format": {"no-match": 1}}}


def after(takes: int) -> object:
    """The lots after so many that gave nothing: a step each, whatever was tried for it."""
    rng = random.Random(0)
    for _ in range(takes):
        rng.random()
    return rng.getstate()


def counted(executor: Executor) -> list[object]:
    """Grows by the calls that are run."""
    ran: list[object] = []
    real = executor.run_many

    def run_many(sessions, *args):
        ran.extend(sessions)
        return real(sessions, *args)

    executor.run_many = run_many
    return ran
