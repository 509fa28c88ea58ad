"""A judge reads answers after they are given: in a process of its own, once an answer, and what it says is never
made up."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lamina.bench import BenchModel, BenchSettings, bench_models, judging, open_task
from lamina.bench.tasks.judged import RATING, REFUSAL, read_verdict
from lamina.bench.workers import ask_worker
from lamina.errors import UserError
from lamina.tools import Toolbox

QUICK = BenchSettings(timing_samples=0, slots=2)

ANSWERS = """
def reply(messages, tools, seed):
    said = [m["content"] for m in messages if m["role"] == "user"]
    return {answers!r}.get(said[-1], "answer to " + " then ".join(said))
"""

JUDGE = """
import json

def reply(messages, tools, seed):
    prompt = messages[-1]["content"]
    with open({log!r}, "a") as log:
        log.write(json.dumps(messages) + "\\n")
    for part, verdict in {verdicts!r}.items():
        if part in prompt:
            return verdict if isinstance(verdict, str) else json.dumps(verdict)
    return json.dumps({otherwise!r})
"""


@pytest.fixture
def court(desk: SimpleNamespace, tmp_path: Path) -> SimpleNamespace:
    """``court.model(answers)`` and ``court.judge(verdicts by a part of the question)`` are references;
    ``court.heard()`` is what judges were asked."""
    log, names = tmp_path / "heard.jsonl", iter(range(100))

    def script(source: str) -> str:
        file = tmp_path / f"court{next(names)}.py"
        file.write_text(source)
        return f"scripted:{file}"

    def model(answers: dict[str, str] | None = None) -> str:
        return script(ANSWERS.format(answers=answers or {}))

    def judge(verdicts: dict[str, Any] | None = None, otherwise: Any = None) -> str:
        fallback = otherwise or {"reason": "fine", "score": 7}
        return script(JUDGE.format(log=str(log), verdicts=verdicts or {}, otherwise=fallback))

    def heard() -> list[list[dict[str, str]]]:
        return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []

    return SimpleNamespace(model=model, judge=judge, script=script, heard=heard, run=desk.run, data=tmp_path)


def bench(court: SimpleNamespace, task: str, ref: str, judge: str | None, label: str = "m") -> dict[str, Any]:
    models = [BenchModel(ref, label, "", "full")]
    tasks = [open_task(task, data=court.data)]
    return bench_models(models, tasks, run=court.run, toolbox=Toolbox([]), settings=QUICK, judge=judge)


def figures(result: dict[str, Any]) -> dict[str, tuple[float, int]]:
    return {row["metric"]: (row["value"], row["n"]) for row in result["rows"]}


def samples(court: SimpleNamespace) -> dict[str, dict[str, Any]]:
    found = [json.loads(row.payload) for row in court.run.store.iterate("sample")]
    return {record["sample"]: record for record in found}


def mt_bench(court: SimpleNamespace, references: bool = False) -> None:
    folder = court.data / "mt-bench"
    folder.mkdir()
    rows = [
        {"question_id": 81, "category": "writing", "turns": ["Write a poem", "Now shorter"]},
        {"question_id": 101, "category": "math", "turns": ["What is 2+2", "And doubled"]},
    ]
    (folder / "question.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    if references:
        known = {"question_id": 101, "choices": [{"turns": ["FOUR", "EIGHT"]}]}
        (folder / "reference_gpt-4.jsonl").write_text(json.dumps(known) + "\n")


def test_the_second_turn_is_asked_after_the_first_answer_and_both_are_rated(court: SimpleNamespace):
    mt_bench(court)
    judge = court.judge({"second answer": {"reason": "short", "score": 4}}, {"reason": "good", "score": 9})
    found = figures(bench(court, "mt_bench", court.model({"Write a poem": "Roses"}), judge))
    assert found["score_turn_1"] == (9.0, 2)
    assert found["score_turn_2"] == (4.0, 2)
    assert found["score"] == (6.5, 2)
    assert found["good"] == (1.0, 2)
    poem = samples(court)["81"]
    assert [turn["answer"] for turn in poem["transcript"]] == ["Roses", "answer to Write a poem then Now shorter"]
    assert [m["content"] for m in poem["transcript"][1]["messages"]] == ["Write a poem", "Roses", "Now shorter"]
    assert [j["verdict"]["reason"] for j in poem["judgements"]] == ["good", "short"]
    assert poem["right"]


def test_ratings_that_are_all_one_are_the_lowest_there_are_and_no_shares(court: SimpleNamespace):
    mt_bench(court)
    rows = bench(court, "mt_bench", court.model(), court.judge(otherwise={"reason": "useless", "score": 1}))["rows"]
    by_metric = {row["metric"]: row for row in rows}
    for metric in ("score", "score_turn_1", "score_turn_2"):
        found = by_metric[metric]
        assert (found["value"], found["low"], found["span"]) == (1.0, 1.0, [1, 10])
        assert 5 < found["high"] <= 10, "two ratings alike say little of the next one"
    assert "span" not in by_metric["good"]


def test_reference_answers_are_shown_to_the_judge_where_there_are_any(court: SimpleNamespace):
    mt_bench(court, references=True)
    bench(court, "mt_bench", court.model(), court.judge())
    about = {
        ("2+2" in m[-1]["content"], "FOUR" in m[-1]["content"], "mistakes" in m[0]["content"]) for m in court.heard()
    }
    assert about == {(True, True, True), (False, False, False)}
    assert sum("EIGHT" in m[-1]["content"] for m in court.heard()) == 1


@pytest.mark.parametrize("verdict", ["8", '{"reason": "x", "score": 11}', '{"reason": "x", "sco', '{"score": 8}', ""])
def test_a_judgement_that_cannot_be_read_leaves_its_sample_unscored(court: SimpleNamespace, verdict: str):
    mt_bench(court)
    result = bench(court, "mt_bench", court.model(), court.judge({"2+2": verdict}, {"reason": "r", "score": 3}))
    found = figures(result)
    assert found["score"] == (3.0, 1)
    assert found["unscored"] == found["judge_unreadable"] == (0.5, 2)
    assert samples(court)["101"]["reasons"] == ["the judge's answer is not a verdict"]


def test_a_judged_answer_is_not_judged_again_also_when_another_model_gives_it(court: SimpleNamespace):
    mt_bench(court)
    judge = court.judge()
    first = bench(court, "mt_bench", court.model(), judge)
    assert len(court.heard()) == 4
    assert bench(court, "mt_bench", court.model(), judge, "m")["rows"] == first["rows"]
    assert len(court.heard()) == 4
    bench(court, "mt_bench", court.model({"Write a poem": "Violets"}), judge, "other")
    assert len(court.heard()) == 6


def test_another_judge_is_asked_anew_and_its_word_replaces_the_first(court: SimpleNamespace):
    mt_bench(court)
    ref = court.model()
    bench(court, "mt_bench", ref, court.judge())
    found = figures(bench(court, "mt_bench", ref, court.judge(otherwise={"reason": "no", "score": 1})))
    assert (found["score"], found["good"]) == ((1.0, 2), (0.0, 2))
    assert not samples(court)["81"]["right"]


def test_an_instruction_wins_where_its_answer_is_rated_above_the_references(court: SimpleNamespace):
    rows = [{"instruction": f"do {n}", "output": f"REF{n}", "generator": "x"} for n in range(3)]
    rows.append({"instruction": "same", "output": "EQUAL", "generator": "x"})
    (court.data / "alpaca_eval").mkdir()
    (court.data / "alpaca_eval/alpaca_eval.json").write_text(json.dumps(rows))
    scores = {"answer to do 0": 9, "answer to do 1": 5, "answer to do 2": 2, "REF": 5, "EQUAL": 5}
    judge = court.judge({part: {"reason": "r", "score": score} for part, score in scores.items()})
    found = figures(bench(court, "alpaca_eval", court.model({"same": "EQUAL"}), judge))
    assert found["win_rate"] == (pytest.approx((1 + 0.5 + 0 + 0.5) / 4), 4)
    assert found["score"] == (pytest.approx((9 + 5 + 2 + 5) / 4), 4)
    assert found["reference_score"] == (5.0, 4)
    assert len(court.heard()) == 7  # the answer that is the reference's was judged once


def test_a_task_that_needs_a_judge_says_so_before_any_model_is_asked(court: SimpleNamespace):
    mt_bench(court)
    with pytest.raises(UserError, match="'mt_bench' has no score without a judge; name a model with --judge"):
        bench(court, "mt_bench", court.model(), None)
    assert samples(court) == {}


def harms(court: SimpleNamespace) -> None:
    (court.data / "do-not-answer").mkdir()
    lines = "".join(f"{n},harm {n}\n" for n in range(4))
    (court.data / "do-not-answer/do_not_answer_en.csv").write_text("id,question\n" + lines)


def test_the_rules_agreement_with_a_judge_stands_beside_the_refusal_rate(court: SimpleNamespace):
    harms(court)
    answers = {
        "harm 0": "I'm sorry, no.",
        "harm 1": "I cannot, but here you go.",
        "harm 2": "Sure.",
        "harm 3": "Sure!!",
    }
    said = {part: {"reason": "r", "refuses": refuses} for part, refuses in
            {"harm 0": True, "harm 1": False, "harm 2": False, "harm 3": False}.items()}  # fmt: skip
    found = figures(bench(court, "do_not_answer", court.model(answers), court.judge(said)))
    assert found["refusal"] == (0.5, 4)
    assert found["judge_refusal"] == (0.25, 4)
    assert found["judge_agreement"] == (0.75, 4)
    assert samples(court)["1"]["right"]  # the rule's verdict stays what counts


def test_a_rule_stands_alone_where_the_judge_says_nothing_readable(court: SimpleNamespace):
    harms(court)
    unread = court.judge({"harm 0": "perhaps"}, {"reason": "r", "refuses": False})
    found = figures(bench(court, "do_not_answer", court.model(), unread))
    assert found["refusal"] == (0.0, 4)
    assert found["judge_agreement"] == (1.0, 3)
    assert found["judge_unreadable"] == (0.25, 4)


def test_a_refusal_task_without_a_judge_has_no_figure_of_one(court: SimpleNamespace):
    harms(court)
    assert figures(bench(court, "do_not_answer", court.model(), None)) == {"refusal": (0.0, 4)}


def test_a_judge_that_dies_is_a_row_and_the_rule_keeps_its_figures(court: SimpleNamespace):
    harms(court)
    dead = court.script("import os\n\ndef reply(messages, tools, seed):\n    os._exit(9)\n")
    result = bench(court, "do_not_answer", court.model(), dead)
    (crash,) = result["crashes"]
    assert crash["stage"] == "judge: generate"
    found = figures(result)
    assert found["judge_crashed"] == (None, 4)
    assert found["refusal"] == (0.0, 4)


def test_a_judge_that_does_not_answer_is_told_from_one_that_cannot_be_read_and_asked_again(
    court: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
):
    mt_bench(court)

    def silenced(job, **how):
        for event in ask_worker(job, **how):
            silent = event["event"] == "judgement" and event["key"] == job["questions"][0]["key"]
            yield event | {"text": "", "problem": "the endpoint is busy (429)"} if silent else event

    model, judge = court.model(), court.judge()
    with monkeypatch.context() as away:
        away.setattr(judging, "ask_worker", silenced)
        assert figures(bench(court, "mt_bench", model, judge))["unscored"] == (0.5, 2)
    assert samples(court)["81"]["reasons"] == ["the judge did not answer: the endpoint is busy (429)"]
    log = (court.run.folder / "log.jsonl").read_text()
    assert '"event":"judge silent"' in log
    heard = len(court.heard())
    assert figures(bench(court, "mt_bench", model, judge))["score"] == (7.0, 2)
    assert len(court.heard()) == heard + 1, "what it did answer stays"


def test_an_answer_that_never_came_is_not_judged(court: SimpleNamespace):
    mt_bench(court)
    (court.data / "mt-bench/question.jsonl").write_text(json.dumps({"question_id": 1, "turns": ["a", "b"]}) + "\n")
    broken = court.script("def reply(messages, tools, seed):\n    return ''\n")
    found = figures(bench(court, "mt_bench", broken, court.judge()))
    assert found["score"] == (7.0, 1)  # an empty answer is an answer
    record = samples(court)["1"]
    silent = record | {"transcript": [record["transcript"][0] | {"problem": "the prompt has 9,000 tokens"}]}
    task = open_task("mt_bench", data=court.data)
    assert task.judging.ask(silent) == []  # type: ignore[attr-defined]


def test_a_judge_that_nobody_asks_is_the_users_error(court: SimpleNamespace, tmp_path: Path):
    (tmp_path / "mine.jsonl").write_text('{"input": "a", "target": "b"}\n')
    models = [BenchModel(court.model(), "m", "", "full")]
    with pytest.raises(UserError, match="none of these tasks asks a judge; leave --judge out"):
        bench_models(models, [open_task(f"jsonl:{tmp_path / 'mine.jsonl'}")], run=court.run, toolbox=Toolbox([]),
                     settings=QUICK, judge=court.judge())  # fmt: skip


def test_a_verdict_is_an_object_of_the_schema_and_nothing_else():
    assert read_verdict('{"reason": "r", "score": 10}', RATING) == {"reason": "r", "score": 10}
    assert read_verdict('{"reason": "r", "refuses": true}', REFUSAL) == {"reason": "r", "refuses": True}
    for text in ('{"reason": "r", "score": true}', '{"reason": "r", "score": "8"}', "[8]", "null", "Rating: [[8]]",
                 '{"reason": "r", "score": 8, "more": 1}', '{"reason": "r", "refuses": true}'):  # fmt: skip
        assert read_verdict(text, RATING) is None
