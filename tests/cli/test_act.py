"""``lamina act`` as scripts see it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

ALWAYS = """
def reply(messages, tools, seed):
    turn = sum(m["role"] == "tool" for m in messages)
    return '[{"name": "scale", "arguments": {"value": %d}}]' % turn
"""


@pytest.fixture
def words(tools_file: Path, tmp_path: Path) -> list[str]:
    """A request to a model that goes on calling, another call each time."""
    (tmp_path / "model.py").write_text(ALWAYS, encoding="utf-8")
    return ["act", "double it", "--tools", str(tools_file), "--model", f"scripted:{tmp_path / 'model.py'}", "--json"]


@pytest.mark.parametrize(
    ("limit", "ending"),
    [(["--turns", "3"], "turns"), (["--max-tokens", "1"], "tokens"), (["--max-seconds", "0"], "time")],
)
def test_each_budget_ends_it_by_its_own_name(lamina, words: list[str], limit: list[str], ending: str):
    assert json.loads(lamina(*words, *limit).out)["metrics"]["ending"] == ending


def test_every_request_to_the_model_and_its_answer_can_be_looked_at(lamina, words: list[str], tmp_path: Path):
    lamina(*words, "--turns", "2", "--asked", tmp_path / "asked.jsonl")
    rows = [json.loads(line) for line in (tmp_path / "asked.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [json.loads(row["reply"]["text"])[0]["arguments"] for row in rows] == [{"value": 0}, {"value": 1}]
    assert rows[0]["request"]["messages"][-1]["content"] == "double it"
    assert [m["role"] for m in rows[1]["request"]["messages"]][-2:] == ["assistant", "tool"]


def test_a_file_that_cannot_be_written_is_one_line(lamina, words: list[str], tmp_path: Path):
    said = lamina(*words, "--asked", tmp_path / "no" / "folder.jsonl")
    assert said.status == 1
    assert "folder.jsonl" in said.errors[-1]


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ("with pleasure", "with pleasure"),
        ('[{"name": "sing", "arguments": {}}]', "there is no function 'sing'"),
        ('[{"name": "scale", "arguments": {"value": "two"}}]', "value"),
        ("", "nothing"),
    ],
)
def test_an_answer_that_is_no_call_is_said_with_what_is_wrong_with_it(
    lamina, words: list[str], tmp_path: Path, answer: str, why: str
):
    (tmp_path / "model.py").write_text(f"def reply(messages, tools, seed):\n    return {answer!r}\n", encoding="utf-8")
    said = lamina(*words[:-1])
    last = said.out.strip().splitlines()[-1]
    assert said.status == 1
    assert last.startswith("the model's answer could not be read as calls: ")
    assert why in last.partition(": ")[2]


@pytest.mark.parametrize("request_", ["", "  "])
def test_an_empty_request_is_the_users_error(lamina, words: list[str], request_: str):
    said = lamina("act", request_, *words[2:])
    assert said.status == 2
    assert "the request is empty" in said.errors[-1]
