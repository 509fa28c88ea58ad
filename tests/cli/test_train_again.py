"""``lamina train`` as a command, on a tiny random model: what continues a training, and what is another one."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))  # tiny_llama is shared by the rooms' tests

from lamina.runs import Run
from lamina.trajectories import Message, ToolCall, Trajectory
from tiny_llama import desk_toolbox, save_tiny_llama, split_rows

SHORT = """title = "a training of seconds"
base = "embedded"
context = 512
hardware = "any"
peak_is = "computed"
peak_gib = { sft = 0.1, dpo = 0.1 }
[says]
paper = ["nothing"]
ours = ["all"]
[architecture]
model_type = "llama"
[sft]
epochs = 1
batch = 4
learning_rate = 2e-3
max_length = 300
[dpo]
update = "lora"
epochs = 1
batch = 4
learning_rate = 2e-3
lora_rank = 4
max_length = 300
"""


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_llama(tmp_path_factory.mktemp("base"))


def written(file: Path, rows: Sequence[Trajectory]) -> Path:
    tools = desk_toolbox().as_openai()
    file.write_bytes(b"\n".join(row.model_copy(update={"tools": tools}).to_json() for row in rows))
    return file


def answered(row: Trajectory, name: str, arguments: dict[str, Any]) -> Trajectory:
    answer = Message(role="assistant", tool_calls=[ToolCall.of(name, arguments)])
    return row.model_copy(update={"messages": [row.messages[0], answer]})


@pytest.fixture
def command(tmp_path: Path, base: Path) -> list[object]:
    recipe = tmp_path / "short.toml"
    recipe.write_text(SHORT)
    return ["train", tmp_path / "rows.jsonl", "--out", tmp_path / "run", "--base", base, "--recipe", recipe]


def test_a_row_edited_under_its_id_is_another_training(lamina: Any, tmp_path: Path, command: list[object]) -> None:
    rows = split_rows(4)
    written(tmp_path / "rows.jsonl", rows)
    first = lamina(*command, "--json")
    assert first.status == 0, first.err
    assert json.loads(lamina(*command, "--json").out)["metrics"] == json.loads(first.out)["metrics"], "it continues"
    rows[1] = answered(rows[1], "split_bill", {"total": 1, "people": 1})
    written(tmp_path / "rows.jsonl", rows)
    again = lamina(*command)
    assert again.status == 2
    assert "another configuration" in again.err
    assert "rows: " in again.err


def test_other_rejected_answers_are_another_training(lamina: Any, tmp_path: Path, command: list[object]) -> None:
    rows = split_rows(4)
    written(tmp_path / "rows.jsonl", rows)
    answers = tmp_path / "answers.jsonl"

    def say(people: int) -> None:
        calls = [{"name": "split_bill", "arguments": {"total": 1, "people": people}}]
        answers.write_text("".join(json.dumps({"id": row.id, "calls": calls}) + "\n" for row in rows))

    say(1)
    dpo = [*command, "--method", "dpo", "--rejected", answers]
    assert lamina(*dpo).status == 0
    say(2)
    again = lamina(*dpo)
    assert again.status == 2
    assert "rejected_answers: " in again.err


def test_rows_that_are_refused_are_said_and_kept_with_their_reason(
    lamina: Any, tmp_path: Path, command: list[object]
) -> None:
    rows = split_rows(4)
    rows[1] = answered(rows[1], "fly", {"to": "Rome"})
    written(tmp_path / "rows.jsonl", rows)
    said = lamina(*command)
    assert said.status == 0, said.err
    why = "1 (calls fly, which is not among its tools)"
    assert f"rows refused: {why}" in said.err, "before the training"
    assert f"{why}; {tmp_path / 'run' / 'rejects.jsonl'}" in said.out
    (reject,) = map(json.loads, (tmp_path / "run" / "rejects.jsonl").read_text().splitlines())
    assert (reject["id"], reject["stage"], reject["reason"]) == (rows[1].id, "train", "unknown-function")
    assert reject["detail"] == "calls fly, which is not among its tools"
    assert reject["record"]["messages"][0]["content"] == rows[1].request
    assert "refused rows" in (plan := lamina(*command, "--dry-run")).out
    assert why in plan.out


def test_a_dry_run_of_preferences_counts_the_answers_that_are_there(
    lamina: Any, tmp_path: Path, command: list[object]
) -> None:
    rows = split_rows(4)
    written(tmp_path / "rows.jsonl", rows)
    answers = tmp_path / "answers.jsonl"
    answers.write_text(json.dumps({"id": rows[1].id, "calls": []}) + "\n")
    plan = lamina(*command, "--method", "dpo", "--rejected", answers, "--sharding", "ddp", "--dry-run", "--json")
    assert plan.status == 0, plan.err
    told = json.loads(plan.out)
    assert (told["rows"], told["steps"], told["tokens_are"]) == (1, 1, "counted")
    assert {one["reason"] for one in told["refused"]} == {"no answer to compare with"}
    assert told["sharding"].startswith("ddp is counted in main memory alone")
    assert not (tmp_path / "run").exists()


def test_rows_longer_than_is_wanted_are_refused_with_what_to_change(
    lamina: Any, tmp_path: Path, command: list[object]
) -> None:
    written(tmp_path / "rows.jsonl", split_rows(4))
    said = lamina(*command, "--max-length", 20, "--dry-run")
    assert said.status == 2
    (line,) = said.errors
    assert "longer than max_length 20; raise max_length" in line


def test_a_runs_rejects_train_preferences_and_the_answers_stay(
    lamina: Any, tmp_path: Path, command: list[object]
) -> None:
    rows = split_rows(4)
    written(tmp_path / "rows.jsonl", rows)
    made = tmp_path / "made"
    Run.open(made, {"verb": "synth"}).close()
    calls = [{"name": "split_bill", "arguments": {"total": 50, "people": 16}}]
    evidence = [{"argument": "split_bill.people", "verdict": "missing"}]
    record = {"request": "Split 50 between us", "calls": calls, "evidence": evidence}
    (made / "rejects.jsonl").write_text(json.dumps({"record": record}) + "\n")
    said = lamina(*command, "--method", "dpo", "--rejected", made, "--json")
    assert said.status == 0, said.err
    assert json.loads(said.out)["metrics"]["rows"] == 1
    (kept,) = map(json.loads, (tmp_path / "run" / "wrong-answers.jsonl").read_text().splitlines())
    right = next(row.turns[0][0] for row in rows if row.id == kept["id"])
    assert kept["calls"] == [{"name": right.name, "arguments": right.arguments | {"people": 16}}]
