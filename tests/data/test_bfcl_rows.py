"""Rows of BFCL's kinds are made of records by ``benchmarks/bfcl_rows.py``: who calls what, and what is on offer."""

from __future__ import annotations

import sys
from pathlib import Path

from lamina.trajectories import Message, Meta, ToolCall, Trajectory

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
from bfcl_rows import SHARES, Forms, choose, first_answer, kinds_of, name_of

NAMES = [f"{verb}_{noun}" for verb in ("paint", "weigh", "rent") for noun in ("barrel", "violin", "canoe", "tractor")]


def tool(name: str):
    parameters = {"type": "object", "properties": {"of": {"type": "string"}}, "required": ["of"]}
    return {"type": "function", "function": {"name": name, "description": name, "parameters": parameters}}


POOL = {name: tool(name) for name in NAMES}


def record(id: str, called: list[tuple[str, str]], offered: list[str], source: str = "here") -> Trajectory:
    calls = [ToolCall.of(name, {"of": value}) for name, value in called]
    messages = [Message(role="user", content=f"{id} please"), Message(role="assistant", tool_calls=calls or None)]
    return Trajectory(id=id, tools=[POOL[n] for n in offered], messages=messages, meta=Meta(source=source))


def forms(one: Trajectory, fits=lambda row: True) -> dict[str, Trajectory]:
    found = {kind: Forms(POOL, fits, seed=0).row(one, kind) for kind in kinds_of(one)}
    return {kind: row for kind, row in found.items() if row is not None}


def chosen_of(rows: list[Trajectory], count: int, seed: int) -> list[Trajectory]:
    return choose({one.id: one for one in rows}, Forms(POOL, lambda row: True, seed), count, seed)


def offered(row: Trajectory) -> list[str]:
    return [name_of(one) for one in row.tools]


def test_a_record_of_one_call_can_stand_alone_among_others_or_without_its_tool():
    made = forms(record("a", [("paint_barrel", "oak")], ["paint_barrel"]))
    assert set(made) == {"simple", "multiple", "irrelevance"}
    assert offered(made["simple"]) == ["paint_barrel"]
    assert "paint_barrel" in offered(made["multiple"])
    assert 2 <= len(made["multiple"].tools) <= 4
    assert not made["irrelevance"].calls
    assert made["irrelevance"].tools
    assert not any({"paint", "barrel"} & set(name.split("_")) for name in offered(made["irrelevance"]))


def test_several_calls_are_parallel_by_whether_they_are_of_one_function():
    one = forms(record("a", [("paint_barrel", "oak"), ("paint_barrel", "ash")], ["paint_barrel", "rent_canoe"]))
    two = forms(record("b", [("paint_barrel", "oak"), ("rent_canoe", "red")], ["paint_barrel", "rent_canoe"]))
    assert {kind: offered(row) for kind, row in one.items()} == {"parallel": ["paint_barrel"]}
    assert set(two) == {"parallel_multiple"}
    assert {"paint_barrel", "rent_canoe"} <= set(offered(two["parallel_multiple"]))


def test_a_call_that_waits_for_another_is_no_first_answer():
    waits = record("a", [("paint_barrel", "oak"), ("rent_canoe", "API_call_0")], ["paint_barrel", "rent_canoe"])
    assert first_answer(waits) is None
    assert first_answer(record("b", [("paint_barrel", "oak")], ["paint_barrel"])) is not None


def test_others_are_left_out_until_a_row_is_short_enough():
    one = record("a", [("paint_barrel", "oak")], ["paint_barrel"])
    assert len(forms(one, lambda row: len(row.tools) <= 2)["multiple"].tools) == 2
    assert "multiple" not in forms(one, lambda row: len(row.tools) < 2)


def test_rows_are_chosen_by_their_shares_each_record_once_while_there_are_others():
    rows = [record(f"single {i}", [(NAMES[i % 12], "x")], [NAMES[i % 12]]) for i in range(200)]
    rows += [record(f"same {i}", [(NAMES[i % 12], "x"), (NAMES[i % 12], "y")], [NAMES[i % 12]]) for i in range(40)]
    rows += [record(f"other {i}", [(NAMES[0], "x"), (NAMES[1], "y")], NAMES[:2]) for i in range(40)]
    chosen = chosen_of(rows, 100, seed=3)
    assert {kind: sum(row.meta.style == kind for row in chosen) for kind in SHARES} == {
        kind: round(100 * share) for kind, share in SHARES.items()
    }
    assert len({row.id.partition("@")[0] for row in chosen}) == len(chosen)
    assert [row.id for row in chosen_of(rows, 100, seed=3)] == [row.id for row in chosen]


def test_one_source_does_not_fill_a_kind():
    rows = [record(f"d{i}", [(NAMES[i % 12], "x")], [NAMES[i % 12]], "desk") for i in range(100)]
    chosen = chosen_of(rows, 100, seed=0)
    assert sum(row.meta.style == "simple" for row in chosen) == int(0.15 * round(100 * SHARES["simple"]))
