"""Calls drawn ahead of need: what a batch gets follows from its number alone, and a hard tool does not take it all."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from lamina.checks import Candidate, Reason
from lamina.runs import Progress, Run
from lamina.synth import SynthSettings, synthesize
from lamina.synth.calls import SPAN, DrawnCall, Stock, draw_calls
from lamina.synth.grammar import Words
from lamina.synth.rules import check_alone
from lamina.synth.styles.joint import joined_candidate
from lamina.synth.values import ValuePool
from lamina.synth.wording import Exemplar
from lamina.synth.writers import Assignment, Materials, easy_to_follow, one_line
from lamina.tools import Toolbox, read_tools
from lamina.tools.execution import CallResult, Executor
from lamina.trajectories import ToolCall, TrajectoryStore

NOW = "2026-11-24T10:00:00"
TOOLS = '''
"""Two pure functions."""

PURE = True


def paint_door(colour: str, coats: int) -> str:
    """Paint a door.

    Args:
        colour: The colour.
        coats: How many coats of paint.
    """
    return f"{coats} coats of {colour}"


def light_lamp(watts: int) -> str:
    """Light a lamp.

    Args:
        watts: How many watts.
    """
    return f"{watts} W"
'''


@pytest.fixture
def doors(tmp_path: Path) -> Toolbox:
    file = tmp_path / "doors.py"
    file.write_text(TOOLS, encoding="utf-8")
    return read_tools(file)


def taken(toolbox: Toolbox, batches: list[int], each: int) -> dict[int, list[Any]]:
    with Executor(toolbox) as executor:
        stock = Stock(toolbox, ValuePool(), executor, NOW)
        found = {}
        for batch in batches:
            stock.begin(batch)
            rng = random.Random(batch)
            calls = [stock.take(toolbox["paint_door"], rng) for _ in range(each)]
            found[batch] = [c.arguments for c in calls if c is not None]
    return found


def test_what_a_batch_draws_follows_from_its_number_and_not_from_what_came_before(doors: Toolbox) -> None:
    whole = taken(doors, list(range(2 * SPAN)), 3)
    resumed = taken(doors, [5, SPAN + 2], 3)
    assert resumed == {5: whole[5], SPAN + 2: whole[SPAN + 2]}
    assert len({str(arguments) for batch in whole.values() for arguments in batch}) > SPAN


def test_a_batch_that_wants_more_than_was_drawn_ahead_gets_it(doors: Toolbox) -> None:
    found = taken(doors, [0, 1], 200)
    assert [len(calls) for calls in found.values()] == [200, 200]


HARD = '''
"""Says what is asked, save for lamps."""

import re


def reply(messages, tools, seed):
    prompt = messages[-1]["content"]
    said = re.findall(r": ([^;/\\]]+)", prompt.rstrip("\\n").split("\\n")[-1])
    if "lamp" in prompt.split("\\n\\n")[-1]:
        return " it is a fine morning"
    words = "ash bay cob dun elm fig gum hop ivy jay kit lea may nut oak pea rue sky tea urn vat wax yew".split()
    return " paint a door " + " ".join([words[seed % 23], words[seed % 19], words[seed % 17], *said])
'''


def test_a_tool_that_a_writer_cannot_write_for_does_not_take_all_that_is_left(doors: Toolbox, tmp_path: Path) -> None:
    writer = tmp_path / "hard.py"
    writer.write_text(HARD, encoding="utf-8")
    settings = SynthSettings(
        targets=160, batch=16, grammar_share=0, writer=f"scripted:{writer}", sampler="coverage",
        styles=(("simple", 1.0),), wordings=("plain",), near=1.0,
    )  # fmt: skip
    with Executor(doors) as executor, Run.open(tmp_path / "run", {"seed": 0}) as run:
        synthesize(doors, run, settings, Progress(silent=True), executor)
    with Run.at(tmp_path / "run") as run:
        kept = TrajectoryStore(run.store)
        missed = Counter(c["name"] for reject in kept.rejects() for c in (reject.record or {})["calls"])
        made = Counter(c.name for row in kept.trajectories() for c in row.calls)
    assert made["light_lamp"] == 0
    assert missed["light_lamp"] < 140
    assert made["paint_door"] >= 5


@pytest.mark.parametrize(
    "request_",
    [
        "a door 5] in red", 'paint it in "red, 5 coats', "[paint it red 5", "paint a door colour: red 5",
        "paint it red / 5 coats",
    ],
)  # fmt: skip
def test_marks_of_the_prompt_are_not_what_people_say(doors: Toolbox, request_: str) -> None:
    calls = [[ToolCall.of("paint_door", {"colour": "red", "coats": 5})]]
    candidate = Candidate(request_, calls, "simple", "writer", 0, NOW)
    found = check_alone(candidate, doors)
    assert found is not None
    assert (found.stage, found.reason) == ("grounding", Reason.REQUEST_SAYS_MORE)


def two_doors(request: str, *calls: tuple[str, int]) -> Candidate:
    made = [ToolCall.of("paint_door", {"colour": colour, "coats": coats}) for colour, coats in calls]
    return Candidate(request, [made], "parallel", "writer", 0, NOW)


@pytest.mark.parametrize(
    ("request_", "calls", "reason"),
    [
        (
            "paint one door red 3 coats, one blue 4 coats and one green",
            [("red", 3), ("blue", 4), ("green", 3)], Reason.VALUE_NOT_IN_REQUEST,
        ),
        ("paint a door red and one blue, 3 coats", [("red", 3), ("blue", 3)], None),
        (
            "paint the doors red and blue, 3 coats each, and a green one with 4",
            [("red", 3), ("blue", 3), ("green", 4)], None,
        ),
    ],
)  # fmt: skip
def test_a_number_said_once_is_not_said_for_two_of_three_calls(
    doors: Toolbox, request_: str, calls: list[tuple[str, int]], reason: Reason | None
) -> None:
    assignment = Assignment((), "parallel", 0, ())
    found = check_alone(two_doors(request_, *calls), doors, assignment)
    assert (found and found.reason) is reason


@pytest.mark.parametrize(("light", "said"), [("light a lamp of 40 watts", True), ("", False)])
def test_requests_for_several_tools_are_written_one_by_one_and_said_as_one(
    doors: Toolbox, light: str, said: bool
) -> None:
    drawn = tuple(
        DrawnCall(doors[name], arguments, CallResult("ok", "done", '"done"'))
        for name, arguments in (("paint_door", {"colour": "red", "coats": 2}), ("light_lamp", {"watts": 40}))
    )
    assignment = Assignment((), "parallel-multiple", 3, drawn)
    with Executor(doors) as executor:
        words = Words(doors, {}, ValuePool(), executor, NOW)
        materials = Materials(words, {}, SynthSettings(now=words.now))
        row = joined_candidate(assignment, ["paint a door red, 2 coats\n", light], materials)
    found = check_alone(row, doors, assignment)
    if said:
        assert row.request.startswith("paint a door red, 2 coats")
        assert row.request.endswith("light a lamp of 40 watts")
        assert found is None
    else:
        assert found is not None
        assert found.reason is Reason.NO_ANSWER


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        (' "paint it red" ', "paint it red"),
        ('what is "red" in French', 'what is "red" in French'),
        ('translate "red"', 'translate "red"'),
        ('paint it red"', "paint it red"),
        ('"red" and "blue"', '"red" and "blue"'),
    ],
)
def test_quotes_around_an_answer_go_and_quotes_within_it_stay(said: str, kept: str) -> None:
    assert one_line(said) == kept


def test_a_writer_is_shown_short_examples_where_there_are_enough() -> None:
    def said(request: str) -> Exemplar:
        return Exemplar("paint_door", request, {}, (), request)

    short, long = [said(f"paint door {n}") for n in range(8)], [said("paint " * 30)]
    assert easy_to_follow([*long, *short]) == short
    assert easy_to_follow([*long, *short[1:]]) == [*long, *short[1:]]


PICKY = '''
"""Doors."""

PURE = True


def open_door(number: int) -> str:
    """Open a door.

    Args:
        number: The number of the door.
    """
    if number % 7:
        raise ValueError("there is no such door")
    return f"door {number} is open"
'''


@pytest.mark.parametrize("hard", [False, True])
def test_calls_drawn_many_rounds_at_once_are_those_of_one_round_at_a_time(tmp_path: Path, hard: bool) -> None:
    pure, other = tmp_path / "pure.py", tmp_path / "other.py"
    pure.write_text(PICKY, encoding="utf-8")
    other.write_text(PICKY.replace("PURE = True", ""), encoding="utf-8")
    found = []
    for file in (pure, other):  # what is not declared pure is drawn one round at a time
        toolbox, rng = read_tools(file), random.Random(1)
        with Executor(toolbox) as executor:
            calls = [draw_calls(toolbox["open_door"], 3, rng, ValuePool(), executor, NOW, hard) for _ in range(4)]
        found.append(([[c.arguments for c in some] for some in calls], rng.random()))
    assert found[0] == found[1]
    assert any(found[0][0])


def test_calls_drawn_ahead_are_the_same_in_any_company(doors: Toolbox) -> None:
    with Executor(doors) as executor:
        alone = Stock(doors, ValuePool(), executor, NOW)
        alone.begin(0)
        first = alone.take(doors["light_lamp"], random.Random(0))
        beside = Stock(doors, ValuePool(), executor, NOW)
        beside.begin(0)
        beside.take(doors["paint_door"], random.Random(0))
        second = beside.take(doors["light_lamp"], random.Random(5))
    assert first is not None
    assert second is not None
    assert first.arguments == second.arguments
