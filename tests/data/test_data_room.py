"""Import, check, fix and export over files: every row ends as a record or as a reject; mending shows; nothing is
dropped unsaid."""

from __future__ import annotations

import json
import random
import sys
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "trajectories"))
from foreign_rows import ASKED, CALL, ROWS, TOOL, as_text

from lamina.checks.recorded_novelty import RecordedNovelty
from lamina.data import (
    Checker,
    Verdict,
    check_sources,
    difference,
    export,
    files_of,
    fix,
    import_sources,
    shape_of,
    shown,
)
from lamina.data.sources import records_of
from lamina.errors import InputError
from lamina.runs import Progress, Run
from lamina.tools import Toolbox, read_tools
from lamina.tools.execution import Executor
from lamina.trajectories import Check, Evidence, Message, Meta, Reject, ToolCall, Trajectory, read_trajectories

QUIET = Progress(silent=True)
TOOLS = '''\
def double(x: int) -> int:
    """Double a number.

    Args:
        x: The number.
    """
    if x < 0:
        raise ValueError("negative")
    return 2 * x
'''


def row(
    id: str, arguments: Any, *, request: str = "double 4", name: str = "double", after: list[Any] | None = None
) -> str:
    call = {"type": "function", "function": {"name": name, "arguments": arguments}}
    messages = [{"role": "user", "content": request}, {"role": "assistant", "tool_calls": [call]}, *(after or [])]
    return json.dumps({"id": id, "messages": messages, "meta": {}}) + "\n"


@pytest.fixture
def executor(tmp_path: Path) -> Any:
    (tmp_path / "tools.py").write_text(TOOLS)
    with Executor(read_tools(tmp_path / "tools.py"), workers=1) as one:
        yield one


def verdicts(file: Path, checker: Checker) -> dict[str, str]:
    found = {}
    for one in check_sources([file], checker):
        reject = one if isinstance(one, Reject) else one.reject
        found[reject.id if reject else one.record.id] = reject.reason if reject else "mended" if one.mended else "ok"  # type: ignore[union-attr]
    return found


def test_rows_are_verified_by_running_them_with_your_functions(executor: Executor, tmp_path: Path):
    said = {"role": "assistant", "content": "It is nine."}
    rows = [
        row("good", {"x": 4}), row("cast", {"x": "4"}), row("unknown", {}, name="halve"), row("raises", {"x": -4}),
        row("invented", {"x": 5}), row("missing", {}), row("right", {"x": 4}, after=[{"role": "tool", "content": "8"}]),
        row("stale", {"x": 4}, after=[{"role": "tool", "content": "9"}]),
        row("false", {"x": 4}, after=[{"role": "tool", "content": "9"}, said]),
        row("more", {"x": 4}, request="double 4 and 17"),
    ]  # fmt: skip
    (tmp_path / "rows.jsonl").write_text("".join(rows))
    assert verdicts(tmp_path / "rows.jsonl", Checker(executor)) == {
        "good": "ok", "cast": "mended", "unknown": "unknown-function", "raises": "raised",
        "invented": "value-not-in-request", "missing": "missing-argument", "right": "ok", "stale": "mended",
        "false": "result-differs", "more": "request-says-more",
    }  # fmt: skip


def test_a_result_that_differs_says_where_the_record_had_no_clock_to_run_at(executor: Executor, tmp_path: Path):
    stale = json.loads(row("stale", {"x": 4}, after=[{"role": "tool", "content": "9"}]))
    clocked = {**stale, "id": "clocked", "meta": {**stale.get("meta", {}), "now": "2026-11-23T10:00:00"}}
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(one) + "\n" for one in (stale, clocked)))
    checker = Checker(executor, skip=["novelty"])
    said = [one.mended[0] for one in check_sources([tmp_path / "rows.jsonl"], checker) if not isinstance(one, Reject)]
    assert said[0] == "message 2 says '9', running the call now (the record has no clock) gives '8'"
    assert said[1] == "message 2 says '9', running the call gives '8'"


