"""Records as messy data sets have them: every verb of ``lamina data`` reads them, says what is wrong with a row, and
goes on. (Each was a crash.)"""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from lamina.cli import main

GOOD = {"type": "object", "properties": {"x": {"type": "string"}}, "required": ["x"]}
TOOLS: dict[str, Any] = {
    "a property that may be anything": [{"name": "f", "parameters": {**GOOD, "properties": {"x": True}}}],
    "a branch that may be anything": [
        {"name": "f", "parameters": {"properties": {"x": {"anyOf": [True, {"type": "string"}]}}}}
    ],
    "inner properties that may be": [{"name": "f", "parameters": {"properties": {"x": {"properties": {"y": True}}}}}],
    "no properties": [{"name": "f", "parameters": {"type": "object", "properties": None}}],
    "a list of parameters": [{"name": "f", "parameters": ["x"]}],
    "required by a word": [{"name": "f", "parameters": {**GOOD, "required": True}}],
    "unions of nothing": [{"name": "f", "parameters": {"properties": {"x": {"anyOf": None, "oneOf": ["a"]}}}}],
    "a number for a reference": [{"name": "f", "parameters": {"properties": {"x": {"$ref": 5}}}}],
    "a bare tool with no function": [{"name": "f", "function": None}],
    "bare tools": [{"name": "f", "parameters": GOOD}, {"name": "g", "parameters": GOOD}],
}
VERBS = [
    "check",
    "fix",
    "show",
    "import",
    "stats",
    *(f"augment --by {way}" for way in ("irrelevance", "shuffle-keys", "mask-names", "shuffle-parameters")),
]


def row(tools: Any = None, value: Any = "milk", said: str = "put milk there", **meta: Any) -> dict[str, Any]:
    call = {"type": "function", "function": {"name": "f", "arguments": {"x": value}}}
    return {
        "id": "r",
        "tools": tools or [{"type": "function", "function": {"name": "f", "description": "F.", "parameters": GOOD}}],
        "messages": [{"role": "user", "content": said}, {"role": "assistant", "content": "", "tool_calls": [call]}],
        "meta": {"source": "odd", **meta},
    }


def ran(verb: str, file: Path, out: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """What a verb printed; it ends well or with the user's mistake."""
    words = verb.split()
    out_words = [] if words[0] in ("check", "show", "stats") else ["--out", str(out)]
    status = main(["data", words[0], str(file), *words[1:], *out_words])
    assert status in (0, 1, 2)
    printed = "".join(capsys.readouterr())
    assert "Traceback" not in printed
    return printed


def written(file: Path, *rows: dict[str, Any]) -> Path:
    file.write_text("".join(json.dumps(one) + "\n" for one in rows), "utf-8")
    return file


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("what", TOOLS)
def test_tools_of_odd_shape(what: str, verb: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    ran(verb, written(tmp_path / "odd.jsonl", row(TOOLS[what]), row()), tmp_path / "out.jsonl", capsys)


@pytest.mark.parametrize(
    "odd",
    [
        row(value="❶ buy milk"),
        row(value="2026-03-05", said="since 0001-01-01T00:00:00", now="2026-11-23T10:00:00"),
        row(value="\ud800"),
        row(mended=True),
        row(lost=3),
    ],
    ids=["a bullet that is a digit", "a date before which there is none", "half a pair", "mended", "lost"],
)
@pytest.mark.parametrize("verb", ["check", "fix", "show", "import"])
def test_odd_values(odd: dict[str, Any], verb: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    ran(verb, written(tmp_path / "odd.jsonl", odd), tmp_path / "out.jsonl", capsys)


@pytest.mark.parametrize("verb", ["check", "fix", "import"])
def test_a_foreign_row_of_an_id_that_is_no_text_or_that_is_nested_too_deep(
    verb: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    messages = [{"role": "user", "content": "hello"}, {"role": "assistant", "content": "hello"}]
    deep: Any = "end"
    for _ in range(800):
        deep = [deep]
    rows = [{"id": "\ud800", "messages": messages}, {"id": "1", "messages": messages, "beside": deep}]
    ran(verb, written(tmp_path / "odd.jsonl", *rows), tmp_path / "out.jsonl", capsys)


@pytest.mark.parametrize("verb", ["check", "fix", "import"])
def test_a_table_with_a_picture_and_a_price(verb: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    pyarrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    messages = [{"role": "user", "content": "hello"}, {"role": "assistant", "content": "hello"}]
    one = {"messages": messages, "image": b"\xff\x00", "price": Decimal("1.50"), "day": date(2026, 1, 2)}
    parquet.write_table(pyarrow.Table.from_pylist([one]), tmp_path / "odd.parquet")
    ran(verb, tmp_path / "odd.parquet", tmp_path / "out.jsonl", capsys)
