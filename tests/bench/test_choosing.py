"""Which choice an answer names: what says one is read, what says none or two is counted and never guessed."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from lamina.bench.choosing import read_choice
from lamina.bench.tasks import Outcome, Setting, Task, open_task
from lamina.models import Reply
from lamina.tools import Toolbox

LETTERS = ["A", "B", "C", "D"]
FEELINGS = ["negative", "positive"]
RATINGS = ["-100", "-50", "0", "50", "100"]


@pytest.mark.parametrize(
    ("choices", "answer", "read"),
    [
        (LETTERS, "D", "D"), (LETTERS, " D\n", "D"), (LETTERS, "The answer is D.", "D"), (LETTERS, "**D**", "D"),
        (LETTERS, "(d)", "D"), (LETTERS, "D. Paris", "D"), (LETTERS, "D) Paris", "D"), (LETTERS, "D: Paris", "D"),
        (LETTERS, "**D. Paris**\n\nParis is the capital.", "D"), (LETTERS, "Answer: D", "D"),
        (LETTERS, "D\n\nBecause Paris is a city.", "D"), 
        (LETTERS, "The correct answer is **(D)**, as A is a river.", "D"),
        (LETTERS, "Let me think. The correct option is: D", "D"), (LETTERS, "I would choose option C.", "C"),
        (LETTERS, r"So it is \boxed{B}", "B"), 
        (LETTERS, "A. Ohio is a river. B. Utah is a state. The answer is B.", None),
        (LETTERS, "The correct answer to this question is D.", "D"), (LETTERS, "The answer   is:\n\n  D", "D"),
        ([" A", " B"], "B", " B"), ([" A", " B"], " A", " A"),
        (FEELINGS, "negative.", "negative"), (FEELINGS, "Negative", "negative"), (FEELINGS, '"POSITIVE"', "positive"),
        (FEELINGS, "The sentence is **negative**.", "negative"), (FEELINGS, "The answer is positive", "positive"),
        (FEELINGS, "Positive, because it praises the film.", "positive"),
        (["no", "yes"], "No, it does not.", "no"), (["no", "yes"], "Yes\nIt does.", "yes"),
        (["1", "2", "3", "4"], "I'd say 3", "3"), (["1", "2", "3", "4"], "3 - somewhat", "3"), (RATINGS, "-50.", "-50"),
        (RATINGS, "My rating is -100.", "-100"), (["good", "very good"], "It is very good.", "very good"),
    ],
)  # fmt: skip
def test_a_choice_is_read_from_what_models_write(choices: list[str], answer: str, read: str | None):
    assert read_choice(choices, answer) == read


@pytest.mark.parametrize(
    ("choices", "answer"),
    [
        (LETTERS, ""), (LETTERS, "A good question."), (LETTERS, "I don't know."), 
        (LETTERS, "The answer is a tricky one."), (LETTERS, "The answer is B, or C."),
        (LETTERS, "The answer is not D."), (LETTERS, "The answer is B or C."), (LETTERS, "A, B and C are all right."),
        (LETTERS, "Option B is wrong."), (LETTERS, "**A** is wrong."), (LETTERS, "Paris"), (LETTERS, "Vitamin D is."),
        (LETTERS, "A: wrong\nB: right\nC: wrong"), (LETTERS, "The answer is A. No, the answer is B."), (LETTERS, "E"),
        (FEELINGS, "It is not positive."), (FEELINGS, "It is positive, or it is negative."), (FEELINGS, "neutral"),
        (["no", "yes"], "There is no entailment."), (["no", "yes"], "No. The answer is yes."),
        (["1", "2", "3", "4"], "13"), (["1", "2", "3", "4"], "It is 3.5."), (RATINGS, "about 500"),
    ],
)  # fmt: skip
def test_what_names_none_or_two_is_not_guessed(choices: list[str], answer: str):
    assert read_choice(choices, answer) is None


def test_a_long_run_of_blanks_or_marks_is_read_at_once():
    before = time.perf_counter()
    for mark in (" ", "\n", " \n", "*", "is ", "the answer is "):
        assert read_choice(FEELINGS, "The answer is" + mark * 2_000) is None
    assert time.perf_counter() - before < 2


def test_choices_that_differ_in_case_alone_are_told_apart_by_it():
    assert read_choice(["us", "US"], "US.") == "US"
    assert read_choice(["us", "US"], "The answer is Us") is None


def own(folder: Path, n: int) -> Task:
    row = {"input": "red or blue?", "target": "blue", "choices": ["red", "blue"]}
    file = folder / "mine.jsonl"
    file.write_text("".join(json.dumps({**row, "id": str(i)}) + "\n" for i in range(n)), encoding="utf-8")
    return open_task(f"jsonl:{file}")


def solved(task: Task, text: str) -> Outcome:
    talk = task.solve(task.samples()[0], Setting(Toolbox([]), "plain"))
    next(talk)
    with pytest.raises(StopIteration) as ended:
        talk.send(Reply(text=text))
    return ended.value.value


def test_an_answer_that_cannot_be_read_is_a_miss_and_counted_as_such(tmp_path: Path):
    task = own(tmp_path, 4)
    outcomes = [solved(task, text) for text in ("blue", "It is Blue.", "red", "I like both.")]
    assert [o.right for o in outcomes] == [True, True, False, False]
    assert outcomes[1].transcript[0]["answer"] == "It is Blue."
    assert outcomes[1].transcript[0]["choice"] == "blue"
    assert outcomes[3].reasons == ["none of the choices can be read in the answer"]
    found = {f.metric: (f.interval.value, f.interval.n) for f in task.figures([o.scores for o in outcomes])}
    assert found == {"exact_match": (0.5, 4), "unread": (0.25, 4)}


def test_figures_over_parts_are_of_the_answers_that_were_read(tmp_path: Path):
    folder = tmp_path / "confaide"
    folder.mkdir()
    (folder / "tier_1.txt").write_text("Your name?\nYour wage?\nYour health?\nYour hair?\nYour dog?\n")
    (folder / "tier_1_labels.txt").write_text("1.2\n3.1\n3.9\n1.8\n2.9\n")
    task = open_task("confaide:tier_1", data=tmp_path)
    outcomes = []
    for sample, said in zip(task.samples(), ("1", "I'd say 3", "4.", "", "That depends."), strict=True):
        talk = task.solve(sample, Setting(Toolbox([]), "plain"))
        next(talk)
        with pytest.raises(StopIteration) as ended:
            talk.send(Reply(text=said))
        outcomes.append(ended.value.value)
    found = {f.metric: f.interval for f in task.figures([o.scores for o in outcomes])}
    assert (found["nearest"].value, found["unread"].value) == (pytest.approx(3 / 5), pytest.approx(2 / 5))


def test_after_a_raw_prompt_only_the_first_line_is_the_answer(tmp_path: Path):
    (tmp_path / "mmlu").mkdir()
    header = "question,A,B,C,D,answer,subject\n"
    for name in ("test_sample.csv", "dev.csv"):
        (tmp_path / "mmlu" / name).write_text(header + "Which?,Ohio,Utah,Iowa,Maine,B,maps\n")
    task = open_task("mmlu:5-shot", data=tmp_path)
    assert solved(task, " B\n\nWho?\nA. Ann\nAnswer: C").right