def test_grounding_that_is_left_out_is_left_out_of_running_too(executor: Executor, tmp_path: Path):
    rows = [row("invented", {"x": 5}), row("more", {"x": 4}, request="double 4 and 17"), row("raises", {"x": -4})]
    (tmp_path / "rows.jsonl").write_text("".join(rows))
    found = verdicts(tmp_path / "rows.jsonl", Checker(executor, skip=["grounding"]))
    assert found == {"invented": "ok", "more": "ok", "raises": "raised"}


def test_a_record_without_calls_says_nothing_of_execution_and_grounding(executor: Executor, tmp_path: Path):
    told = [Check(name="execution"), Check(name="grounding"), Check(name="refusal")]
    asked, silent = Message(role="user", content="sing"), Message(role="assistant", content="")
    one = Trajectory(id="a", messages=[asked, silent], meta=Meta(checks=told))
    verdict = Checker(executor).check(one)
    assert verdict.rejection is None
    names = [c.name for c in verdict.record.meta.checks]
    assert names == ["refusal", "order", "format", "steps", "reasoning", "results"]


def test_a_record_says_which_checks_it_passed_and_what_was_mended(tmp_path: Path):
    (tmp_path / "rows.jsonl").write_text(
        row("a", {"x": "4"}).replace('"meta"', f'"tools": [{json.dumps(double())}], "meta"')
    )
    (verdict,) = check_sources([tmp_path / "rows.jsonl"], Checker())
    assert not isinstance(verdict, Reject)
    passed = ["order", "format", "steps", "reasoning", "results", "grounding"]
    assert [c.name for c in verdict.record.meta.checks] == passed
    assert verdict.record.meta.model_dump()["mended"] == ["double.x: '4' became 4"]
    changed = [
        line
        for line in difference(verdict.before, verdict.record)
        if line[:1] in "+-" and line[:3] not in ("+++", "---")
    ]
    assert [line[0] + line[1:].strip() for line in changed] == ['-"x": "4"', '+"x": 4']


def double() -> dict[str, Any]:
    parameters = {"type": "object", "properties": {"x": {"type": "integer"}}, "required": ["x"]}
    return {"type": "function", "function": {"name": "double", "description": "d", "parameters": parameters}}


def test_checks_can_be_left_out_and_tools_given(tmp_path: Path):
    (tmp_path / "rows.jsonl").write_text(row("a", {"x": 5}))
    (tmp_path / "tools.py").write_text(TOOLS)
    box = read_tools(tmp_path / "tools.py")
    assert verdicts(tmp_path / "rows.jsonl", Checker()) == {"a": "no-tools"}
    assert verdicts(tmp_path / "rows.jsonl", Checker(toolbox=box)) == {"a": "value-not-in-request"}
    assert verdicts(tmp_path / "rows.jsonl", Checker(toolbox=box, skip=["grounding"])) == {"a": "ok"}


def test_every_row_of_every_format_is_imported_or_rejected(tmp_path: Path):
    files = []
    for name in ROWS:
        files.append(tmp_path / f"{name}.jsonl")
        files[-1].write_text(as_text(name))
    (tmp_path / "odd.jsonl").write_text('{"a": 1}\n{"b": 2}\n')
    with Run.open(tmp_path / "run", {"verb": "import"}) as run:
        found = import_sources([*files, tmp_path / "odd.jsonl"], run, QUIET)
    assert found["accepted"] == len(ROWS)
    assert found["rejected"] == {"unknown-format": 2}
    assert found["read"] == len(ROWS) + 2
    assert found["lost"] == {"tree": 1}
    assert len(list(read_trajectories(tmp_path / "run"))) == len(ROWS)
    assert len((tmp_path / "run" / "rejects.jsonl").read_text().splitlines()) == 2


def test_two_rows_with_one_id_are_both_kept_and_importing_again_doubles_nothing(tmp_path: Path):
    (tmp_path / "rows.jsonl").write_text(row("a", {"x": 1}) + row("a", {"x": 2}) + row("b", {"x": 3}))
    with Run.open(tmp_path / "run", {"verb": "import"}) as run:
        for _ in range(2):
            assert import_sources([tmp_path / "rows.jsonl"], run, QUIET)["accepted"] == 3
    found = list(read_trajectories(tmp_path / "run"))
    assert [t.id for t in found] == ["a", "a#1", "b"]
    assert [t.calls[0].arguments["x"] for t in found] == [1, 2, 3]


