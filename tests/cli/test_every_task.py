"""``lamina bench --tasks all``: one command asks every task that can be asked, and says why it leaves others out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lamina.bench.tasks import list_tasks, listed_specs

SHARED = Path(__file__).parents[3] / "shared" / "data"
OF_THE_USERS = {"env", "jsonl", "own", "python", "rows"}
MODEL = """
def reply(messages, tools, seed):
    with open({log!r}, "a") as log:
        log.write("asked\\n")
    return "[]" if tools else "A"
"""


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of data with a task that can be asked, one that needs a judge, and one whose file is damaged."""
    monkeypatch.setenv("LAMINA_BFCL", str(tmp_path))  # no data of BFCL's, wherever it may be installed
    for name, text in (
        ("gsm8k/test.jsonl", '{"question": "1+1?", "answer": "#### 2"}\n'),
        ("mt-bench/question.jsonl", '{"question_id": 81, "turns": ["Hi", "Again"]}\n'),
        ("mobileaibench/dolly.csv", "not,what\\nit,should be\n"),
    ):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text(text)
    (tmp_path / "model.py").write_text(MODEL.format(log=str(tmp_path / "asked.log")))
    return tmp_path


def bench(lamina, scene: Path, tasks: str, data: Path, *more: str):
    model = f"scripted:{scene / 'model.py'}"
    return lamina("bench", model, "--tasks", tasks, "--data", data, "--limit", "1", "--timed", "0", "--out",
                  scene / "run", "--json", *more)  # fmt: skip


def test_every_task_is_in_all_but_those_that_are_the_users_own():
    names = {spec.partition(":")[0] for spec in listed_specs()}
    assert names == {row["name"] for row in list_tasks()} - OF_THE_USERS
    assert len(set(listed_specs())) == len(listed_specs())
    assert {"truthfulqa", "truthfulqa:mc1", "bfcl:multiple", "bfcl:multi_turn_base"} <= set(listed_specs())


def test_what_cannot_be_asked_is_left_out_with_a_line_and_the_rest_is_asked(lamina, scene: Path):
    said = bench(lamina, scene, "all", scene)
    assert said.status == 0, said.err
    found = json.loads(said.out)
    assert {row["task"] for row in found["rows"] if row["task"] != "device"} == {"gsm8k"}
    assert set(found["not_asked"]) == set(listed_specs()) - {"gsm8k"}
    assert "name a model with --judge" in found["not_asked"]["mt_bench"]
    assert "there is no such file" in found["not_asked"]["mmlu"] or "no such folder" in found["not_asked"]["mmlu"]
    assert "left out: mt_bench: " in said.err
    assert "bfcl:simple_python, bfcl:simple_java, " in said.err, "one line for all that lack the same"
    page = (scene / "run/report.html").read_text()
    assert f"{len(found['not_asked'])} tasks left out of all" in page


def test_a_judge_and_a_task_of_your_own_beside_all_are_asked_too(lamina, scene: Path):
    (scene / "mine.jsonl").write_text('{"input": "Say A.", "target": "A", "metric": "exact_match"}\n')
    judge = f"scripted:{scene / 'judge.py'}"
    (scene / "judge.py").write_text(
        'def reply(messages, tools, seed):\n    return \'{"reason": "short", "score": 4}\'\n'
    )
    said = bench(lamina, scene, f"jsonl:{scene / 'mine.jsonl'},all", scene, "--judge", judge)
    assert said.status == 0, said.err
    asked = {row["task"] for row in json.loads(said.out)["rows"]}
    assert {"gsm8k", "mt_bench"} <= asked
    assert any(name.startswith("jsonl:") for name in asked)


def test_a_folder_without_any_task_is_one_line_and_no_run(lamina, scene: Path):
    (scene / "empty").mkdir()
    said = bench(lamina, scene, "all", scene / "empty")
    assert said.status == 2
    assert "tasks of 'all' can be asked; name the folder that holds the benchmarks' files with --data" in said.err
    assert len(said.errors) == 1
    assert not (scene / "run").exists()


def test_all_is_named_once(lamina, scene: Path):
    said = bench(lamina, scene, "all,gsm8k,all", scene)
    assert said.status == 2
    assert said.errors == ["lamina: 'all' is named twice; name it once"]


@pytest.mark.slow
@pytest.mark.skipif(not SHARED.is_dir(), reason="the folder of shared data is not beside this checkout")
def test_one_command_asks_every_task_of_the_data_at_hand_and_once(lamina, scene: Path):
    """Text, images and function calling; the same command again asks nothing."""
    said = bench(lamina, scene, "all", SHARED)
    assert said.status == 0, said.err
    found = json.loads(said.out)
    assert found["crashes"] == []
    asked = set(found["versions"])
    assert asked >= {"mmlu", "gsm8k", "spider", "easy_vqa", "nlvr", "confaide", "adversarial_instruction", "privacy"}
    assert {row["task"] for row in found["rows"] if row["value"] is not None} - {"device"} == asked
    page = (scene / "run/report.html").read_text()
    assert f"<h1>1 model on {len(asked)} tasks</h1>" in page, "no single task's figure stands for all"
    calls = len((scene / "asked.log").read_text().splitlines())
    again = bench(lamina, scene, "all", SHARED)
    assert again.status == 0, again.err
    assert len((scene / "asked.log").read_text().splitlines()) == calls
    assert json.loads(again.out)["rows"] == found["rows"]
