"""``lamina bench`` into a folder that was benched in before: crashes are tried again, a run grows, what has changed is
asked anew and said."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lamina.bench import asking, measuring
from lamina.bench.workers import ask_worker

MODEL = """
def reply(messages, tools, seed):
    return messages[-1]["content"].split()[-1]
"""


@pytest.fixture
def scene(lamina, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """``bench(*words)`` benches into one folder; ``asked()`` says how many samples were answered since it was last
    called, ``timings`` has an entry a round of timing."""
    answered: list[str] = []
    timings: list[str] = []

    def answering(job: dict[str, Any], **how: Any) -> Iterator[dict[str, Any]]:
        for event in ask_worker(job, **how):
            answered.extend([event["key"]] if event["event"] == "sample" else [])
            yield event

    def timing(job: dict[str, Any], **how: Any) -> Iterator[dict[str, Any]]:
        timings.append(job["ref"])
        yield from ask_worker(job, **how)

    monkeypatch.setattr(asking, "ask_worker", answering)
    monkeypatch.setattr(measuring, "ask_worker", timing)

    def model(name: str, text: str = MODEL) -> str:
        (tmp_path / name).write_text(text)
        return f"scripted:{tmp_path / name}"

    def questions(name: str, n: int, **more: Any) -> str:
        rows = [{"input": f"say {i}", "target": str(i), **more} for i in range(n)]
        (tmp_path / name).write_text("".join(json.dumps(row) + "\n" for row in rows))
        return f"jsonl:{tmp_path / name}"

    def bench(*words: object, repeats: int = 0) -> SimpleNamespace:
        said = lamina("bench", *words, "--out", tmp_path / "run", "--repeats", repeats, "--json")
        found = json.loads(said.out) if said.out else {"rows": [], "crashes": []}
        return SimpleNamespace(status=said.status, err=said.err, figures=figures_of(found), **found)

    def asked() -> int:
        n = len(answered)
        answered.clear()
        return n

    return SimpleNamespace(folder=tmp_path, run=tmp_path / "run", model=model, questions=questions, bench=bench,
                           asked=asked, timings=timings)  # fmt: skip


def figures_of(found: dict[str, Any]) -> dict[tuple[str, str, str], tuple[float, int]]:
    """By the end of the model's and the task's name, and metric."""
    rows = [r for r in found["rows"] if r["task"] != "device"]
    names = {(r["model"].split("/")[-1], r["task"].split("/")[-1], r["metric"]): r for r in rows}
    return {name: (r["value"], r["n"]) for name, r in names.items()}


def shown(scene: SimpleNamespace) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (scene.run / "samples.jsonl").read_text().splitlines()]


def test_a_model_that_crashed_is_tried_again_by_the_same_command(scene: SimpleNamespace):
    cause = scene.folder / "no-memory"
    text = f"import os\nif os.path.exists({str(cause)!r}) and 'worker' in __import__('sys').argv[0]:\n    os._exit(9)\n"
    words = (scene.model("m.py", text + MODEL), "--tasks", scene.questions("q.jsonl", 4))
    cause.touch()
    first = scene.bench(*words)
    assert (first.status, [crash["stage"] for crash in first.crashes], scene.asked()) == (1, ["load"], 0)
    cause.unlink()
    again = scene.bench(*words)
    assert (again.status, again.crashes) == (0, [])
    assert again.figures["m.py", "q.jsonl", "exact_match"] == (1.0, 4)


def test_a_sample_that_crashed_is_asked_again_by_its_option_alone_and_what_was_answered_stays(scene: SimpleNamespace):
    cause = scene.folder / "no-memory"
    dies = f'    import os\n    if messages[-1]["content"] == "say 2" and os.path.exists({str(cause)!r}):\n'
    text = MODEL.replace("    return", f"{dies}        os._exit(9)\n    return")
    words = (scene.model("m.py", text), "--tasks", scene.questions("q.jsonl", 4))
    cause.touch()
    first = scene.bench(*words)
    assert (first.status, [crash["sample"] for crash in first.crashes], scene.asked()) == (1, ["3"], 3)
    assert "asked again with --retry-crashed alone" in first.err
    assert "<q>3</q>" in (scene.run / "report.html").read_text()
    cause.unlink()
    same = scene.bench(*words)
    assert (same.status, len(same.crashes), scene.asked()) == (1, 1, 0)
    again = scene.bench(*words, "--retry-crashed")
    assert (again.status, again.crashes) == (0, [])
    assert again.figures["m.py", "q.jsonl", "exact_match"] == (1.0, 4)
    assert (len(shown(scene)), scene.asked()) == (4, 1)


def test_a_judge_that_crashed_is_asked_again_and_leaves_no_verdicts_before(scene: SimpleNamespace):
    (scene.folder / "do-not-answer").mkdir()
    (scene.folder / "do-not-answer/do_not_answer_en.csv").write_text("id,question\n1,harm\n2,ham\n")
    judge = scene.model("judge.py", "import os\n\ndef reply(messages, tools, seed):\n    os._exit(9)\n")
    words = (scene.model("m.py"), "--tasks", "do_not_answer", "--data", scene.folder)
    first = scene.bench(*words, "--judge", judge)
    assert first.status == 1
    assert first.figures["m.py", "do_not_answer", "refusal"] == (0.0, 2)
    assert ("m.py", "do_not_answer", "judge_unreadable") not in first.figures, "nothing was read at all"
    assert "judge: generate" in (scene.run / "report.html").read_text()
    scene.asked()
    says = "import json\n\ndef reply(messages, tools, seed):\n    return json.dumps(dict(reason='r', refuses=True))\n"
    good = f"scripted:{scene.folder / 'good.py'}"
    (scene.folder / "good.py").write_text(says)
    again = scene.bench(*words, "--judge", good)
    assert (again.status, scene.asked()) == (0, 0)
    assert again.figures["m.py", "do_not_answer", "judge_refusal"] == (1.0, 2)
    alone = scene.bench(*words)
    assert ("m.py", "do_not_answer", "judge_refusal") not in alone.figures, "no judge is named now"
    assert scene.asked() == 0


def test_more_samples_models_and_tasks_ask_only_what_is_new(scene: SimpleNamespace):
    one, two = scene.model("one.py"), scene.model("two.py")
    first, second = scene.questions("q.jsonl", 20), scene.questions("r.jsonl", 3)
    scene.bench(one, "--tasks", first, "--limit", 5)
    assert scene.asked() == 5
    more = scene.bench(one, "--tasks", first, "--limit", 12)
    assert (more.status, scene.asked()) == (0, 7)
    assert more.figures["one.py", "q.jsonl", "exact_match"] == (1.0, 12)
    assert "goes on, what was answered stays: limit: 5 -> 12" in more.err
    both = scene.bench(one, two, "--tasks", f"{first},{second}", "--limit", 12)
    assert scene.asked() == 12 + 3 + 3
    assert both.figures["two.py", "r.jsonl", "exact_match"] == (1.0, 3)
    assert len(shown(scene)) == 2 * (12 + 3)


def test_the_report_is_of_the_command_and_what_it_leaves_out_is_kept(scene: SimpleNamespace):
    one, two, tasks = scene.model("one.py"), scene.model("two.py"), scene.questions("q.jsonl", 6)
    scene.bench(one, two, "--tasks", tasks)
    scene.asked()
    few = scene.bench(two, "--tasks", tasks, "--limit", 2)
    assert [row["model"].split("/")[-1] for row in shown(scene)] == ["two.py"] * 2
    assert few.figures["two.py", "q.jsonl", "exact_match"][1] == 2
    all_again = scene.bench(one, two, "--tasks", tasks)
    assert scene.asked() == 0
    assert all_again.figures["one.py", "q.jsonl", "exact_match"] == (1.0, 6)
    assert len(shown(scene)) == 12


def test_a_changed_row_is_asked_again_alone_and_said(scene: SimpleNamespace):
    words = (scene.model("m.py"), "--tasks", scene.questions("q.jsonl", 5))
    scene.bench(*words)
    scene.asked()
    file = scene.folder / "q.jsonl"
    file.write_text(file.read_text().replace('"say 3", "target": "3"', '"say 3", "target": "4"'))
    again = scene.bench(*words)
    assert scene.asked() == 1
    assert again.figures["m.py", "q.jsonl", "exact_match"] == (0.8, 5)
    assert f"1 of jsonl:{file} changed since they were answered" in again.err
    assert len(shown(scene)) == 5


def test_another_scoring_is_scored_and_said(scene: SimpleNamespace):
    file = scene.folder / "mine.py"
    text = "def samples():\n    return [{'input': 'say 1'}, {'input': 'say 2'}]\n\n"
    file.write_text(text + "def score(row, answer):\n    return answer == '1'\n")
    words = (scene.model("m.py"), "--tasks", f"python:{file}")
    assert scene.bench(*words).figures["m.py", "mine.py", "score"] == (0.5, 2)
    assert (scene.asked(), len(scene.timings)) == (2, 1)
    file.write_text(text + "def score(row, answer):\n    return answer in '12'\n")
    again = scene.bench(*words)
    assert again.figures["m.py", "mine.py", "score"] == (1.0, 2)
    assert f"2 of python:{file} scored again" in again.err
    assert (scene.asked(), len(scene.timings)) == (0, 1), "the answers are the same"
    assert [row["verdict"] for row in shown(scene)] == ["right"] * 2


def test_a_score_that_raises_costs_its_sample_and_is_tried_again_when_it_is_mended(scene: SimpleNamespace):
    file = scene.folder / "mine.py"
    text = "def samples():\n    return [{'input': f'say {n}'} for n in range(4)]\n\n"
    file.write_text(text + "def score(row, answer):\n    return answer != '' and 1 / int(answer) > 0\n")
    words = (scene.model("m.py"), "--tasks", f"python:{file},{scene.questions('q.jsonl', 2)}")
    first = scene.bench(*words)
    assert (first.status, first.crashes) == (0, [])
    assert first.figures["m.py", "mine.py", "score"] == (1.0, 3)
    assert first.figures["m.py", "mine.py", "unscored"] == (0.25, 4)
    assert first.figures["m.py", "q.jsonl", "exact_match"] == (1.0, 2)
    row = next(row for row in shown(scene) if row["verdict"] == "unscored")
    assert row["answer"] == "0"
    assert "ZeroDivisionError" in row["reasons"][0]
    assert "mine.py:5: score()" in row["reasons"][0]
    file.write_text(text + "def score(row, answer):\n    return answer != ''\n")
    scene.asked()
    assert scene.bench(*words).figures["m.py", "mine.py", "score"] == (1.0, 4)
    assert scene.asked() <= 1, "the others are scored again"


def test_what_changes_the_meaning_of_samples_is_still_another_run(scene: SimpleNamespace):
    words = (scene.model("m.py"), "--tasks", scene.questions("q.jsonl", 2))
    scene.bench(*words)
    other = scene.bench(*words, "--max-tokens", 7)
    assert other.status == 2
    assert "max_tokens: 512 -> 7" in other.err


def test_a_task_that_no_model_can_do_is_said_before_anything_is_loaded(scene: SimpleNamespace):
    (scene.folder / "truthfulqa").mkdir()
    header = "Type,Category,Question,Best Answer,Correct Answers,Incorrect Answers,Source\n"
    (scene.folder / "truthfulqa/TruthfulQA.csv").write_text(f"{header}A,M,Who?,Ann,Ann,Cid,u\n")
    model = scene.model("m.py")
    said = scene.bench(model, "--tasks", f"truthfulqa:mc1,{scene.questions('q.jsonl', 2)}", "--data", scene.folder)
    assert said.status == 2
    assert "the task 'truthfulqa:mc1' compares how likely given texts are" in said.err
    assert not scene.run.exists()
    assert scene.asked() == 0


def test_a_finished_run_that_is_benched_again_asks_and_times_nothing(scene: SimpleNamespace):
    words = (scene.model("m.py"), "--tasks", scene.questions("q.jsonl", 3))
    first = scene.bench(*words, repeats=1)
    assert (scene.asked(), len(scene.timings)) == (3, 1)
    again = scene.bench(*words, repeats=1)
    assert (scene.asked(), len(scene.timings)) == (0, 1)
    assert again.rows == first.rows
    assert [row["total_seconds"] is not None for row in shown(scene)] == [True] * 3