def test_fixing_writes_what_passes_and_keeps_the_rest_aside(tmp_path: Path):
    text = (row("good", {"x": 4}) + row("cast", {"x": "4"}) + row("bad", {"y": 4})).replace(
        '"meta"', f'"tools": [{json.dumps(double())}], "meta"'
    )
    (tmp_path / "rows.jsonl").write_text(text)
    seen: list[str] = []
    with Run.open(tmp_path / "run", {"verb": "fix"}) as run:
        found = fix([tmp_path / "rows.jsonl"], run, Checker(), QUIET, lambda v: seen.append(v.record.id))
    assert found == {"read": 3, "accepted": 2, "mended": 1, "rejected": {"unknown-argument": 1}}
    assert seen == ["cast"]
    assert [t.calls[0].arguments for t in read_trajectories(tmp_path / "run")] == [{"x": 4}, {"x": 4}]
    (reject,) = map(json.loads, (tmp_path / "run" / "rejects.jsonl").read_text().splitlines())
    assert reject["record"]["id"] == "bad"


def test_fixing_keeps_the_evidence_of_what_it_does_not_change_and_traces_the_rest_anew(tmp_path: Path):
    brought = Evidence(argument="double.x", verdict="said", words="brought along", by="number")
    rows = []
    for id, arguments, evidence in (
        ("kept", {"x": 4}, [brought]),
        ("cast", {"x": "4"}, [brought]),
        ("new", {"x": 4}, None),
    ):
        one = Trajectory.from_json(row(id, arguments, request=f"double 4 for {id}"))
        checks = [Check(name="grounding", evidence=evidence), Check(name="execution")]
        meta = one.meta.model_copy(update={"checks": checks})
        rows.append(one.model_copy(update={"tools": [double()], "meta": meta}).to_json())
    (tmp_path / "rows.jsonl").write_bytes(b"\n".join(rows))
    with Run.open(tmp_path / "run", {"verb": "fix"}) as run:
        fix([tmp_path / "rows.jsonl"], run, Checker(), QUIET, lambda v: None)
    found = {
        t.id: [e.words for c in t.meta.checks if c.name == "grounding" for e in c.evidence or []]
        for t in read_trajectories(tmp_path / "run")
    }
    assert found == {"kept": ["brought along"], "cast": ["4"], "new": ["4"]}


def said(role: str, content: str = "", *calls: ToolCall) -> Message:
    return Message(role=role, content=content, tool_calls=list(calls) or None)


def test_a_format_without_results_holds_what_a_run_writes_and_counts_the_results(tmp_path: Path):
    f, g = ToolCall.of("f", {"x": 1}), ToolCall.of("g", {})
    one = [said("user", "hi"), said("assistant", "", f), said("tool", "3"), said("assistant", "It is three.")]
    two = [said("user", "both"), said("assistant", "", f, g), said("tool", "3"), said("tool", "4")]
    (tmp_path / "t.jsonl").write_bytes(
        b"\n".join(Trajectory(id=i, messages=m).to_json() for i, m in (("one", one), ("two", two)))
    )
    done = export([tmp_path / "t.jsonl"], "xlam-60k", tmp_path / "out.jsonl", QUIET)
    assert (done.written, done.rejects) == (2, [])
    assert done.lost["results"] == 2
    assert done.lost["answers"] == 1
    written = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [[call["name"] for call in json.loads(row["answers"])] for row in written] == [["f"], ["f", "g"]]


