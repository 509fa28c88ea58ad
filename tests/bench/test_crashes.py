"""A sample on which a model always crashes: found, told, unscored, remembered, and the others have their figures."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from lamina.bench import BenchModel, BenchSettings, asking, bench_models, first_answers, open_task, write_samples
from lamina.bench.workers import ask_worker

MODEL = """
import os

def reply(messages, tools, seed):
    question = messages[-1]["content"]
    if {dies}:
        os._exit(7)
    return question.split()[-1]
"""
SETTINGS = BenchSettings(timing_samples=0, slots=3)


@pytest.fixture
def scene(desk: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """``bench(dies)`` asks ten questions of a model that dies where the expression is true; ``jobs`` has how many
    samples each worker was given."""
    jobs: list[int] = []

    def counting(job: dict[str, Any], **how: Any) -> Iterator[dict[str, Any]]:
        jobs.append(sum(len(group["samples"]) for group in job["groups"]))
        yield from ask_worker(job, **how)

    monkeypatch.setattr(asking, "ask_worker", counting)
    questions = desk.folder / "q.jsonl"
    questions.write_text("".join(f'{{"input": "say {n}", "target": "{n}"}}\n' for n in range(10)))

    def model(dies: str) -> BenchModel:
        file = desk.folder / "model.py"
        file.write_text(MODEL.format(dies=dies))
        return BenchModel(f"scripted:{file}", "m", "")

    def bench(dies: str, settings: BenchSettings = SETTINGS) -> SimpleNamespace:
        tasks = [open_task(f"jsonl:{questions}")]
        found = bench_models([model(dies)], tasks, run=desk.run, toolbox=desk.toolbox, settings=settings)
        figures = {r["metric"]: (r["value"], r["n"]) for r in found["rows"] if r["metric"] != "crashed"}
        told = [(c.get("sample"), c["stage"]) for c in found["crashes"]]
        crashed = [row for row in found["rows"] if row["metric"] == "crashed"]
        return SimpleNamespace(figures=figures, crashes=told, rows=crashed, resources=found["resources"])

    return SimpleNamespace(desk=desk, bench=bench, jobs=jobs, model=model, questions=questions)


def test_the_sample_that_a_model_always_dies_of_is_one_row_and_the_others_have_their_figures(scene: SimpleNamespace):
    found = scene.bench("question == 'say 4'")
    assert found.crashes == [("5", "generate")]
    assert found.figures["exact_match"] == (1.0, 9)
    assert found.figures["unscored"] == (0.1, 10)
    (row,) = found.rows
    assert (row["task"], row["sample"], row["value"]) == (f"jsonl:{scene.questions}", "5", None)
    assert "exit status 7" in row["detail"]


def test_it_is_remembered_and_asked_again_only_where_that_is_wanted(scene: SimpleNamespace):
    dies = "question == 'say 4' and not os.path.exists(__file__ + '.mended')"
    first = scene.bench(dies)
    scene.jobs.clear()
    assert scene.bench(dies).__dict__ == first.__dict__
    assert scene.jobs == [], "no process was started"
    (scene.desk.folder / "model.py.mended").touch()
    assert scene.bench(dies).crashes == first.crashes
    retried = BenchSettings(timing_samples=0, slots=3, retry_crashed=True)
    again = scene.bench(dies, retried)
    assert (again.crashes, again.figures["exact_match"]) == ([], (1.0, 10))
    assert scene.jobs == [1], "the others stay"


def test_a_retry_that_crashes_again_is_remembered_again(scene: SimpleNamespace):
    first = scene.bench("question == 'say 4'")
    retried = BenchSettings(timing_samples=0, slots=3, retry_crashed=True)
    assert scene.bench("question == 'say 4'", retried).__dict__ == first.__dict__


def test_what_was_asked_stands_beside_the_crash(scene: SimpleNamespace):
    scene.bench("question == 'say 4'")
    rows = write_samples(scene.desk.run).read_text().splitlines()
    (crashed,) = [row for row in rows if "exit status 7" in row]
    assert '"prompts":["say 4"]' in crashed
    assert '"verdict":"unscored"' in crashed


def test_two_that_are_found_are_two_rows(scene: SimpleNamespace):
    found = scene.bench("question in ('say 0', 'say 9')")
    assert found.crashes == [("1", "generate"), ("10", "generate")]
    assert found.figures["exact_match"] == (1.0, 8)


def test_neighbours_that_all_crash_are_told_from_a_model_that_can_do_nothing(scene: SimpleNamespace):
    found = scene.bench("question in ('say 0', 'say 1', 'say 2')")
    assert [sample for sample, _ in found.crashes] == ["1", "2", "3"]
    assert found.figures["exact_match"] == (1.0, 7)


def test_a_model_that_dies_of_everything_crashed_itself_and_no_sample_is_blamed(scene: SimpleNamespace):
    found = scene.bench("True")
    assert found.crashes == [(None, "generate")]
    assert found.figures == {}
    assert len(scene.jobs) == 1 + 3, "together, then three alone, and no more"
    assert scene.bench("False").figures["exact_match"] == (1.0, 10)


def test_one_that_went_through_alone_is_answered_and_no_crash(scene: SimpleNamespace):
    """As where memory was short for several at once."""
    died = scene.desk.folder / "died"
    once = f"question == 'say 4' and not os.path.exists({str(died)!r}) and not os.mkdir({str(died)!r})"
    found = scene.bench(once)
    assert (found.crashes, found.figures["exact_match"]) == ([], (1.0, 10))
    assert len(scene.jobs) == 2


def test_it_is_not_timed(scene: SimpleNamespace):
    found = scene.bench("question == 'say 4'", BenchSettings(timing_samples=12, slots=3, repeats=2))
    (timed,) = found.resources
    assert (found.crashes, timed["timing"]["samples"]) == ([("5", "generate")], 9)


def test_its_answer_is_told_to_be_none_where_answers_are_wanted(scene: SimpleNamespace):
    tasks = [open_task(f"jsonl:{scene.questions}")]
    desk, model = scene.desk, scene.model("question == 'say 4'")
    found = first_answers(model, tasks, run=desk.run, toolbox=desk.toolbox, settings=SETTINGS)
    assert [reply.text for _, reply in found] == [str(n) if n != 4 else "" for n in range(10)]
    assert "crashed at generate" in str(found[4][1].problem)
