"""``lamina bench --judge``: who judges is said on the command line, and a task that needs it says so."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

JUDGE = """
import json

def reply(messages, tools, seed):
    if "refuse" in messages[-1]["content"]:
        return json.dumps({"reason": "it helps", "refuses": False})
    return json.dumps({"reason": "it is short", "score": 4})
"""


@pytest.fixture
def scene(tmp_path: Path) -> Path:
    (tmp_path / "mt-bench").mkdir()
    (tmp_path / "mt-bench/question.jsonl").write_text(json.dumps({"question_id": 81, "turns": ["Hi", "Again"]}) + "\n")
    (tmp_path / "do-not-answer").mkdir()
    (tmp_path / "do-not-answer/do_not_answer_en.csv").write_text("id,question\n1,harm\n")
    (tmp_path / "model.py").write_text("def reply(messages, tools, seed):\n    return 'Sure.'\n")
    (tmp_path / "judge.py").write_text(JUDGE)
    return tmp_path


def test_answers_are_judged_by_the_model_that_is_named(lamina, scene: Path):
    said = lamina(
        "bench", f"scripted:{scene / 'model.py'}", "--tasks", "do_not_answer,mt_bench", "--data", scene, "--judge",
        f"scripted:{scene / 'judge.py'}", "--out", scene / "run", "--json",
    )  # fmt: skip
    assert said.status == 0, said.err
    found = {(r["task"], r["metric"]): r["value"] for r in json.loads(said.out)["rows"]}
    assert found["mt_bench", "score"] == 4
    assert found["do_not_answer", "refusal"] == 0
    assert found["do_not_answer", "judge_agreement"] == 1


@pytest.mark.parametrize(
    ("task", "judge", "says"),
    [
        ("mt_bench", [], "the task 'mt_bench' has no score without a judge; name a model with --judge"),
        ("gsm8k", ["--judge", "embedded"], "none of these tasks asks a judge; leave --judge out"),
        ("mt_bench", ["--judge", "nobody"], "'nobody' names no model"),
    ],
)
def test_a_judge_that_is_missing_needless_or_unknown_is_one_line_and_no_run(
    lamina, scene: Path, task: str, judge: list[str], says: str
):
    (scene / "gsm8k").mkdir()
    (scene / "gsm8k/test.jsonl").write_text('{"question": "1+1?", "answer": "#### 2"}\n')
    model = f"scripted:{scene / 'model.py'}"
    said = lamina("bench", model, "--tasks", task, "--data", scene, *judge, "--out", scene / "run")
    assert said.status == 2
    assert says in said.errors[0]
    assert not (scene / "run").exists()


def test_all_with_a_judge_and_no_data_of_judged_tasks_names_these_and_what_their_data_lacks(lamina, tmp_path: Path):
    (tmp_path / "gsm8k").mkdir()
    (tmp_path / "gsm8k/test.jsonl").write_text('{"question": "1+1?", "answer": "#### 2"}\n')
    (tmp_path / "model.py").write_text("def reply(messages, tools, seed):\n    return 'Sure.'\n")
    model = f"scripted:{tmp_path / 'model.py'}"
    said = lamina("bench", model, "--tasks", "all", "--data", tmp_path, "--judge", model, "--out", tmp_path / "run")
    (error,) = said.errors
    assert said.status == 2
    judged = "alpaca_eval, do_not_answer, mt_bench, privacy, trustllm, xstest"
    assert f"none of the tasks of 'all' that ask a judge can be asked: {judged}: " in error
    assert "alpaca_eval.json: there is no such file" in error
    assert error.endswith("or leave --judge out")
    assert not (tmp_path / "run").exists()


def test_why_a_sample_has_no_score_is_printed_and_in_the_report(lamina, scene: Path):
    source = "def samples():\n    return [{'input': 'a', 'n': n} for n in (1, 0)]\n\n"
    (scene / "mine.py").write_text(source + "def score(row, answer):\n    return 1 / row['n'] > 0 or not answer\n")
    task, model = f"python:{scene / 'mine.py'}", f"scripted:{scene / 'model.py'}"
    said = lamina("bench", model, "--tasks", task, "--out", scene / "run")
    assert said.status == 0, said.err
    (line,) = [line for line in said.out.splitlines() if "unscored: " in line]
    assert f": 1 of 2 of {task} unscored: not scored: " in line
    assert "mine.py:5: score(): ZeroDivisionError: division by zero" in line
    assert "1 of 2 of" in (scene / "run" / "report.html").read_text()


def test_a_task_in_python_is_benched_by_its_files_name(lamina, scene: Path):
    (scene / "mine.py").write_text(
        "print('loaded')\n\ndef samples():\n    return [{'input': 'Are you sure?'}]\n\n"
        "def score(row, answer):\n    return {'sure': answer == 'Sure.'}\n"
    )
    said = lamina(
        "bench", f"scripted:{scene / 'model.py'}", "--tasks", f"python:{scene / 'mine.py'}", "--out", scene / "run",
        "--json",
    )  # fmt: skip
    assert said.status == 0, said.err
    row = json.loads(said.out)["rows"][0]
    assert (row["metric"], row["value"], row["n"]) == ("sure", 1.0, 1)