def test_exporting_counts_what_the_format_cannot_hold_and_refuses_what_it_must_not_lose(tmp_path: Path):
    f, g = ToolCall.of("f", {"x": 1}), ToolCall.of("g", {})
    short = [said("user", "hi"), said("assistant", "thinking", f)]
    chain = [*short, said("tool", "3"), said("assistant", "", g), said("tool", "4")]
    again = [*short, said("tool", "3"), said("user", "and now?"), said("assistant", "Nothing more.")]
    rows_ = (("short", short), ("chain", chain), ("again", again))
    (tmp_path / "t.jsonl").write_bytes(b"\n".join(Trajectory(id=i, messages=m).to_json() for i, m in rows_))
    done = export([tmp_path / "t.jsonl"], "xlam-60k", tmp_path / "out.jsonl", QUIET)
    assert done.written == 1
    assert done.lost == {"thoughts": 1}
    assert [(r.id, r.reason) for r in done.rejects] == [(i, "format-cannot-hold") for i in ("chain", "again")]
    assert "cannot hold its calls;" in done.rejects[0].detail
    assert "cannot hold its turns;" in done.rejects[1].detail
    (row_,) = map(json.loads, (tmp_path / "out.jsonl").read_text().splitlines())
    assert json.loads(row_["answers"]) == [{"name": "f", "arguments": {"x": 1}}]
    with pytest.raises(InputError, match="toolbench is only read; write one of"):
        export([tmp_path / "t.jsonl"], "toolbench", tmp_path / "x.jsonl", QUIET)


def test_copies_of_scored_requests_are_not_exported_and_a_part_of_the_split_may_be(tmp_path: Path):
    f = [said("user", "hi"), said("assistant", "", ToolCall.of("f", {"x": 1}))]
    parts = ("train", "test", "contaminated")
    made = [Trajectory(id=part, messages=f, meta=Meta(split=part, contaminated="BFCL.json 7: hi")) for part in parts]
    (tmp_path / "t.jsonl").write_bytes(b"\n".join(one.to_json() for one in made))

    def written(split: str | None) -> list[str]:
        done = export([tmp_path / "t.jsonl"], "jsonl", tmp_path / "out.jsonl", QUIET, split=split)
        (aside,) = done.rejects
        assert (aside.id, aside.reason, aside.detail) == ("contaminated", "contaminated", "a copy of BFCL.json 7: hi")
        return [json.loads(line)["id"] for line in (tmp_path / "out.jsonl").read_text().splitlines()]

    assert written(None) == ["train", "test"]
    assert written("train") == ["train"]


def test_folders_runs_and_files_are_data_and_anything_else_is_told(tmp_path: Path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x.json").write_text("[]")
    (tmp_path / "a" / "LICENSE.txt").write_text("words")
    assert files_of([tmp_path / "a"]) == [tmp_path / "a" / "x.json"]
    (tmp_path / "a" / "trajectories.jsonl").write_text("")
    assert files_of([tmp_path / "a"]) == [tmp_path / "a" / "trajectories.jsonl"]
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="holds no data files"):
        files_of([tmp_path / "empty"])
    with pytest.raises(InputError, match="is not there"):
        files_of([tmp_path / "none"])


def test_the_shape_of_a_data_set_is_counted(tmp_path: Path):
    (tmp_path / "a.jsonl").write_text(as_text("openai") + as_text("openai") + "{\n")
    found = shape_of(records_of([tmp_path / "a.jsonl"]))
    assert found["records"] == 2
    assert found["rejected"] == {"unreadable": 1}
    assert found["with_results"] == 2
    assert found["messages"] == {"least": 4, "median": 4, "most": 4}


def test_a_record_is_shown_as_a_person_would_read_it(tmp_path: Path):
    (tmp_path / "a.jsonl").write_text(as_text("openai"))
    (one,) = read_trajectories(tmp_path / "a.jsonl")
    text = "\n".join(shown(one))
    assert "tool get_weather(city: string, days?: integer)  The weather of a city." in text
    assert f"User says: {ASKED}" in text
    assert "Assistant calls get_weather(city='Paris', days=2)" in text
    assert 'Result of get_weather: {"sky": "clear"}' in text
    one.messages[0].content = "\x1b[31mred\x07"
    assert "\x1b" not in "\n".join(shown(one))


def test_memory_does_not_grow_with_the_rows(tmp_path: Path):
    def peak(n: int) -> int:
        file = tmp_path / f"{n}.jsonl"
        line = {"messages": [{"role": "user", "content": "weather in Paris " + "x" * 900},
                             {"role": "assistant", "tool_calls": [{"type": "function", "function": CALL}]}],
                "tools": [TOOL]}  # fmt: skip
        file.write_text((json.dumps(line) + "\n") * n)
        tracemalloc.start()
        count = sum(1 for _ in check_sources([file], Checker()))
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert count == n
        return most

    peak(10)
    assert peak(1000) < peak(100) + 500_000


