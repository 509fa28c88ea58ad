"""Whoever looks at the tools is told which arguments are dates: no model knows what day it is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lamina.build.inputs import say_what_needs_the_clock
from lamina.runs import Progress
from lamina.tools import Toolbox, read_tools
from lamina.tools.linting import date_arguments, lint

DESK = Path(__file__).parents[2] / "examples" / "desk" / "tools.py"
SOURCE = """
    from dataclasses import dataclass
    from datetime import date, datetime, time


    @dataclass
    class Stay:
        '''A stay.

        Attributes:
            first: The first day.
        '''

        first: date


    def plan(day: date, at: datetime, wake: time, stay: Stay, others: list[date], when: str) -> str:
        '''Plan a day.

        Args:
            day: The day.
            at: The moment.
            wake: When to wake up.
            stay: The stay.
            others: Other days.
            when: The day, as the user says it.
        '''
        return "planned"
    """


def test_days_and_moments_are_named_wherever_they_stand_in_a_schema(read: Callable[[str], Toolbox]):
    toolbox = read(SOURCE)
    assert date_arguments(toolbox["plan"]) == ["day", "at", "stay", "others"]
    (remark,) = [r for r in lint(toolbox) if r.code == "needs_clock"]
    assert remark.detail.startswith("day, at, stay, others are dates in ISO form")
    assert "the model is not told what day it is" in remark.detail
    assert "as examples/desk does" in remark.detail


def test_the_desk_takes_days_as_they_are_said():
    assert [r for r in lint(read_tools(DESK)) if r.code == "needs_clock"] == []


def test_a_build_and_a_synthesis_say_it_in_one_line(read: Callable[[str], Toolbox], capsys: pytest.CaptureFixture[str]):
    say_what_needs_the_clock(read(SOURCE), Progress())
    (line,) = capsys.readouterr().err.splitlines()
    assert "plan.day, plan.at, plan.stay, 1 more are dates" in line
    assert "rejected" in line
    say_what_needs_the_clock(read_tools(DESK), Progress())
    assert capsys.readouterr().err == ""
