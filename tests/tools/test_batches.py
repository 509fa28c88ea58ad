"""Tools that are declared pure share a fork: faster, and every result is what a fork of its own would have given."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest

from lamina.errors import ToolDefinitionError
from lamina.synth.values import ValuePool, draw_arguments
from lamina.tools import Toolbox, read_tools
from lamina.tools.execution import Executor, Limits

LIBRARY = Path(__file__).parents[2] / "examples" / "library"
MODULE = '''\
import os
import sys
import time

PURE = {pure}


def behave(how: str, number: int = 1) -> int | str:
    """Do as told.

    Args:
        how: What to do.
        number: What to return.
    """
    if how == "sleep":
        time.sleep(30)
    if how == "exit":
        sys.exit(3)
    if how == "die":
        os.abort()
    if how == "fill":
        return len(bytearray(1 << 34))
    if how == "raise":
        raise ValueError("no")
    if how == "print":
        print("said", number)
    if how == "clock":
        return os.environ.get("LAMINA_NOW", "none")
    if how == "long":
        return "x" * 100_000
    return number
'''
HOWS = ("fine", "raise", "print", "clock", "long", "exit", "fill", "sleep", "die", "fine")


def module(folder: Path, pure: str) -> Toolbox:
    file = folder / f"tools_{len(pure)}.py"
    file.write_text(MODULE.replace("{pure}", pure), encoding="utf-8")
    return read_tools(file)


def apart(toolbox: Toolbox) -> Toolbox:
    return Toolbox([replace(t, target=replace(t.target, pure=False)) for t in toolbox])  # type: ignore[type-var, arg-type]


def test_whatever_a_pure_tool_does_its_result_is_that_of_a_fork_of_its_own(tmp_path: Path):
    toolbox = module(tmp_path, "True")
    calls = [[("behave", {"how": how, "number": n})] for n, how in enumerate(HOWS * 2)]
    calls += [[("behave", {"how": "fine"}), ("behave", {"how": "raise"}), ("behave", {"how": "fine"})]]
    calls += [[("behave", {"how": 3})], [("nothing", {})], [("behave", {"number": 2**70, "how": "fine"})]]
    nows = [f"2026-03-04T10:{n:02}:00" if n % 3 else None for n in range(len(calls))]
    limits = Limits(wall_seconds=1.0)
    with Executor(toolbox, limits=limits) as pooled, Executor(apart(toolbox), limits=limits) as forked:
        assert pooled.run_many(calls, nows) == forked.run_many(calls, nows)


def test_the_whole_library_gives_the_same_results_in_batches():
    toolbox = read_tools(LIBRARY)
    chance, pool = random.Random(3), ValuePool()
    calls = [[(tool.name, draw_arguments(tool, chance, pool))] for tool in toolbox for _ in range(3)]
    assert all(tool.target.pure for tool in toolbox)  # type: ignore[union-attr]
    with Executor(toolbox) as pooled, Executor(apart(toolbox)) as forked:
        together = pooled.run_many(calls)
        assert together == forked.run_many(calls)
    assert {r[0].status for r in together} == {"ok", "raised"}


def test_only_what_is_declared_pure_shares_a_fork(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    calls = [[("behave", {"how": "fine", "number": n})] for n in range(40)]
    for pure, batches in (("True", 2), ("{'behave'}", 2), ("False", 0), ("set()", 0)):
        with Executor(module(tmp_path, pure), workers=2) as executor:
            asked: list[int] = []
            run = executor._run_batch
            spy = lambda share, run=run, asked=asked: (asked.append(len(share)), run(share))[1]  # noqa: E731
            monkeypatch.setattr(executor, "_run_batch", spy)
            assert [r[0].value for r in executor.run_many(calls)] == list(range(40))
            assert len(asked) == batches
            assert [r[0].value for r in executor.run_many(calls[:6])] == list(range(6))
            assert asked[batches:] == ([6] if batches else []), "few calls are one fork"


@pytest.mark.parametrize(("pure", "said"), [("3", "PURE is a int"), ("{'behav'}", "PURE names 'behav'")])
def test_a_declaration_that_names_nothing_is_said(tmp_path: Path, pure: str, said: str):
    with pytest.raises(ToolDefinitionError, match=said):
        module(tmp_path, pure)
