"""``lamina bench score``: anybody's answers in, the contract's JSON out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

SAMPLE = Path(__file__).parents[1] / "bench" / "bfcl_sample"


def answers(path: Path, *rows: object) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def right(category: str) -> list[dict[str, object]]:
    """One right answer a row, by the official checker."""
    found: dict[str, dict[str, object]] = {}
    for line in (SAMPLE / "verdicts.jsonl").read_text().splitlines():
        case = json.loads(line)
        if case["task"] == f"bfcl:{category}" and case["valid"]:
            found[case["id"]] = {"id": case["id"], "calls": case["calls"]}
    return list(found.values())


def test_the_result_is_what_scripts_rely_on(lamina, tmp_path: Path):
    rows = right("simple_java")
    wrong = rows[0] | {"calls": []}
    file = answers(tmp_path / "a.jsonl", wrong, *rows[1:-1], {"id": "nobody", "calls": []})
    said = lamina("bench", "score", "bfcl:simple_java", file, "--data", SAMPLE, "--json")
    assert said.status == 0
    found = json.loads(said.out)
    n = len(rows) - 1
    assert (found["task"], found["n"], found["right"]) == ("bfcl:simple_java", n, n - 1)
    assert found["accuracy"] == pytest.approx((n - 1) / n)
    assert found["low"] < found["accuracy"] < found["high"]
    assert found["scores"] == {row["id"]: row is not wrong for row in [wrong, *rows[1:-1]]}
    assert list(found["problems"]) == [wrong["id"]]
    assert rows[-1]["id"] in found["unanswered"]
    assert found["unknown"] == ["nobody"]


def test_arguments_may_be_json_text(lamina, tmp_path: Path):
    rows = right("parallel")
    for row in rows:
        row["calls"] = [c | {"arguments": json.dumps(c["arguments"])} for c in row["calls"]]  # type: ignore[attr-defined]
    file = answers(tmp_path / "a.jsonl", *rows)
    found = json.loads(lamina("bench", "score", "bfcl:parallel", file, "--data", SAMPLE, "--json").out)
    assert found["accuracy"] == 1.0


def test_people_are_told_what_is_wrong_and_what_was_not_scored(lamina, tmp_path: Path):
    rows = right("multiple")
    file = answers(tmp_path / "a.jsonl", rows[0] | {"calls": []}, {"id": "nobody", "calls": None})
    said = lamina("bench", "score", "bfcl:multiple", file, "--data", SAMPLE)
    assert f"wrong: {rows[0]['id']}: 0 calls, not 1" in said.out
    assert "samples have no answer" in said.out
    assert "answers are to no sample of the task (nobody)" in said.out


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ("{", ":1: not JSON"),
        ('{"id": "a"}', ":1: an answer needs an id and calls"),
        ('\n{"id": "a", "calls": []}\n{"id": "a", "calls": []}', ":3: 'a' is answered on line 2 already"),
    ],
)
def test_a_line_that_is_no_answer_is_named(lamina, tmp_path: Path, lines: str, says: str):
    file = tmp_path / "a.jsonl"
    file.write_text(lines, encoding="utf-8")
    said = lamina("bench", "score", "bfcl:multiple", file, "--data", SAMPLE)
    assert said.status == 2
    assert len(said.errors) == 1
    assert says in said.errors[0]


def test_your_own_requests_are_scored_by_meaning(lamina, tools_file: Path, tmp_path: Path):
    queries = answers(
        tmp_path / "q.jsonl",
        {"id": "1", "query": "double 12", "calls": [{"name": "scale", "arguments": {"value": 12}}]},
        {"id": "2", "query": "sing", "calls": []},
    )
    given = answers(
        tmp_path / "a.jsonl",
        {"id": "1", "calls": [{"name": "scale", "arguments": {"value": 12.0, "factor": 2}}]},
        {"id": "2", "calls": [{"name": "note", "arguments": {"text": "la"}}]},
    )
    said = lamina("bench", "score", f"own:{queries}", given, "--tools", tools_file, "--json")
    assert json.loads(said.out)["scores"] == {"1": True, "2": False}


def test_a_model_is_benched_on_rows_that_bring_their_own_functions_and_two_runs_compare(lamina, tmp_path: Path):
    rows = {row["id"]: row["calls"] for row in right("parallel")}
    asked = {
        json.loads(line)["question"][0][0]["content"]: rows.get(json.loads(line)["id"])
        for line in (SAMPLE / "BFCL_v4_parallel.json").read_text().splitlines()
    }
    for name, answer in (("good", "json.dumps(RIGHT[asked])"), ("silent", "'[]'")):
        source = (
            f"import json\nRIGHT = json.loads({json.dumps(asked)!r})\n\n\ndef reply(messages, tools, seed):\n"
            f"    asked = [m['content'] for m in messages if m['role'] == 'user'][-1]\n    return {answer}\n"
        )
        (tmp_path / f"{name}.py").write_text(source, encoding="utf-8")
        said = lamina(
            "bench", f"scripted:{tmp_path / name}.py", "--tasks", "bfcl:parallel", "--data", SAMPLE, "--limit", 4,
            "--out", tmp_path / name, "--json",
        )  # fmt: skip
        assert said.status == 0, said.err
        (row,) = [r for r in json.loads(said.out)["rows"] if r["metric"] == "accuracy"]
        assert (row["task"], row["n"], row["value"]) == ("bfcl:parallel", 4, 1.0 if name == "good" else 0.0)
    found = json.loads(lamina("bench", "compare", tmp_path / "silent", tmp_path / "good", "--json").out)
    (row,) = found["rows"]
    assert (row["difference"], row["n"], row["only_b"], row["only_a"]) == (1.0, 4, 4, 0)
    assert len(found["changed"]) == 4
    assert "gained 4" in lamina("bench", "compare", tmp_path / "silent", tmp_path / "good").out


def test_a_task_without_functions_of_its_own_asks_for_them(lamina, tmp_path: Path):
    queries = answers(tmp_path / "q.jsonl", {"id": "1", "query": "sing", "calls": []})
    said = lamina("bench", "scripted:x.py", "--tasks", f"own:{queries}", "--out", tmp_path / "run")
    assert said.status == 2
    assert "--tools" in said.errors[0]
