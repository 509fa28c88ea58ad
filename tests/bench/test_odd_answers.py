"""Whatever a model says, a task gives a verdict and figures: nothing that was written ends a bench."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lamina.bench.tasks import Outcome, Sample, Setting, Task, open_task
from lamina.bench.worker import event_line
from lamina.errors import InputError
from lamina.models import Reply
from lamina.tools import Toolbox

SHARED = Path(__file__).parents[3] / "shared" / "data"
ODD = {
    "nothing": "",
    "blanks": " \n",
    "nonsense": "qwrtz",
    "a sentence around it": "I'd say 3",
    "hundreds of digits": "9" * 400,
    "thousands of digits": f"<answer>{'9' * 5000}</answer>",
    "no number": "NaN",
    "infinity": "-Infinity",
    "half a character": "\ud800 A",
    "NUL": "\0",
    "open brackets": "[" * 100_000,
    "nested": f"SELECT {'(' * 3000}1{')' * 3000}",
    "half a statement": "SELECT CAST(x AS ) FROM ; DROP",
    "a call of a long number": f'[{{"name":"x","arguments":{{"a":{"9" * 5000}}}}}]',
}
TASKS = (
    "mmlu", "mmlu:5-shot", "gsm8k", "truthfulqa", "bbq", "hotpotqa", "xquad", "dolly", "sql", "social_chemistry",
    "advglue", "xstest", "halueval", "trustllm", "privacy", "confaide", "easy_vqa", "nlvr", "nestful", "seal_tools",
    "toolalpaca", "api_bank",
)  # fmt: skip


def solved(task: Task, text: str, sample: Sample) -> Outcome:
    talk = task.solve(sample, Setting(Toolbox([]), "plain"))
    next(talk)
    try:
        while True:
            talk.send(Reply(text=text))
    except StopIteration as end:
        outcome: Outcome = end.value
        return outcome


def figures(task: Task, outcomes: list[Outcome]) -> dict[str, float]:
    found = task.figures([{**o.scores, "right": o.right} for o in outcomes])
    json.dumps([f.interval.value for f in found], allow_nan=False)
    return {f.metric: f.interval.value for f in found}


@pytest.mark.parametrize("name", TASKS)
def test_an_odd_answer_is_a_verdict_and_never_a_traceback(name: str):
    if not SHARED.is_dir():
        pytest.skip("the folder of shared data is not beside this checkout")
    task = open_task(name, data=SHARED)
    sample = task.samples()[0]
    outcomes = [solved(task, text, sample) for text in ODD.values()]
    for outcome in outcomes:
        event_line({"scores": outcome.scores, "transcript": outcome.transcript})
    assert task.paired_metric in figures(task, outcomes)


def test_a_rating_that_is_none_is_wrong_counted_and_out_of_the_correlation(tmp_path: Path):
    (tmp_path / "confaide").mkdir()
    (tmp_path / "confaide/tier_1.txt").write_text("".join(f"How sensitive is {n}?\n" for n in range(6)))
    (tmp_path / "confaide/tier_1_labels.txt").write_text("3.8\n1.2\n2.4\n3.1\n1\n4\n")
    task = open_task("confaide:tier_1", data=tmp_path)
    answers = ["4", "1", "2", "3", "", "rather sensitive"]
    samples = task.samples()
    found = figures(task, [solved(task, text, sample) for text, sample in zip(answers, samples, strict=True)])
    assert (found["nearest"], found["unread"]) == (pytest.approx(4 / 6), pytest.approx(2 / 6))
    assert found["correlation_tier_1"] == pytest.approx(0.99, abs=0.01)
    assert "unread" not in figures(task, [solved(task, "4", samples[0])])


@pytest.mark.parametrize(
    ("score", "says"),
    [
        ("int(answer or 0) > 3", r"score\(\): ValueError: invalid literal"),
        ("10 ** len(answer)", r"score\(\) returned 1000"),
        ("10 ** (20 * len(answer))", r"score\(\) returned a number that is too long"),
        ("{'other': True} if answer else {'mine': True}", r"score\(\) returned \{'other'"),
    ],
)
def test_what_your_own_score_cannot_score_is_said_with_its_file(tmp_path: Path, score: str, says: str):
    file = tmp_path / "mine.py"
    file.write_text(
        f'def samples():\n    return [{{"input": "a number?"}}]\n\n\ndef score(row, answer):\n    return {score}\n'
    )
    task = open_task(f"python:{file}")
    (sample,) = task.samples()
    with pytest.raises(InputError, match=rf"mine\.py.*{says}"):
        solved(task, "x" * 400, sample)