@pytest.mark.parametrize("to", ["jsonl", "trl", "openai", "sharegpt"])
def test_what_is_exported_loads_with_datasets_as_it_is(to: str, tmp_path: Path):
    datasets = pytest.importorskip("datasets")
    (tmp_path / "a.jsonl").write_text(as_text("openai"))
    (kept,) = read_trajectories(tmp_path / "a.jsonl")
    shapes: list[Any] = [{"x": 1}, {"x": "one"}, {"x": [1, {"y": None}]}, {}]
    records = []
    for number, arguments in enumerate(shapes * 20):
        one = kept.model_copy(deep=True)
        one.id, one.calls[0].function.arguments = f"r{number}", arguments
        records.append(one)
    (tmp_path / "t.jsonl").write_bytes(b"\n".join(one.to_json() for one in records))
    export([tmp_path / "t.jsonl"], to, tmp_path / "out.jsonl", QUIET)
    found = datasets.load_dataset(
        "json", data_files=str(tmp_path / "out.jsonl"), split="train", cache_dir=str(tmp_path / "cache")
    )
    assert len(found) == len(records)
    if to == "sharegpt":
        said = [next(t["value"] for t in row["conversations"] if t["from"] == "function_call") for row in found]
        assert [json.loads(text)["arguments"] for text in said] == shapes * 20
    else:
        given = [row["messages"][1]["tool_calls"][0]["function"]["arguments"] for row in found]
        assert [json.loads(a) if isinstance(a, str) else a for a in given] == shapes * 20


LONG = '''\
def page(x: int) -> str:
    """Print a page.

    Args:
        x: Its number.
    """
    return str(x) * 200_000
'''


def test_a_result_that_was_cut_is_marked_and_one_that_somebody_recorded_whole_is_not(tmp_path: Path):
    (tmp_path / "tools.py").write_text(LONG)
    whole = json.dumps("4" * 200_000)
    more = [{"role": "assistant", "content": "There it is."}]
    rows = [
        row("cut", {"x": 4}, name="page", request="page 4", after=[{"role": "tool", "content": "old"}]),
        row("whole", {"x": 4}, name="page", request="page 4", after=[{"role": "tool", "content": whole}, *more]),
        row("wrong", {"x": 4}, name="page", request="page 4", after=[{"role": "tool", "content": "null"}, *more]),
    ]
    (tmp_path / "rows.jsonl").write_text("".join(rows))
    with Executor(read_tools(tmp_path / "tools.py"), workers=1) as executor:
        found = [one for one in check_sources([tmp_path / "rows.jsonl"], Checker(executor)) if isinstance(one, Verdict)]
    cut, kept, wrong = found
    assert cut.record.truncated == [0]
    assert len(cut.record.messages[-1].content) == executor.limits.output_bytes
    assert Trajectory.from_json(cut.record.to_json()).truncated == [0]
    assert "that result is cut: the record holds its first 65,536 characters" in "\n".join(shown(cut.record))
    assert (kept.rejection, kept.mended, kept.record.truncated) == (None, [], [])
    assert kept.record.messages[2].content == whole
    assert wrong.rejection is not None
    assert wrong.rejection.reason == "result-differs", "half a JSON text has no value, but it is not null"


def copy_of(id: str, *, request: str = "double 4", tools: Any = None, x: Any = 4, more: list[Any] | None = None) -> str:
    call = {"type": "function", "function": {"name": "double", "arguments": {"x": x}}}
    said = [{"role": "user", "content": request}, {"role": "assistant", "tool_calls": [call]}, *(more or [])]
    return json.dumps({"id": id, "tools": tools or [double()], "messages": said, "meta": {}}) + "\n"


