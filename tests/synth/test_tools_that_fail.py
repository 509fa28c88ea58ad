"""A function of which no call runs costs a synthesis little, and is named in the end."""

from __future__ import annotations

import io
import json
import random
from pathlib import Path
from typing import Any

import pytest

from lamina.errors import InputError
from lamina.runs import Progress, Run
from lamina.synth import SynthSettings, synthesize
from lamina.synth.calls import DRAWS_PER_CALL, FEW, Stock
from lamina.synth.failing import SEARCHES
from lamina.synth.values import ValuePool
from lamina.tools import Toolbox, read_tools
from lamina.tools.execution import CallResult, Executor, Limits
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


RINGS = '''
from pathlib import Path
from typing import Any


def ring(times: int) -> str:
    """Ring the bell.

    Args:
        times: How many times.
    """
    with open(Path(__file__).with_name("rung"), "a") as rung:
        rung.write("x")
    raise RuntimeError("the bell is broken")


def wave(hand: str) -> str:
    """Wave a hand.

    Args:
        hand: The hand.
    """
    return f"waved {hand}"
'''
STOPS = """
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


def reply(messages, tools, seed):
    asked = HERE / "asked"
    asked.write_text(str(int(asked.read_text()) + 1 if asked.exists() else 1))
    if int(asked.read_text()) == STOPS_AT:
        raise RuntimeError("broken off")
    words = "ash bay cob dun elm fig gum hop ivy jay kit lea may nut oak pea rue sky tea urn vat wax yew".split()
    said = messages[-1]["content"].rstrip().splitlines()[-1].strip("[]").split(": ")[-1]
    return f" wave the hand {said} {words[seed % 23]} {words[seed % 19]} {words[seed % 17]}"
"""


def rung_of(folder: Path, stops_at: int) -> tuple[list[int], list[str]]:
    """How often the broken bell was rung by the end of each command, and the lines of what came out."""
    folder.mkdir()
    (folder / "bell.py").write_text(RINGS, encoding="utf-8")
    (folder / "stops.py").write_text(STOPS.replace("STOPS_AT", str(stops_at)), encoding="utf-8")
    toolbox, rung = read_tools(folder / "bell.py"), []
    settings = SynthSettings(
        targets=112, batch=8, grammar_share=0, writer=f"scripted:{folder / 'stops.py'}", now=NOW, near=1.0,
        styles=(("simple", 1.0),),
    )  # fmt: skip
    for _ in range(2 if stops_at else 1):
        with Executor(toolbox) as executor, Run.open(folder / "run", {"seed": 0}) as run:
            try:
                synthesize(toolbox, run, settings, Progress(silent=True), executor)
            except InputError:
                assert stops_at
            TrajectoryStore(run.store).export(run.folder)
        rung.append(len((folder / "rung").read_text()))
    lines = [(folder / "run" / f"{name}.jsonl").read_text() for name in ("trajectories", "rejects")]
    return rung, [line.replace(str(folder), "") for line in lines]


def test_a_killed_run_does_not_try_again_what_it_gave_up(tmp_path: Path) -> None:
    unbroken, rows = rung_of(tmp_path / "whole", 0)
    (before, after), continued = rung_of(tmp_path / "broken", 101)
    assert before == after == unbroken[0], "the bell is rung by the first command alone"
    assert continued == rows
    assert "the bell is broken" in rows[1]


def test_what_was_drawn_ahead_before_a_kill_counts_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lamina.synth.calls.AHEAD", 1)
    file = tmp_path / "bell.py"
    file.write_text("PURE = True\n" + TOOLS, encoding="utf-8")
    toolbox = Toolbox([read_tools(file)["ring"]])

    def taken(stock: Stock, batch: int) -> None:
        stock.begin(batch)
        assert stock.take(toolbox["ring"], random.Random(batch)) is None

    with Executor(toolbox) as executor:
        whole, first, second = (Stock(toolbox, ValuePool(), executor, NOW) for _ in range(3))
        taken(whole, 0)
        taken(first, 0)
        second.failing.restore(json.loads(json.dumps(first.failing.state())), toolbox)
        taken(whole, 1)
        taken(second, 1)
    assert second.failing.state() == whole.failing.state()


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


def test_a_tool_that_turns_out_to_lack_its_key_is_given_up_after_one_round(tmp_path: Path) -> None:
    file = tmp_path / "bell.py"
    file.write_text(TOOLS, encoding="utf-8")
    toolbox, rng, asked = read_tools(file), random.Random(0), []

    class Keyless(Executor):
        def run_many(self, sequences: Any, nows: Any = None) -> list[list[CallResult]]:
            asked.append(len(sequences))
            return [[CallResult("unmet", error="ring wants a key")] for _ in sequences]

    with Keyless(toolbox) as executor:
        stock = Stock(toolbox, ValuePool(), executor, NOW)
        assert [stock.take(toolbox["ring"], rng) for _ in range(5)] == [None] * 5
    assert len(asked) == 1
    assert stock.failing.given_up == {"ring"}


def test_a_tool_that_ran_and_is_out_of_reach_is_given_up(tmp_path: Path) -> None:
    """Its server is gone: else every row that is to be written for it would wait for it again."""
    file = tmp_path / "bell.py"
    file.write_text(TOOLS, encoding="utf-8")
    toolbox, rng, asked = read_tools(file), random.Random(0), []

    class Going(Executor):
        def run_many(self, sequences: Any, nows: Any = None) -> list[list[CallResult]]:
            asked.append(len(sequences))
            gone = len(asked) > 1
            ran = CallResult("timed_out", error="ring is late") if gone else CallResult("ok", 1, "1")
            return [[ran] for _ in sequences]

    with Going(toolbox) as executor:
        stock = Stock(toolbox, ValuePool(), executor, NOW)
        taken = [stock.take(toolbox["ring"], rng) for _ in range(20)]
        again = Stock(toolbox, ValuePool(), executor, NOW)
        again.failing.restore(json.loads(json.dumps(stock.failing.state())), toolbox)
    assert [call is not None for call in taken] == [True] * asked[0] + [False] * (20 - asked[0])
    assert len(asked) == 3, "once it ran, and twice it was out of reach"
    assert again.failing.given_up == {"ring"}
    assert again.failing.last["ring"].result.error == "ring is late"
