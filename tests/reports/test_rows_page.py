"""The page of all rows holds them as data: what a model wrote never becomes markup."""

from __future__ import annotations

import json
import re
from pathlib import Path

from lamina.reports.browsing import write_rows_page
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


def test_a_run_without_rows_has_no_page(tmp_path: Path) -> None:
    assert write_rows_page(tmp_path) is None
