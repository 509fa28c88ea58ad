"""Hand-written requests: read whole, or refused with the line that is wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lamina.errors import InputError
from lamina.tools.tool import Tool, Toolbox
from lamina.trajectories import ToolCall, read_queries
from lamina.trajectories.queries import kinds

TOOLS = Toolbox(
    [
        Tool("f", "F.", {"type": "object", "properties": {"x": {"type": "integer"}}, "required": ["x"]}),
        Tool("g", "G.", {"type": "object", "properties": {"when": {"type": "string"}}, "required": []}),
    ]
)
F, G = {"name": "f", "arguments": {"x": 1}}, {"name": "g", "arguments": {"when": "tomorrow"}}
GOOD = {"id": "a", "query": "do f", "now": "2026-03-04T10:30:00", "kind": "single", "calls": [F]}


def written(folder: Path, *rows: Any) -> Path:
    path = folder / "queries.jsonl"
    path.write_text("\n".join(r if isinstance(r, str) else json.dumps(r) for r in rows) + "\n", encoding="utf-8")
    return path


def test_a_row_becomes_a_query_with_its_line(tmp_path: Path) -> None:
    other = GOOD | {"id": "b", "kind": "dependent", "calls": [F, G], "accept": [[G, F]], "note": "kept aside"}
    first, second = read_queries(written(tmp_path, GOOD, "", other), TOOLS)
    assert (first.id, first.query, first.now, first.kind) == ("a", "do f", "2026-03-04T10:30:00", "single")
    assert first.calls == [ToolCall.of("f", {"x": 1})]
    assert (second.line, second.accept[0][0].name) == (3, "g")
    assert kinds([first, second]) == {"single": 1, "dependent": 1}


def test_kind_and_id_may_be_left_out(tmp_path: Path) -> None:
    rows = [{"query": "no", "calls": []}, {"query": "f", "calls": [F]}, {"query": "both", "calls": [F, G]}]
    found = read_queries(written(tmp_path, *rows))
    assert [q.kind for q in found] == ["refusal", "single", "parallel"]
    assert [q.id for q in found] == ["queries.jsonl:1", "queries.jsonl:2", "queries.jsonl:3"]


def test_a_query_is_matched_at_its_own_clock_and_dependent_calls_in_order(tmp_path: Path) -> None:
    rows = [
        GOOD | {"kind": "dependent", "calls": [F, G]},
        GOOD | {"id": "p", "kind": "parallel", "calls": [F, G]},
    ]
    dependent, parallel = read_queries(written(tmp_path, *rows), TOOLS)
    turned = [ToolCall.of("g", {"when": "2026-03-05"}), ToolCall.of("f", {"x": 1})]
    assert parallel.match(turned, TOOLS).exact
    assert not dependent.match(turned, TOOLS).exact
    assert dependent.match(turned[::-1], TOOLS).exact


@pytest.mark.parametrize(
    ("row", "what"),
    [
        ("{half", "not JSON"),
        ([1], "a list, not an object"),
        (GOOD | {"query": " "}, "query is missing or empty"),
        (GOOD | {"now": "tomorrow"}, "now is 'tomorrow'"),
        (GOOD | {"calls": None}, "calls is not a list"),
        (GOOD | {"calls": [{"arguments": {}}]}, r"calls\[0\] is no call"),
        (GOOD | {"calls": [{"name": "h", "arguments": {}}]}, "there is no tool 'h'; use one of f, g"),
        (GOOD | {"calls": [{"name": "f", "arguments": {"x": "1"}}]}, r"calls\[0\]: x: "),
        (GOOD | {"accept": [F]}, r"accept\[0\] is not a list"),
        (GOOD | {"accept": [[{"name": "f", "arguments": {}}]]}, r"accept\[0\]\[0\]"),
        (GOOD | {"kind": "refusal"}, "kind is refusal but there is 1 call"),
        (GOOD | {"kind": "odd"}, "kind is 'odd'; make it one of single"),
        (GOOD | {"id": "first"}, "id 'first' is also on line 1"),
    ],
)
def test_a_wrong_row_is_named_by_file_and_line(tmp_path: Path, row: Any, what: str) -> None:
    path = written(tmp_path, GOOD | {"id": "first"}, row)
    with pytest.raises(InputError, match=rf"queries\.jsonl:2: .*{what}"):
        read_queries(path, TOOLS)


def test_a_missing_or_empty_file_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"absent\.jsonl: can't be read"):
        read_queries(tmp_path / "absent.jsonl")
    with pytest.raises(InputError, match=r"queries\.jsonl: holds no queries"):
        read_queries(written(tmp_path, ""))