def test_a_copy_has_the_same_request_calls_and_tools(tmp_path: Path):
    other = {"type": "function", "function": {**double()["function"], "name": "halve"}}
    ended = [{"role": "tool", "content": "8"}, {"role": "assistant", "content": "8"}]
    again = [*ended, {"role": "user", "content": "and 5?"}, {"role": "assistant", "content": "No."}]
    rows = [
        copy_of("one"),
        copy_of("same", request="Double  4!"),
        copy_of("mended", x="4"),
        copy_of("with its result", more=[{"role": "tool", "content": "8"}]),
        copy_of("other tools on offer", tools=[double(), other]),
        copy_of("goes on to the end", more=ended),
        copy_of("a second request", more=again),
        copy_of("another value", request="double 5", x=5),
    ]
    (tmp_path / "rows.jsonl").write_text("".join(rows))
    found = verdicts(tmp_path / "rows.jsonl", Checker(novelty=RecordedNovelty()))
    assert found == {
        "one": "ok", "same": "duplicate", "mended": "duplicate", "with its result": "duplicate",
        "other tools on offer": "ok", "goes on to the end": "ok", "a second request": "ok", "another value": "ok",
    }  # fmt: skip


def test_of_records_without_calls_the_answer_counts(tmp_path: Path):
    def said(id: str, answer: str) -> str:
        messages = [{"role": "user", "content": "hello"}, {"role": "assistant", "content": answer}]
        return json.dumps({"id": id, "tools": [double()], "messages": messages, "meta": {}}) + "\n"

    (tmp_path / "rows.jsonl").write_text(said("a", "Hi!") + said("b", "Good day.") + said("c", "hi"))
    found = verdicts(tmp_path / "rows.jsonl", Checker(novelty=RecordedNovelty()))
    assert found == {"a": "ok", "b": "ok", "c": "duplicate"}


def test_near_copies_are_sought_where_asked_among_records_that_call_the_same_tools(tmp_path: Path):
    wider = double()
    wider["function"]["parameters"] = {**wider["function"]["parameters"], "required": []}
    talk = [{"role": "tool", "content": "8"}, {"role": "user", "content": "thanks, that is all that I wanted to know"},
            {"role": "assistant", "content": "You are welcome."}]  # fmt: skip
    made = json.loads(copy_of("made of it", request="please double the number 9 for me", x=9))
    made["meta"]["augmented"] = [{"by": "widen", "seed": 0}]
    rows = [
        copy_of("one", request="please double the number 4 for me"),
        copy_of("near", request="please double the number 5 for me", x=5),
        copy_of("a tool of that name", request="please double the number 6 for me", x=6, tools=[wider]),
        copy_of("goes on", request="please double the number 7 for me", x=7, more=talk),
        json.dumps(made) + "\n",
    ]
    (tmp_path / "rows.jsonl").write_text("".join(rows))
    near = verdicts(tmp_path / "rows.jsonl", Checker(novelty=RecordedNovelty(near=0.7)))
    assert [id for id, verdict in near.items() if verdict != "ok"] == ["near"]
    assert near["near"] == "near-duplicate"
    assert set(verdicts(tmp_path / "rows.jsonl", Checker(novelty=RecordedNovelty())).values()) == {"ok"}


def test_a_shape_of_calls_may_be_capped(tmp_path: Path):
    rows = [copy_of(str(x), request=f"double {x}", x=x) for x in range(4)]
    (tmp_path / "rows.jsonl").write_text("".join(rows))
    found = verdicts(tmp_path / "rows.jsonl", Checker(novelty=RecordedNovelty(per_call=2)))
    assert list(found.values()) == ["ok", "ok", "over-share", "over-share"]


def test_a_record_costs_novelty_some_hundred_bytes():
    rng, tools = random.Random(0), [double() for _ in range(40)]
    novelty, toolbox = RecordedNovelty(near=0.7, per_call=10_000), Toolbox.from_openai([double()])

    def see(n: int) -> None:
        words = " ".join(f"word{rng.randrange(500)}" for _ in range(15))
        call = ToolCall.of("double", {"x": n})
        messages = [Message(role="user", content=words), Message(role="assistant", tool_calls=[call])]
        assert novelty.check(Trajectory(id=f"rows.jsonl:{n}", tools=tools, messages=messages), toolbox) is None

    for n in range(200):
        see(n)
    tracemalloc.start()
    for n in range(200, 1200):
        see(n)
    grown = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert grown / 1000 < 500, "bytes a record"
