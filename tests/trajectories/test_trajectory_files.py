"""Trajectories on disk: in the record form, through the store, with bad lines told."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lamina.errors import InputError
from lamina.runs import RecordStore
from lamina.trajectories import (
    Check,
    Message,
    Meta,
    Reject,
    ToolCall,
    Trajectory,
    TrajectoryStore,
    formats,
    read_trajectories,
    write_trajectories,
)

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(-1e300, 1e300) | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=5,
)
objects = st.dictionaries(text, json_values, max_size=3)
tool_calls = st.builds(ToolCall.of, text, objects, st.none() | text)
messages = st.builds(
    Message,
    role=st.sampled_from(["system", "user", "assistant", "tool"]),
    content=text,
    tool_calls=st.none() | st.lists(tool_calls, max_size=2),
    name=st.none() | text,
)
metas = st.builds(
    Meta,
    source=text,
    seed=st.none() | st.integers(0, 9),
    now=st.none() | text,
    checks=st.lists(st.builds(Check, name=text), max_size=2),
)
trajectories = st.builds(
    Trajectory,
    id=text,
    tools=st.lists(objects, max_size=1),
    messages=st.lists(messages, max_size=3),
    meta=metas,
)


def small(id: str, split: str | None = None) -> Trajectory:
    call = ToolCall.of("f", {"x": 1, "nested": {"a": None}})
    spoken = [Message(role="user", content="do f"), Message(role="assistant", tool_calls=[call])]
    return Trajectory(id=id, messages=spoken, meta=Meta(split=split))


def test_a_null_argument_survives_the_file(tmp_path: Path) -> None:
    kept = small("a")
    kept.messages[1].tool_calls[0].function.arguments["note"] = None  # type: ignore[index]
    write_trajectories(tmp_path / "t.jsonl", [kept])
    assert next(read_trajectories(tmp_path / "t.jsonl")).calls[0].arguments == kept.calls[0].arguments


@given(st.lists(trajectories, max_size=3))
def test_what_is_written_is_read_back(tmp_path_factory: pytest.TempPathFactory, some: list[Trajectory]) -> None:
    path = tmp_path_factory.mktemp("t") / "t.jsonl"
    assert write_trajectories(path, some) == len(some)
    assert list(read_trajectories(path)) == some
    assert len(path.read_bytes().splitlines()) == len(some)


@given(trajectories)
def test_writing_what_was_read_changes_no_byte(one: Trajectory) -> None:
    assert Trajectory.from_json(one.to_json()).to_json() == one.to_json()


def test_what_a_model_may_invent_is_stored_too(tmp_path: Path) -> None:
    odd = small("a")
    odd.messages[1].tool_calls[0].function.arguments["n"] = 10**30  # type: ignore[index]
    wild = Reject(id="r", stage="format", reason="unreadable", detail="", raw="half \ud83d of a pair")
    with RecordStore(tmp_path / "records.sqlite") as rows:
        store = TrajectoryStore(rows)
        store.add([(0, odd), (1, wild)])
        assert next(store.trajectories()).calls[0].arguments["n"] == 10**30
        assert next(store.rejects()).raw == "half ? of a pair"


def test_unknown_keys_are_kept(tmp_path: Path) -> None:
    row = json.loads(small("a").to_json()) | {"rating": 5}
    row["meta"]["country"] = "FI"
    (tmp_path / "t.jsonl").write_text(json.dumps(row))
    (found,) = read_trajectories(tmp_path / "t.jsonl")
    assert json.loads(found.to_json()) == row


BAD = {
    "{half": "Invalid JSON",
    '{"id": "b"}': "messages: Field required",
    '{"id": "b", "messages": [{"role": "robot"}]}': r"messages\.0\.role: ",
    "[1, 2]": "valid dictionary|object",
}


@pytest.mark.parametrize("line", BAD)
def test_a_bad_line_is_an_error_with_file_and_line(tmp_path: Path, line: str) -> None:
    path = tmp_path / "t.jsonl"
    path.write_bytes(small("a").to_json() + b"\n\n" + line.encode() + b"\n")
    reading = read_trajectories(path)
    assert next(reading).id == "a"
    with pytest.raises(InputError, match=rf"t\.jsonl:3: .*({BAD[line]})"):
        next(reading)


def test_with_a_callback_bad_lines_become_rejects_and_the_rest_is_read(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    lines = [
        b"\xef\xbb\xbf" + small("a").to_json(),
        *(bad.encode() for bad in BAD),
        b"\xff\xfe",
        small("z").to_json(),
    ]
    path.write_bytes(b"\r\n".join(lines))
    rejects: list[Reject] = []
    assert [t.id for t in read_trajectories(path, rejects.append)] == ["a", "z"]
    assert [r.id for r in rejects] == [f"{path}:{n}" for n in range(2, 7)]
    assert {r.reason for r in rejects} == {"unreadable"}
    assert rejects[0].raw == "{half"


def test_a_missing_file_and_an_unknown_format_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"absent\.jsonl: can't be read"):
        next(read_trajectories(tmp_path / "absent.jsonl"))
    with pytest.raises(InputError, match=r"there is no format 'parquett'; use one of .*jsonl"):
        read_trajectories(tmp_path, format="parquett")
    assert set(formats.formats()) >= {"jsonl"}


def test_reading_takes_flat_memory(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    write_trajectories(path, (small(str(n)) for n in range(5000)))
    tracemalloc.start()
    assert sum(1 for _ in read_trajectories(path)) == 5000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < path.stat().st_size / 2
    assert peak < 1_000_000


def test_a_file_that_could_not_be_finished_does_not_replace_the_old_one(tmp_path: Path) -> None:
    def broken() -> object:
        yield small("new")
        raise RuntimeError

    path = tmp_path / "t.jsonl"
    write_trajectories(path, [small("old")])
    with pytest.raises(RuntimeError):
        write_trajectories(path, broken())  # type: ignore[arg-type]
    assert [t.id for t in read_trajectories(path)] == ["old"]
    assert [p.name for p in tmp_path.iterdir()] == ["t.jsonl"]


def test_the_store_gives_rows_their_type_and_exports_the_record_form(tmp_path: Path) -> None:
    reject = Reject(id="r", stage="checks", reason="raised", detail="It raised.", record={"id": "r"})
    with RecordStore(tmp_path / "records.sqlite") as rows:
        store = TrajectoryStore(rows)
        assert store.add([(1, small("b", "test")), (0, small("a", "train")), (2, reject)]) == 3
        assert store.add([(1, small("b")), (3, small("c"))]) == 1
        assert [t.id for t in store.trajectories()] == ["a", "b", "c"]
        assert [t.id for t in store.trajectories("test")] == ["b"]
        store.update((3, small("c", "test")))
        assert [t.id for t in store.trajectories("test")] == ["b", "c"]
        assert list(store.rejects()) == [reject]
        assert store.count() == 3
        assert store.export(tmp_path) == {"trajectories.jsonl": 3, "rejects.jsonl": 1}
    assert [t.id for t in read_trajectories(tmp_path)] == ["a", "b", "c"]
    line = json.loads((tmp_path / "rejects.jsonl").read_text())
    assert line == reject.model_dump()
    assert line["raw"] is None
