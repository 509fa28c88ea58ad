"""The agent loop: what a request leads to, and how each budget ends it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path

import pytest

from lamina.agents import Acted, Budget, act
from lamina.models.model import Reply, Request
from lamina.tools import Toolbox, read_tools
from lamina.tools.execution import Executor
from lamina.tools.execution.supervised import _Gone
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


SESSION = '''\
import os
from pathlib import Path

basket: list[str] = []


def put(thing: str) -> list[str]:
    """Put a thing into the basket.

    Args:
        thing: What to put.
    """
    with open("put.txt", "a", encoding="utf-8") as log:
        log.write(thing + "\\n")
    if thing == "bomb":
        os.abort()
    if thing == "stone":
        raise ValueError("too heavy")
    basket.append(thing)
    return basket


def written() -> list[str]:
    """Read what was ever put."""
    return Path("put.txt").read_text(encoding="utf-8").split()
'''


@pytest.fixture(scope="module")
def baskets(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Toolbox, Executor]]:
    file = tmp_path_factory.mktemp("tools") / "basket_tools.py"
    file.write_text(SESSION, encoding="utf-8")
    toolbox = read_tools(file)
    with Executor(toolbox) as running:
        yield toolbox, running


def put(*things: str) -> list[tuple[str, dict[str, object]]]:
    return [("put", {"thing": thing}) for thing in things]


def seen(acted: Acted) -> list[object]:
    return [json.loads(m.content) for m in acted.trajectory.messages if m.role == "tool"]


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


def test_the_calls_of_one_answer_share_what_a_module_keeps_in_memory(baskets, tmp_path: Path):
    toolbox, executor = baskets
    acted = act("put two", Told(put("apple", "pear"), []), toolbox, executor, now=NOW, scratch=tmp_path)
    assert seen(acted) == [["apple"], ["apple", "pear"]]


def test_from_answer_to_answer_files_stay_and_memory_does_not(baskets, tmp_path: Path):
    toolbox, executor = baskets
    model = Told(put("apple"), put("pear"), [("written", {})], [])
    acted = act("put one, then another", model, toolbox, executor, now=NOW, scratch=tmp_path)
    assert seen(acted) == [["apple"], ["pear"], ["apple", "pear"]]


def test_a_call_that_fails_does_not_keep_the_others_from_running_once_each(baskets, tmp_path: Path):
    toolbox, executor = baskets
    acted = act("put", Told(put("apple", "stone", "pear"), []), toolbox, executor, now=NOW, scratch=tmp_path)
    first, second, third = seen(acted)
    assert (first, third) == (["apple"], ["pear"]), "after a failure the rest begin anew"
    assert "too heavy" in second["error"]
    assert acted.failed == 1
    assert (tmp_path / "put.txt").read_text() == "apple\nstone\npear\n"


def test_after_a_call_that_was_killed_nothing_more_of_the_answer_runs(baskets, tmp_path: Path):
    toolbox, executor = baskets
    acted = act("put", Told(put("bomb", "pear"), []), toolbox, executor, now=NOW, scratch=tmp_path)
    assert "put was not run" in seen(acted)[1]["error"]
    assert acted.failed == 2
    assert (tmp_path / "put.txt").read_text() == "bomb\n"


def test_where_the_supervisor_is_lost_no_call_is_run_again(baskets, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """It ran the calls and is gone before it could say so."""
    toolbox, _ = baskets
    with Executor(toolbox, workers=1) as executor:
        (server,) = executor._servers
        receive = server._receive

        def lost(seconds: float) -> dict[str, object]:
            answer = receive(seconds)
            if "outcomes" in answer:
                raise _Gone("took the supervisor down with it")
            return answer

        monkeypatch.setattr(server, "_receive", lost)
        acted = act("put two", Told(put("apple", "pear"), []), toolbox, executor, now=NOW, scratch=tmp_path)
    assert acted.failed == 2
    assert (tmp_path / "put.txt").read_text() == "apple\npear\n"
