"""Calls run out of process, by keyword, with arguments of the annotated types, and come back as JSON."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lamina.errors import ToolDefinitionError, UserError
from lamina.tools import Tool, Toolbox, read_tools
from lamina.tools.execution import CallResult, Executor, Limits, available_level

TOOLS = '''
import asyncio, os, random, sys, tempfile
from dataclasses import dataclass, asdict
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import Path
from pydantic import BaseModel

class Colour(Enum):
    RED = "red"

@dataclass
class Size:
    width: int
    height: int = 3

class Book(BaseModel):
    title: str
    on: date

COUNTER = [0]

def types(size: Size, colour: Colour, on: date, book: Book, price: Decimal, n: int = 7) -> str:
    """Say the types."""
    return [type(x).__name__ for x in (size, colour, on, book, price, n)]

def give(what: str):
    """Give something back."""
    return {
        "dataclass": Size(1), "model": Book(title="t", on=date(2026, 3, 5)), "date": datetime(2026, 3, 5, 9),
        "enum": Colour.RED, "set": {3}, "tuple": (1, None), "path": Path("a"), "span": timedelta(hours=1),
        "generator": (i for i in range(3)), "keys": {1: "a", Colour.RED: 2}, "text": "größe", "none": None,
    }[what]

def where() -> dict:
    """Look around."""
    return {
        "files": os.listdir(), "home": os.environ["HOME"] == os.getcwd(),
        "tmp": tempfile.gettempdir() == os.getcwd(), "now": os.environ.get("LAMINA_NOW"),
        "secret": os.environ.get("OPENAI_API_KEY"), "stdin": sys.stdin.read(),
    }

def put(name: str) -> list:
    """Write a file."""
    Path(name).write_text("x")
    COUNTER[0] += 1
    return [sorted(os.listdir()), COUNTER[0]]

def draw() -> float:
    """Draw lots."""
    return random.random()

async def later(n: int) -> int:
    """Wait."""
    await asyncio.sleep(0)
    return n + 1

def say(n: int) -> int:
    """Talk."""
    print("said", n)
    os.write(2, b"!")
    return n

def fail() -> None:
    """Fail."""
    raise ValueError("no\\nway")
'''


@pytest.fixture(scope="module")
def executor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Executor]:
    path = tmp_path_factory.mktemp("tools") / "mine.py"
    path.write_text(textwrap.dedent(TOOLS))
    described = [*read_tools(path), Tool("only_described", "Nothing to run.", {"type": "object"})]
    with Executor(Toolbox(described), workers=2) as made:
        yield made


def test_arguments_arrive_as_the_annotated_types(executor: Executor) -> None:
    arguments = {
        "size": {"width": 1}, "colour": "red", "on": "2026-03-05",
        "book": {"title": "t", "on": "2026-03-05"}, "price": 1.5,
    }  # fmt: skip
    result = executor.run("types", arguments)
    assert result.value == ["Size", "Colour", "date", "Book", "Decimal", "int"]


@pytest.mark.parametrize(
    ("what", "value"),
    [
        ("dataclass", {"width": 1, "height": 3}),
        ("model", {"title": "t", "on": "2026-03-05"}),
        ("date", "2026-03-05T09:00:00"),
        ("enum", "red"),
        ("set", [3]),
        ("tuple", [1, None]),
        ("path", "a"),
        ("span", "PT1H"),
        ("generator", [0, 1, 2]),
        ("keys", {"1": "a", "red": 2}),
        ("text", "größe"),
        ("none", None),
    ],
)
def test_results_come_back_as_json(executor: Executor, what: str, value: object) -> None:
    result = executor.run("give", {"what": what})
    assert result.status == "ok", result.error
    assert result.value == value


def test_the_text_is_what_a_model_reads(executor: Executor) -> None:
    assert executor.run("give", {"what": "text"}).text == '"größe"'
    assert executor.run("give", {"what": "dataclass"}).text == '{"width": 1, "height": 3}'
    assert executor.run("fail", {}).text == '{"error": "fail raised ValueError: no way"}'


def test_a_call_has_an_empty_folder_of_its_own_and_a_bare_environment(
    executor: Executor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    assert executor.run("put", {"name": "a"}).value == [["a"], 1]
    looked = executor.run("where", {}, now="2026-03-05T10:00")
    assert looked.value == {
        "files": [], "home": True, "tmp": True, "now": "2026-03-05T10:00", "secret": None, "stdin": "",
    }  # fmt: skip
    assert executor.run("where", {}).value["now"] is None


def test_a_sequence_keeps_files_and_variables_and_stops_at_the_first_failure(executor: Executor) -> None:
    results = executor.run_sequence(
        [("put", {"name": "a"}), ("put", {"name": "b"}), ("fail", {}), ("put", {"name": "c"})]
    )
    assert [r.status for r in results] == ["ok", "ok", "raised"]
    assert results[1].value == [["a", "b"], 2]


def test_an_invalid_call_in_a_sequence_lets_those_before_it_run(executor: Executor) -> None:
    results = executor.run_sequence([("put", {"name": "a"}), ("put", {}), ("put", {"name": "c"})])
    assert [r.status for r in results] == ["ok", "invalid"]


def test_a_given_scratch_folder_stays(executor: Executor, tmp_path: Path) -> None:
    scratch = tmp_path / "deep" / "scratch"
    executor.run("put", {"name": "a"}, scratch=scratch)
    assert executor.run("put", {"name": "b"}, scratch=scratch).value == [["a", "b"], 1]
    assert sorted(os.listdir(scratch)) == ["a", "b"]


def test_what_a_call_prints_is_kept_apart_from_what_it_returns(executor: Executor) -> None:
    results = executor.run_sequence([("say", {"n": 1}), ("say", {"n": 2})])
    assert [(r.value, sorted(r.printed)) for r in results] == [(n, sorted(f"said {n}\n!")) for n in (1, 2)]


def test_an_async_function_is_awaited(executor: Executor) -> None:
    assert executor.run("later", {"n": 1}).value == 2


def test_the_same_call_is_equal_to_itself_chance_included(executor: Executor) -> None:
    one, two = executor.run("draw", {}), executor.run("draw", {})
    assert one == two
    assert one.value != executor.run("draw", {}, now="2026-03-05").value


def test_many_sequences_keep_their_order_on_any_number_of_workers(executor: Executor) -> None:
    sequences = [[("later", {"n": n}), ("say", {"n": n})] for n in range(40)]
    nows = ["2026-03-05"] * 40
    many = executor.run_many(sequences, nows)
    assert [[r.value for r in results] for results in many] == [[n + 1, n] for n in range(40)]
    with Executor(executor.toolbox, workers=1) as alone:
        assert alone.run_many(sequences, nows) == many


@pytest.mark.parametrize(
    ("name", "arguments", "words"),
    [
        ("later", {}, '"n" is a required property'),
        ("later", {"n": "1"}, "n:"),
        ("later", {"n": 1, "m": 2}, "no argument 'm'"),
        ("later", [1], "must be an object"),
        ("later", None, "must be an object"),
        ("later", {"n": float("nan")}, "not JSON"),
        ("give", {"what": "\ud800"}, "not JSON"),
        ("give", {"what": b"x"}, "not JSON"),
        ("types", {"on": "2026-02-30"}, ""),
        ("nothing", {}, "no tool named 'nothing'"),
        (None, {}, "no tool named None"),
        ("only_described", {}, "nothing to run"),
    ],
)
def test_a_call_that_does_not_fit_is_refused_before_it_runs(
    executor: Executor, name: str, arguments: dict, words: str
) -> None:
    result = executor.run(name, arguments)
    assert (result.status, result.value) == ("invalid", None)
    assert words in (result.error or "")
    assert "\n" not in (result.error or "")


def test_time_taken_is_no_part_of_equality() -> None:
    assert CallResult("ok", 1, "1", seconds=1.0) == CallResult("ok", 1, "1", seconds=2.0)


def test_levels_that_are_not_there_are_refused_not_replaced() -> None:
    assert available_level("auto") == available_level("guarded") == "guarded"
    for level in ("confined", "isolated", "open"):
        with pytest.raises(UserError, match=level):
            Executor(Toolbox([]), level)


def test_a_module_that_no_longer_imports_is_the_users_to_mend(write: Callable[..., Path]) -> None:
    path = write('def f():\n    """F."""\n')
    toolbox = read_tools(path)
    path.write_text("raise RuntimeError('changed')\n")
    with Executor(toolbox) as executor, pytest.raises(ToolDefinitionError, match="RuntimeError: changed"):
        executor.run("f", {})


def test_a_closed_executor_leaves_neither_process_nor_folder(
    write: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    toolbox = read_tools(write('def f():\n    """F."""\n    return 1\n'))
    temporary = tmp_path / "t"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    with Executor(toolbox, workers=2) as executor:
        executor.run_many([[("f", {})]] * 4)
        pids = [s._process.pid for s in executor._servers if s._process]
        assert pids
        assert os.listdir(temporary)
    assert not os.listdir(temporary)
    assert not any(Path("/proc", str(pid)).exists() for pid in pids)


def test_ctrl_c_during_a_call_does_not_mix_up_the_next(executor: Executor, monkeypatch: pytest.MonkeyPatch) -> None:
    server = executor._servers[0]
    receive = server._receive
    monkeypatch.setattr(server, "_receive", lambda seconds: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        server.run({"calls": [("later", {"n": 1})], "now": None, "scratch": None}, [("later", {"n": 1})])
    monkeypatch.setattr(server, "_receive", receive)
    assert executor.run("later", {"n": 5}).value == 6


def test_limits_are_frozen_and_have_the_documented_defaults() -> None:
    assert Limits() == Limits(wall_seconds=5.0, cpu_seconds=5, memory_mb=512, output_bytes=65536, file_mb=16)


def test_calls_that_ran_are_counted_and_refused_ones_are_not(read: Callable[[str], Toolbox]) -> None:
    source = """
    PURE = {}

    def half(n: int) -> int:
        '''Halve a number.'''
        return 4 // n
    """
    for pure in ("True", "False"):
        with Executor(read(source.format(pure))) as executor:
            executor.run("half", {"n": 2})
            executor.run("half", {"n": "two"})
            executor.run_many([[("half", {"n": n})] for n in range(20)])
            assert executor.ran == 21
