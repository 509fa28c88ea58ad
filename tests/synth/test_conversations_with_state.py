"""Conversations whose calls change something: the blueprint is one session, run once more from the start and compared,
outputs and what is left behind."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from lamina.checks import Candidate, Reason
from lamina.errors import ToolDefinitionError
from lamina.runs import Progress, Run
from lamina.synth import SynthSettings, synthesize
from lamina.synth.calls import DrawnCall
from lamina.synth.conversing import check_conversation
from lamina.synth.styles.conversation import run_afresh
from lamina.synth.writers import Assignment
from lamina.tools import read_tools
from lamina.tools.execution import Executor
from lamina.trajectories import Message, ToolCall, read_trajectories

CART = '''
CART: list[str] = []


def _state() -> list[str]:
    return CART


def add_to_cart(fruit: str, pieces: int) -> int:
    """Add fruit to the cart.

    Args:
        fruit: The fruit, such as "apple" or "pear".
        pieces: How many pieces of the fruit.
    """
    CART.extend([fruit] * pieces)
    return len(CART)


def remove_from_cart(fruit: str, pieces: int) -> int:
    """Remove fruit from the cart.

    Args:
        fruit: The fruit, such as "apple" or "pear".
        pieces: How many pieces of the fruit.
    """
    for _ in range(pieces):
        if fruit in CART:
            CART.remove(fruit)
    return len(CART)


def put_aside(what: str, times: int) -> str:
    """Put something aside.

    Args:
        what: The thing to put aside, such as "ripe" or "sour".
        times: How many times.
    """
    CART.extend([what] * times)
    return "done"


def note_down(what: str, times: int) -> str:
    """Note down a reminder.

    Args:
        what: The reminder, such as "ripe" or "sour".
        times: How many times the reminder stands there.
    """
    with open("notes.txt", "a") as file:
        file.write(f"{what}\\n" * times)
    return "done"
'''


@pytest.fixture
def cart(tmp_path: Path) -> Path:
    file = tmp_path / "cart.py"
    file.write_text(CART)
    return file


def settings(writer: str = "w") -> SynthSettings:
    return SynthSettings(targets=40, batch=20, grammar_share=0, writer=writer, styles=(("multi-turn", 1.0),))


def reasons_of(run: Path) -> list[str]:
    return [json.loads(line)["reason"] for line in (run / "rejects.jsonl").open()]


def test_calls_that_build_on_each_other_become_conversations(cart: Path, says_it_all: str, tmp_path: Path) -> None:
    toolbox = read_tools(cart)
    with Executor(toolbox) as executor, Run.open(tmp_path / "run", {"seed": 0}) as run:
        synthesize(toolbox, run, settings(says_it_all), Progress(silent=True), executor)
    rows = list(read_trajectories(tmp_path / "run" / "trajectories.jsonl"))
    rejected = Counter(reasons_of(tmp_path / "run"))
    assert len(rows) >= 10, rejected
    assert not {Reason.RESULT_DIFFERS, Reason.STATE_DIFFERS} & set(rejected)
    both = [r for r in rows if all(c.name.endswith("_cart") for c in r.calls)]
    for row in both:
        first, second = [int(m.content) for m in row.messages if m.role == "tool"]
        pieces = row.calls[1].arguments["pieces"]
        if row.calls[1].name == "add_to_cart":
            assert second == first + pieces, "the second call finds what the first left"
    assert both


@pytest.mark.parametrize(("tool", "where"), [("note_down", "notes.txt"), ("put_aside", "_state() of cart.py")])
def test_calls_in_another_order_that_leave_something_else_behind_are_rejected(
    cart: Path, tool: str, where: str
) -> None:
    toolbox = read_tools(cart)
    calls = [(tool, {"what": "ripe", "times": 1}), (tool, {"what": "sour", "times": 2})]
    with Executor(toolbox) as executor:
        blueprint = executor.run_session(calls)
        drawn = tuple(DrawnCall(toolbox[n], a, r) for (n, a), r in zip(calls, blueprint.results, strict=True))
        assignment = Assignment((), "multi-turn", 0, drawn, withheld=((0, "what"),), end_state=blueprint.end)
        said = [("user", "a"), ("assistant", "b?"), ("user", "c"), ("user", "d")]
        script = tuple(Message(role=role, content=text) for role, text in said)
        turns = [[ToolCall.of(name, arguments)] for name, arguments in calls]
        candidate = Candidate("a", turns, "multi-turn", "w", 0, "2026-11-24T10:00:00", script=script)
        run_afresh(candidate, executor)
        assert candidate.end_state == blueprint.end
        in_order = check_conversation(candidate, toolbox, assignment)
        candidate.turns.reverse()
        run_afresh(candidate, executor)
    assert [turn[0].text for turn in candidate.results] == ['"done"', '"done"'], "outputs alone tell nothing"
    found = check_conversation(candidate, toolbox, assignment)
    assert in_order is not None
    assert in_order.stage == "grounding", "the same calls in their order pass; what is said of them does not"
    assert found is not None
    assert (found.stage, found.reason) == ("execution", Reason.STATE_DIFFERS)
    assert where in found.detail


def test_a_call_that_returns_something_else_the_second_time_is_rejected(tmp_path: Path, says_it_all: str) -> None:
    """What is drawn anew in every process is no blueprint."""
    file = tmp_path / "lots.py"
    file.write_text(
        "import os\n\n"
        + "\n\n".join(
            f'def draw_{noun}(colour: str, size: int) -> str:\n    """Draw a {noun}.\n\n    Args:\n'
            f'        colour: The colour, such as "red" or "blue".\n        size: The size.\n    """\n'
            "    return os.urandom(8).hex()\n"
            for noun in ("circle", "square")
        )
    )
    toolbox = read_tools(file)
    with Executor(toolbox) as executor, Run.open(tmp_path / "run", {"seed": 0}) as run:
        synthesize(toolbox, run, replace(settings(says_it_all), targets=6), Progress(silent=True), executor)
    assert set(reasons_of(tmp_path / "run")) == {Reason.RESULT_DIFFERS}
    assert list(read_trajectories(tmp_path / "run" / "trajectories.jsonl")) == []


