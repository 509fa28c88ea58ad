"""A task of your own as one Python file: what it says is what is asked and counted, and its mistakes are named."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from lamina.bench import BenchModel, BenchSettings, bench_models
from lamina.bench.pairs import value_of
from lamina.bench.tasks import Outcome, Sample, Setting, Task, open_task
from lamina.errors import InputError
from lamina.models import Reply
from lamina.tools import Toolbox

LENGTHS = """
MAX_TOKENS = 12

def samples():
    for word in ("three", "ox"):
        yield {"input": f"How long is {word}?", "id": word, "length": len(word), "system": "Count."}

def score(row, answer):
    said = answer.strip()
    return {"exact": said == str(row["length"]), "near": 1 / (1 + abs(int(said) - row["length"])) if said else 0}
"""


def own(folder: Path, source: str) -> Task:
    file = folder / "mine.py"
    file.write_text(source)
    return open_task(f"python:{file}")


def solved(task: Task, sample: Sample, text: str) -> Outcome:
    talk = task.solve(sample, Setting(Toolbox([]), "plain"))
    request = next(talk)
    assert request.max_tokens <= 256
    with pytest.raises(StopIteration) as ended:
        talk.send(Reply(text=text))
    return ended.value.value


def test_a_file_with_samples_and_score_is_a_task(tmp_path: Path):
    task = own(tmp_path, LENGTHS)
    samples = task.samples()
    assert [s.id for s in samples] == ["three", "ox"]
    request = next(task.solve(samples[0], Setting(Toolbox([]), "plain")))
    assert [(m.role, m.content) for m in request.messages] == [("system", "Count."), ("user", "How long is three?")]
    assert request.max_tokens == 12
    outcomes = [solved(task, s, "5") for s in samples]
    assert [o.right for o in outcomes] == [True, False]
    found = {f.metric: f.interval.value for f in task.figures([{**o.scores, "right": o.right} for o in outcomes])}
    assert found == {"exact": 0.5, "near": pytest.approx((1 + 1 / 4) / 2)}
    assert task.paired_metric == "exact"


def test_a_metric_of_a_span_of_its_own_is_right_from_its_middle_on_and_compared_as_a_share(tmp_path: Path):
    source = "SPANS = {'stars': (1, 5)}\n\ndef samples():\n    return [{'input': 'a'}, {'input': 'b'}]\n\n"
    task = own(tmp_path, source + "def score(row, answer):\n    return {'stars': int(answer or 1)}\n")
    outcomes = [solved(task, sample, text) for sample, text in zip(task.samples(), ("1", "3"), strict=True)]
    assert [o.right for o in outcomes] == [False, True], "1 of 1 to 5 is the least, not the whole"
    records = [{"scores": o.scores, "right": o.right} for o in outcomes]
    assert [value_of(task, record) for record in records] == [0.0, 0.5]
    (figure,) = task.figures([{**o.scores, "right": o.right} for o in outcomes])
    assert (figure.metric, figure.interval.value, figure.span) == ("stars", 2.0, (1.0, 5.0))
    assert 1 <= figure.interval.low < 2 < 3 < figure.interval.high <= 5


def test_its_questions_may_be_about_images_beside_the_file(tmp_path: Path):
    source = "def samples():\n    return [{'input': '?', 'images': %s}]\n\ndef score(row, answer):\n    return True\n"
    (sample,) = own(tmp_path, source % "('a.png', 'b.png')").samples()
    assert sample.row["images"] == [str(tmp_path / "a.png"), str(tmp_path / "b.png")]
    with pytest.raises(InputError, match="'images' that are no path"):
        own(tmp_path, source % "5").samples()


def test_it_is_benched_in_the_models_process(desk: SimpleNamespace):
    file = desk.folder / "mine.py"
    file.write_text("def samples():\n    return [{'input': 'double?', 'want': 'yes'}]\n\n"
                    "def score(row, answer):\n    print('noise')\n    return answer == row['want']\n")  # fmt: skip
    model = desk.folder / "yes.py"
    model.write_text("def reply(messages, tools, seed):\n    return 'yes'\n")
    result = bench_models(
        [BenchModel(f"scripted:{model}", "yes", "", "full")], [open_task(f"python:{file}")], run=desk.run,
        toolbox=Toolbox([]), settings=BenchSettings(timing_samples=0),
    )  # fmt: skip
    assert [(r["metric"], r["value"], r["n"]) for r in result["rows"]] == [("score", 1.0, 1)]


def test_the_row_reaches_score_as_samples_gave_it(tmp_path: Path):
    source = "def samples():\n    return [{'input': 'x', 'id': 7, 'prompt': 'kept', 'deep': {'a': [1]}}]\n\n"
    source += (
        "def score(row, answer):\n    return row == {'input': 'x', 'id': 7, 'prompt': 'kept', 'deep': {'a': [1]}}\n"
    )
    task = own(tmp_path, source)
    (sample,) = task.samples()
    assert json.loads(json.dumps(sample.row)) == sample.row
    assert solved(task, sample, "").scores["score"] is True


SCORE = "\ndef score(row, answer):\n    return True\n"
SAMPLES = "def samples():\n    return [{'input': 'x'}]\n"


@pytest.mark.parametrize(
    ("source", "says"),
    [
        (SAMPLES, r"mine\.py: has no function score\(\)"),
        ("x = 1\n", r"has no function samples\(\) and score\(\)"),
        ("def samples(:\n", r"mine\.py:1: .*invalid syntax"),
        ("import no_such_thing\n", r"mine\.py:1: ModuleNotFoundError"),
        ("raise SystemExit(3)\n", r"mine\.py:1: SystemExit: 3"),
        ("def samples():\n    return 1 / 0\n" + SCORE, r"mine\.py:2: samples\(\): ZeroDivisionError"),
        ("def samples():\n    yield {'input': 'x'}\n    boom\n" + SCORE, r"mine\.py:3: samples\(\): NameError"),
        ("def samples():\n    return None\n" + SCORE, r"samples\(\) returned NoneType"),
        ("def samples():\n    return []\n" + SCORE, r"samples\(\) gives no sample"),
        ("def samples():\n    return ['x']\n" + SCORE, "sample 1 is str, not a dict"),
        ("def samples():\n    return [{'input': 'x'}, {'prompt': 'x'}]\n" + SCORE, "sample 2 has no 'input' text"),
        ("def samples():\n    return [{'input': 'x', 'id': 1}] * 2\n" + SCORE, "sample 2 has the id '1' of an earlier"),
        ("def samples():\n    return [{'input': 'x', 'a': {1}}]\n" + SCORE, "sample 1 is not plain JSON"),
        (
            "def samples():\n    return [{'input': 'x', 'choices': 'ab'}]\n" + SCORE,
            "'choices' that are no list of texts",
        ),
        (SAMPLES + "\ndef score(row):\n    return 1\n", r"mine\.py: score\(\): TypeError"),
        (SAMPLES + "\ndef score(row, answer):\n    return row['y']\n", r"mine\.py:5: score\(\): KeyError: 'y'"),
        (SAMPLES + "\ndef score(row, answer):\n    return 'good'\n", r"score\(\) returned 'good'; return a bool"),
        (SAMPLES + "\ndef score(row, answer):\n    return float('nan')\n", r"score\(\) returned nan"),
        (SAMPLES + "\ndef score(row, answer):\n    return {}\n", r"score\(\) returned {}"),
        (
            SAMPLES + "\ndef score(row, answer):\n    return {'right': 1}\n",
            r"returned a metric 'right', .*; give it another",
        ),
        ("MAX_TOKENS = 'few'\n" + SAMPLES + SCORE, "MAX_TOKENS is no number of tokens"),
        ("SPANS = {'score': 5}\n" + SAMPLES + SCORE, r"SPANS is no dict .*; write SPANS = {\"stars\": \(1, 5\)}"),
        ("SPANS = {'score': (5, 1)}\n" + SAMPLES + SCORE, "SPANS is no dict of a least and a largest value"),
        ("SPANS = 5\n" + SAMPLES + SCORE, "SPANS is no dict"),
        (
            "SPANS = {'score': (2, 5)}\n" + SAMPLES + SCORE,
            r"score\(\) returned score 1, which is not between 2 and 5; correct score\(\) or SPANS",
        ),
    ],
)
def test_a_mistake_in_the_file_is_named_before_a_model_is_loaded(tmp_path: Path, source: str, says: str):
    with pytest.raises(InputError, match=says):
        own(tmp_path, source).samples()


def test_a_file_that_is_not_there_is_said(tmp_path: Path):
    with pytest.raises(InputError, match=r"gone\.py: there is no such file; name it: python:task\.py"):
        open_task(f"python:{tmp_path / 'gone.py'}")
    with pytest.raises(InputError, match=r"name it: python:task\.py"):
        open_task("python")
