"""No row sets a truth value that its request knows nothing of."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from lamina.runs import Progress, Run
from lamina.synth import SynthSettings, synthesize
from lamina.synth.truth_values import check_flags, flags_of, shown_flags
from lamina.synth.values import ValuePool, draw_arguments
from lamina.tools import Tool, Toolbox, read_tools
from lamina.tools.execution import Executor
from lamina.tools.tool import Example
from lamina.trajectories import Trajectory, TrajectoryStore

TOOLS = '''
"""Things of a house."""

PURE = True


def list_rooms(floor: int, sorted_by_size: bool = False) -> list[int]:
    """List the rooms of a floor.

    Args:
        floor: Which floor.
        sorted_by_size: Whether the largest comes first.
    """
    return [floor]


def switch_lamp(lamp: str, on: bool) -> str:
    """Switch a lamp.

    Args:
        lamp: Which lamp.
        on: Whether it is to burn.

    Examples:
        let there be light by the window lamp
        >>> switch_lamp(lamp="window", on=True)
    """
    return f"{lamp} {on}"


def lock_door(door: str, twice: bool) -> str:
    """Lock a door.

    Args:
        door: Which door.
        twice: Whether the key is turned a second time.
    """
    return f"{door} {twice}"
'''
WRITER = '''
"""Says the function and the values, and never a truth value save where it is asked to say yes."""


def reply(messages, tools, seed):
    lines = messages[-1]["content"].rstrip("\\n").split("\\n")
    about = [line for line in lines if line and not line.startswith("[")][-1].lower().rstrip(".")
    parts = [part.split(": ", 1) for part in lines[-1].strip("[]").split("; ") if ": " in part]
    said = [name if value == "yes" else value for name, value in parts if value != "no"]
    words = "ash bay cob dun elm fig gum hop ivy jay kit lea may nut oak pea rue sky tea urn vat wax yew".split()
    return f" {about} {' '.join(said)} {words[seed % 23]} {words[seed % 19]} {words[seed % 17]}"
'''


@pytest.fixture
def house(tmp_path: Path) -> Toolbox:
    (tmp_path / "house.py").write_text(TOOLS, encoding="utf-8")
    return read_tools(tmp_path / "house.py")


def rows_of(house: Toolbox, folder: Path, **settings: object) -> list[Trajectory]:
    (folder / "writer.py").write_text(WRITER, encoding="utf-8")
    given = {"targets": 64, "batch": 32, "grammar_share": 0, "near": 1.0, "styles": (("simple", 1.0),), **settings}
    made = SynthSettings(writer=f"scripted:{folder / 'writer.py'}", **given)  # type: ignore[arg-type]
    with Executor(house) as executor, Run.open(folder / "run", {"seed": 0}) as run:
        synthesize(house, run, made, Progress(silent=True), executor)
        return list(TrajectoryStore(run.store).trajectories())


def test_a_truth_value_that_may_be_left_out_is_left_out_where_nobody_shows_how_it_is_said(house: Toolbox) -> None:
    pool, rng = ValuePool.of(list(house)), random.Random(0)
    assert not any("sorted_by_size" in draw_arguments(house["list_rooms"], rng, pool) for _ in range(100))
    shown = Example("the rooms of floor 2, largest first", {"floor": 2, "sorted_by_size": True})
    plain = house["list_rooms"]
    tool = Tool(plain.name, plain.description, plain.parameters, plain.target, (shown,))
    drawn = [draw_arguments(tool, rng, ValuePool.of([tool])) for _ in range(200)]
    assert {"sorted_by_size" in arguments for arguments in drawn} == {True, False}


def test_rows_have_the_truth_values_that_their_words_have(house: Toolbox, tmp_path: Path) -> None:
    rows = rows_of(house, tmp_path)
    calls = [((row.meta.model_extra or {})["clean"], call) for row in rows for call in row.calls]
    assert {call.name for _, call in calls} == set(house.names)
    for request, call in calls:
        if call.name == "list_rooms":
            assert set(call.arguments) == {"floor"}
        elif call.name == "lock_door":
            assert call.arguments["twice"] == ("twice" in request)
        else:
            assert call.arguments["on"] is True, "as the only example has it"


def test_an_example_said_again_with_other_values_keeps_its_truth_values(house: Toolbox, tmp_path: Path) -> None:
    rows = rows_of(house, tmp_path, variants=12, targets=1)
    again = [row for row in rows if (row.meta.model_extra or {}).get("augmented")]
    assert len(again) > 3
    assert {call.arguments["on"] for row in again for call in row.calls} == {True}


def of(description: str = "", **more: object) -> Tool:
    flag = {"type": "boolean", "description": description, **more}
    return Tool("f", "F.", {"type": "object", "properties": {"isUrgent": flag}, "required": ["isUrgent"]})


@pytest.mark.parametrize(
    ("request_", "value", "fits"),
    [
        ("send it, urgent", True, True),
        ("send it", True, False),
        ("it is late, send it", True, False),
        ("send it at once", True, True),
        ("send it, it is not urgent", True, False),
        ("send it", False, True),
        ("send it, urgent", False, False),
        ("send it, it isn't urgent", False, True),
    ],
)
def test_true_is_said_and_false_is_silent_or_denied(request_: str, value: bool, fits: bool) -> None:
    found = check_flags(request_, of("Whether it goes out at once."), {"isUrgent": value})
    assert (found is None) == fits


def test_where_an_example_says_it_a_new_request_says_it_too() -> None:
    tool, like = of(), "urgent: the roof leaks"
    assert check_flags("urgent: the cellar is wet", tool, {"isUrgent": True}, like) is None
    assert check_flags("the cellar is wet", tool, {"isUrgent": True}, like) is not None


def test_a_truth_value_at_its_default_needs_no_words() -> None:
    assert flags_of(of(default=False), {"isUrgent": False}) == {}
    assert check_flags("send it", of(default=True), {"isUrgent": True}) is None


def test_truth_values_within_objects_and_lists_have_places() -> None:
    item = {"type": "object", "properties": {"done": {"type": "boolean"}, "what": {"type": "string"}}}
    schema = {"type": "object", "properties": {"items": {"type": "array", "items": item}}, "required": ["items"]}
    example = Example("note that the milk is bought", {"items": [{"what": "milk", "done": True}]})
    assert shown_flags(Tool("f", "F.", schema, examples=(example,))) == {"items[].done"}
