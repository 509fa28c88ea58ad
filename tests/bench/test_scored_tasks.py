"""Tasks whose answer is the likeliest text: truthfulqa:mc1, and letters where the model can compare them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from lamina.bench.driving import drive
from lamina.bench.tasks import Outcome, Setting, Task, list_tasks, open_task
from lamina.errors import InputError, ModelError
from lamina.models.continuations import cut_row
from lamina.models.model import Reply, Request
from lamina.tools import Toolbox

HEADER = "Type,Category,Question,Best Answer,Correct Answers,Incorrect Answers,Source\n"
SETTING = Setting(Toolbox([]), "plain")


class Writer:
    """Writes B whatever it is asked."""

    ref = "writer"

    def __init__(self) -> None:
        self.written = 0

    def generate(
        self, requests: Sequence[Request], on_reply: Callable[[int, Reply], None] | None = None
    ) -> list[Reply]:
        self.written += len(requests)
        return [Reply("B") for _ in requests]

    def close(self) -> None: ...


class Scorer(Writer):
    """Finds a text as likely as ``chances`` says."""

    def __init__(self, chances: dict[str, float], problem: str | None = None) -> None:
        super().__init__()
        self.chances, self.problem = chances, problem

    def score(self, requests: Sequence[Request], on_reply: Callable[[int, Reply], None] | None = None) -> list[Reply]:
        replies = []
        for index, request in enumerate(requests):
            logs = [] if self.problem else [math.log(self.chances[c.strip()]) for c in request.continuations]
            best = request.continuations[logs.index(max(logs))].strip() if logs else ""
            replies.append(Reply(best, problem=self.problem, likelihoods=logs))
            if on_reply is not None:
                on_reply(index, replies[-1])
        return replies


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "truthfulqa").mkdir()
    rows = ["A,M,Who?,Ann,Ann; Bea,Cid; Dan; Cid,u", "A,M,Where?,Ulm,Ulm,Rome,u"]
    (tmp_path / "truthfulqa" / "TruthfulQA.csv").write_text(HEADER + "\n".join(rows) + "\n")
    (tmp_path / "mmlu").mkdir()
    (tmp_path / "mmlu" / "test_sample.csv").write_text("subject,question,A,B,C,D,answer\nlaw,Which?,w,x,y,z,C\n")
    return tmp_path


def outcomes(task: Task, model: Writer) -> list[Outcome]:
    found: dict[str, Outcome] = {}
    samples = task.samples()
    drive(model, [(s.id, task.solve(s, SETTING)) for s in samples], lambda key, o: found.__setitem__(key, o))
    return [found[s.id] for s in samples]


def figures(task: Task, found: list[Outcome]) -> dict[str, float]:
    return {f.metric: f.interval.value for f in task.figures([{**o.scores, "right": o.right} for o in found])}


def test_mc1_is_right_where_the_best_answer_is_likelier_than_every_false_one(data: Path):
    task = open_task("truthfulqa:mc1", data=data)
    # Bea is true as well and likelier than Ann: MC1 compares the best answer with false ones only
    model = Scorer({"Ann": 0.2, "Bea": 0.6, "Cid": 0.1, "Dan": 0.1, "Ulm": 0.25, "Rome": 0.75})
    first, second = outcomes(task, model)
    assert (first.right, second.right) == (True, False)
    assert first.scores["mc2"] == pytest.approx(0.8)
    assert second.scores["mc2"] == pytest.approx(0.25)
    assert figures(task, [first, second]) == pytest.approx({"mc1": 0.5, "mc2": 0.525})
    assert first.transcript[0]["likelihoods"]["Bea"] == pytest.approx(math.log(0.6))


def test_the_question_follows_the_six_of_the_paper_without_a_chat_template(data: Path):
    task = open_task("truthfulqa:mc1", data=data)
    sample = task.samples()[0]
    request = next(task.solve(sample, SETTING))
    assert str(request.raw_prompt).count("\nA:") == 7
    assert str(request.raw_prompt).endswith("held in Barcelona, Spain.\n\nQ: Who?\nA:")
    assert request.continuations == [" Ann", " Bea", " Cid", " Dan"]


def test_a_question_that_cannot_be_scored_is_not_wrong(data: Path):
    task = open_task("truthfulqa:mc1", data=data)
    found = outcomes(task, Scorer({}, problem="too long"))
    assert figures(task, found) == {"unscored": 1.0}
    assert not task.counts_in_pair(found[0].scores)
    assert found[0].reasons == ["not answered: too long"]


def test_a_model_that_cannot_say_likelihoods_is_refused_and_not_asked_otherwise(data: Path):
    model = Writer()
    with pytest.raises(ModelError, match=r"writer: .* how likely a given text is; take a GGUF file"):
        outcomes(open_task("truthfulqa:mc1", data=data), model)
    assert model.written == 0


def test_letters_are_compared_where_the_model_can_and_written_under_the_grammar_else(data: Path):
    task = open_task("mmlu", data=data)
    writer, scorer = Writer(), Scorer({"A": 0.2, "B": 0.1, "C": 0.4, "D": 0.3})
    assert [o.transcript[0]["answer"] for o in outcomes(task, writer)] == ["B"]
    assert [(o.transcript[0]["answer"], o.right) for o in outcomes(task, scorer)] == [("C", True)]
    assert (writer.written, scorer.written) == (1, 0)


@pytest.mark.parametrize("row", ["A,M,Who?,,Ann,Cid,u", "A,M,Who?,Ann,Ann,,u"])
def test_a_question_without_answers_to_compare_is_the_file_s_fault(data: Path, row: str):
    (data / "truthfulqa" / "TruthfulQA.csv").write_text(HEADER + row + "\n")
    with pytest.raises(InputError, match="question 1 has nothing to compare"):
        open_task("truthfulqa:mc1", data=data).samples()


def test_a_variant_that_is_none_is_refused(data: Path):
    with pytest.raises(InputError, match="no variant 'mc9'"):
        open_task("truthfulqa:mc9", data=data)


def test_blanks_at_the_end_of_a_prompt_count_to_the_continuation():
    """Cut where words carry the blank before them, as most vocabularies have it."""
    known: dict[str, int] = {}

    def tokens(text: str) -> list[int]:
        words = text.replace(" ", "\0 ").split("\0")
        return [known.setdefault(w, len(known)) for w in words if w]

    apart, before = cut_row(tokens, "A:", [" four", " five"], 99), cut_row(tokens, "A: ", ["four", "five"], 99)
    assert apart == before
    assert len(apart.own) == 2


def test_what_all_continuations_begin_with_is_read_once():
    row = cut_row(lambda text: [ord(c) for c in text], "ab", ["xyz", "xyw", "x"], 99)
    assert (row.prompt, row.shared, row.own) == ([97, 98], [], [[120, 121, 122], [120, 121, 119], [120]])
    row = cut_row(lambda text: [ord(c) for c in text], "ab", ["xyz", "xyw"], 99)
    assert (row.shared, row.own, row.size) == ([120, 121], [[122], [119]], 4)


def with_examples(data: Path, subjects: list[str]) -> Path:
    """Seven questions with answers a subject; the paper shows five."""
    lines = [f"{subject},Old {i}?,p,q,r,s,B" for subject in subjects for i in range(7)]
    (data / "mmlu" / "dev.csv").write_text("subject,question,A,B,C,D,answer\n" + "\n".join(lines) + "\n")
    return data


def test_five_questions_with_answers_of_its_subject_stand_before_a_question_of_the_published_mmlu(data: Path):
    task = open_task("mmlu:5-shot", data=with_examples(data, ["law", "art_history"]))
    request = next(task.solve(task.samples()[0], SETTING))
    first, *examples, asked = str(request.raw_prompt).split("\n\n")
    assert first == "The following are multiple choice questions (with answers) about law."
    assert examples == [f"Old {i}?\nA. p\nB. q\nC. r\nD. s\nAnswer: B" for i in range(5)]
    assert asked == "Which?\nA. w\nB. x\nC. y\nD. z\nAnswer:"
    assert (list(request.messages), list(request.continuations)) == ([], [" A", " B", " C", " D"])
    scores = [o.scores for o in outcomes(task, Scorer({"A": 0.1, "B": 0.2, "C": 0.6, "D": 0.1}))]
    assert scores == [{"accuracy": True, "cut": False, "unscored": False}]


def test_the_published_files_of_each_subject_are_read_as_they_are(tmp_path: Path):
    for part, question in (("dev", "Old?"), ("test", '"Which,\nthen?"')):
        (tmp_path / "mmlu" / part).mkdir(parents=True)
        for subject in ("art_history", "law"):
            row = f"{question},w,x,y,z,C\n"
            (tmp_path / "mmlu" / part / f"{subject}_{part}.csv").write_text(row * 2)
    task = open_task("mmlu", data=tmp_path)
    assert [s.id for s in task.samples()] == ["art_history-1", "art_history-2", "law-3", "law-4"]
    assert task.samples()[0].row["target"] == "C"
    (first, _) = open_task("mmlu:5-shot:law", data=tmp_path).samples()
    assert first.row["prompt"].count("Old?") == 2
    (tmp_path / "mmlu/test/law_test.csv").write_text("Which?,w,x,C\n")
    with pytest.raises(InputError, match=r"law_test\.csv:1: has another number of fields than there are columns \(6\)"):
        task.samples()


def test_a_subject_without_examples_is_said_by_its_name(data: Path):
    task = open_task("mmlu:5-shot", data=with_examples(data, ["physics"]))
    with pytest.raises(InputError, match=r"the subject 'law' has no examples; add its questions to mmlu/dev.csv"):
        task.samples()


def test_a_subject_is_chosen_with_and_without_examples(data: Path):
    with_examples(data, ["law"])
    assert [s.id for s in open_task("mmlu:5-shot:law", data=data).samples()] == ["law-1"]
    for spec in ("mmlu:art", "mmlu:5-shot:art"):
        with pytest.raises(InputError, match="there is no subject 'art'"):
            open_task(spec, data=data).samples()


def test_an_argument_that_a_task_does_not_take_is_refused(data: Path):
    with pytest.raises(InputError, match="the task 'gsm8k' takes no 'hard'; write gsm8k"):
        open_task("gsm8k:hard", data=data)


def test_every_task_says_whether_it_takes_an_argument():
    for task in list_tasks():
        after = task["about"].removeprefix(task["name"])
        assert after != task["about"]
        assert after[0] in ",:["
