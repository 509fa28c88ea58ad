"""The page of all rows holds them as data: what a model wrote never becomes markup."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from lamina.reports.browsing import write_page, write_rows_page
from lamina.runs import RecordStore, Row
from lamina.runs.run import STORE

EVIL = "</script><script>alert(1)</script><!--"


def folder_with(tmp_path: Path) -> Path:
    call = {"type": "function", "function": {"name": "f", "arguments": {"x": EVIL}}}
    passed = {
        "id": "a",
        "tools": [{"type": "function", "function": {"name": "f"}}],
        "messages": [{"role": "user", "content": EVIL}, {"role": "assistant", "content": "", "tool_calls": [call]}],
        "meta": {
            "style": "simple",
            "writer": "w",
            "wording": "terse",
            "checks": [{"name": "grounding", "evidence": [{"argument": "f.x", "verdict": "said", "words": EVIL}]}],
        },
    }
    record = {"request": "no", "calls": [{"name": "g", "arguments": {}}], "style": "simple", "writer": "w"}
    record["evidence"] = [{"argument": "g.y", "verdict": "missing"}, {"argument": "g.z", "verdict": "default"}]
    reject = {"id": "b", "stage": "grounding", "reason": "not-asked", "detail": EVIL, "record": record}
    with RecordStore(tmp_path / STORE) as store:
        rows = [
            Row("trajectory", "a", 0, json.dumps(passed).encode()),
            Row("reject", "b", 1, json.dumps(reject).encode()),
        ]
        store.put(rows)
    return tmp_path


def test_rows_stand_in_the_page_as_data(tmp_path: Path) -> None:
    page = write_rows_page(folder_with(tmp_path))
    assert page is not None
    source = page.read_text()
    assert EVIL not in source
    assert source.count("<script") == 2
    held = re.search(r'<script type="application/json" id="data">(.*?)</script>', source, re.DOTALL)
    assert held is not None
    data = json.loads(held[1])
    assert data["all"] == {"passed": 1, "rejected": 1}
    passed, rejected = data["rows"]
    assert passed["steps"][0]["text"] == EVIL
    assert passed["tools"] == ["f"]
    assert (rejected["stage"], rejected["reason"], rejected["tools"]) == ("grounding", "not-asked", ["g"])
    assert passed["evidence"] == [f"f.x: “{EVIL}”"]
    assert rejected["evidence"] == ["g.y: not said", "g.z: the default"]
    assert "innerHTML" not in source


def test_rows_can_be_filtered_by_the_category_of_the_tools_they_call(tmp_path: Path) -> None:
    page = write_rows_page(folder_with(tmp_path), {"f": "music", "g": "maps", "h": "none of these"})
    assert page is not None
    source = page.read_text()
    held = re.search(r'<script type="application/json" id="data">(.*?)</script>', source, re.DOTALL)
    assert held is not None
    assert [row["category"] for row in json.loads(held[1])["rows"]] == [["music"], ["maps"]]
    assert '["category", "category"]' in source


def test_a_run_without_rows_has_no_page(tmp_path: Path) -> None:
    assert write_rows_page(tmp_path) is None


def test_of_many_rows_the_page_has_some_of_all_of_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rows of a run stand in the order of their writers: the first ones would all be the grammar's."""
    monkeypatch.setattr("lamina.reports.browsing.MOST", 4)
    with RecordStore(tmp_path / STORE) as store:
        rows = [(str(n), {"id": str(n), "messages": []}) for n in range(10)]
        store.put([Row("trajectory", id, int(id), json.dumps(row).encode()) for id, row in rows])
    page = write_rows_page(tmp_path)
    assert page is not None
    held = re.search(r'<script type="application/json" id="data">(.*?)</script>', page.read_text(), re.DOTALL)
    assert held is not None
    data = json.loads(held[1])
    shown = [int(row["id"]) for row in data["rows"]]
    assert len(shown) == 4
    assert shown == sorted(shown), "in the order of the run"
    assert max(shown) > 4
    assert data["all"] == {"passed": 10, "rejected": 0}
    assert data["seed"] == 0
    assert "drawn evenly from all of them with seed" in page.read_text()


def test_a_result_that_was_cut_says_so(tmp_path: Path) -> None:
    call = {"type": "function", "function": {"name": "f", "arguments": {}}}
    record = {
        "id": "a",
        "messages": [
            {"role": "user", "content": "two pages"},
            {"role": "assistant", "content": "", "tool_calls": [call, call]},
            {"role": "tool", "content": "short"},
            {"role": "tool", "content": "x" * 65_536},
        ],
        "meta": {"truncated": [1]},
    }
    page = write_page(tmp_path / "rows.html", [record, {**record, "meta": {"truncated": True}}], [], {"passed": 2})
    held = re.search(r'<script type="application/json" id="data">(.*?)</script>', page.read_text(), re.DOTALL)
    assert held is not None
    ours, foreign = json.loads(held[1])["rows"]
    assert [step.get("note") for step in ours["steps"]] == [
        None, None, None, "cut: the record holds the first 65,536 characters",
    ]  # fmt: skip
    assert not any("note" in step for step in foreign["steps"]), "what somebody else means by it is not ours"


def test_the_filters_stay_readable_over_the_rows_that_pass_under_them(tmp_path: Path):
    page = write_page(tmp_path / "rows.html", [], [], {"passed": 0}).read_text("utf-8")
    (bar,) = re.findall(r"\.filters\{([^}]*position:sticky[^}]*)\}", page)
    assert "background:var(--paper)" in bar, "the parent has no background to inherit"
    (narrow,) = re.findall(r"@media \(max-width:760px\)\{\.filters\{([^}]*)\}", page)
    assert "position:static" in narrow, "ten filters would cover the screen of a phone"
