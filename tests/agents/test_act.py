"""The agent loop: what a request leads to, and how each budget ends it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path

import pytest

from lamina.agents import Budget, act
from lamina.models.model import Reply, Request
from lamina.tools import Toolbox, read_tools
from lamina.tools.execution import Executor
from lamina.trajectories import ToolCall

NOW = datetime(2026, 3, 4, 10, 30)

SOURCE = '''\
import os
from pathlib import Path


def note(text: str) -> dict[str, str]:
    """Write a note on the board.

    Args:
        text: What to write.
    """
    with open("board.txt", "a", encoding="utf-8") as board:
        board.write(text + "\\n")
    return {"noted": text, "at": os.environ["LAMINA_NOW"]}


def board() -> list[str]:
    """Read the notes on the board."""
    return Path("board.txt").read_text(encoding="utf-8").split()
'''


class Told:
    """A model that answers with what it was told to, and remembers what it was asked."""

    ref = "told"

    def __init__(self, *answers: list[tuple[str, dict[str, object]]] | str):
        self.answers = list(answers)
        self.asked: list[Request] = []

    def generate(
        self, requests: Sequence[Request], on_reply: Callable[[int, Reply], None] | None = None
    ) -> list[Reply]:
        self.asked += requests
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, str):
            return [Reply(answer, problem="that is no list of calls")]
        return [Reply(json.dumps(answer), calls=[ToolCall.of(n, a) for n, a in answer])]

    def close(self) -> None:
        pass


@pytest.fixture(scope="module")
def toolbox(tmp_path_factory: pytest.TempPathFactory) -> Toolbox:
    file = tmp_path_factory.mktemp("tools") / "board_tools.py"
    file.write_text(SOURCE, encoding="utf-8")
    return read_tools(file)


@pytest.fixture(scope="module")
def executor(toolbox: Toolbox) -> Iterator[Executor]:
    with Executor(toolbox) as running:
        yield running


def note(text: str) -> list[tuple[str, dict[str, object]]]:
    return [("note", {"text": text})]


def test_a_call_is_executed_and_its_result_shown_to_the_model(toolbox, executor, tmp_path: Path):
    model = Told(note("milk"), [])
    acted = act("note milk", model, toolbox, executor, now=NOW, scratch=tmp_path)
    assert acted.ending == "done"
    assert (tmp_path / "board.txt").read_text() == "milk\n"
    roles = [m.role for m in acted.trajectory.messages]
    assert roles == ["user", "assistant", "tool", "assistant"]
    assert json.loads(acted.trajectory.messages[2].content) == {"noted": "milk", "at": "2026-03-04T10:30:00"}
    assert [m.role for m in model.asked[1].messages] == ["user", "assistant", "tool"]
    assert acted.trajectory.meta.now == "2026-03-04T10:30:00"
    assert acted.trajectory.meta.sandbox == executor.level


def test_what_a_call_wrote_is_there_for_the_next_request(toolbox, executor, tmp_path: Path):
    act("note milk", Told(note("milk"), []), toolbox, executor, now=NOW, scratch=tmp_path)
    acted = act("what is noted?", Told([("board", {})], []), toolbox, executor, now=NOW, scratch=tmp_path)
    assert json.loads(acted.trajectory.messages[2].content) == ["milk"]


def test_no_call_at_all_is_a_refusal(toolbox, executor, tmp_path: Path):
    acted = act("sing", Told([]), toolbox, executor, now=NOW, scratch=tmp_path)
    assert acted.ending == "refused"
    assert acted.said == "none of my functions can do that"
    assert acted.trajectory.calls == []


def test_a_model_that_repeats_itself_runs_nothing_twice(toolbox, executor, tmp_path: Path):
    acted = act("note milk", Told(note("milk")), toolbox, executor, now=NOW, scratch=tmp_path)
    assert acted.ending == "repeated"
    assert (tmp_path / "board.txt").read_text() == "milk\n"


def test_the_turns_of_the_budget_end_it(toolbox, executor, tmp_path: Path):
    model = Told(*[note(str(i)) for i in range(9)])
    acted = act("go on", model, toolbox, executor, now=NOW, scratch=tmp_path, budget=Budget(turns=3))
    assert acted.ending == "turns"
    assert len(acted.trajectory.calls) == 3


def test_the_time_of_the_budget_ends_it(toolbox, executor, tmp_path: Path):
    model = Told(*[note(str(i)) for i in range(9)])
    acted = act("go on", model, toolbox, executor, now=NOW, scratch=tmp_path, budget=Budget(seconds=0.0))
    assert acted.ending == "time"
    assert acted.trajectory.calls == []


def test_an_answer_that_cannot_be_read_is_not_taken_for_a_refusal(toolbox, executor, tmp_path: Path):
    acted = act("note milk", Told("Sure! I will"), toolbox, executor, now=NOW, scratch=tmp_path)
    assert acted.ending == "unreadable"
    assert acted.trajectory.messages[-1].content == "Sure! I will"


def test_a_call_that_fails_is_told_to_the_model_and_counted(toolbox, executor, tmp_path: Path):
    model = Told([("board", {})], [])
    acted = act("what is noted?", model, toolbox, executor, now=NOW, scratch=tmp_path)
    assert acted.failed == 1
    assert "error" in acted.trajectory.messages[2].content
    assert model.asked[1].messages[-1].role == "tool"


def test_parallel_calls_carry_ids_that_their_results_name(toolbox, executor, tmp_path: Path):
    model = Told([*note("milk"), *note("eggs")], [])
    acted = act("note milk and eggs", model, toolbox, executor, now=NOW, scratch=tmp_path)
    calls = acted.trajectory.calls
    results = [m for m in acted.trajectory.messages if m.role == "tool"]
    assert len({c.id for c in calls}) == 2
    assert [m.tool_call_id for m in results] == [c.id for c in calls]


def test_the_same_request_at_another_time_is_another_record(toolbox, executor, tmp_path: Path):
    ids = {
        act("sing", Told([]), toolbox, executor, now=NOW.replace(minute=m), scratch=tmp_path).trajectory.id
        for m in (1, 2)
    }
    assert len(ids) == 2