def test_a_session_that_fails_on_the_way_has_no_end(cart: Path) -> None:
    with Executor(read_tools(cart)) as executor:
        session = executor.run_session([("note_down", {"what": "a", "times": 1}), ("no_such_tool", {})])
    assert [r.ok for r in session.results] == [True, False]
    assert session.end == {}


def test_a_result_says_a_dot_for_the_folder_that_a_session_had(tmp_path: Path) -> None:
    file = tmp_path / "places.py"
    file.write_text(
        'import os\n\n\ndef where() -> str:\n    """Say where."""\n    open("here", "w").write(os.getcwd())\n'
        '    return os.path.abspath("here")\n'
    )
    with Executor(read_tools(file)) as executor:
        first, second = (executor.run_session([("where", {})]) for _ in range(2))
    assert first.results[0].value == "./here"
    assert first == second


def test_a_state_that_cannot_be_told_names_its_file(tmp_path: Path) -> None:
    file = tmp_path / "broken.py"
    file.write_text('def go() -> int:\n    """Go."""\n    return 1\n\n\ndef _state():\n    raise KeyError("gone")\n')
    with Executor(read_tools(file)) as executor, pytest.raises(ToolDefinitionError, match=r"_state\(\).*gone"):
        executor.run_session([("go", {})])


@pytest.mark.parametrize("own", ["_state = [1]", "def _state(of: str) -> str:\n    return of"])
def test_what_only_has_the_name_is_no_state(tmp_path: Path, own: str) -> None:
    file = tmp_path / "other.py"
    file.write_text(f'def go() -> int:\n    """Go."""\n    return 1\n\n\n{own}\n')
    with Executor(read_tools(file)) as executor:
        assert executor.run_session([("go", {})]).end == {}
