"""Tasks with a written answer: what is right scores, what is wrong does not, on the real files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lamina.bench.tasks import Outcome, Sample, Setting, Task, open_task
from lamina.errors import InputError
from lamina.models import Reply
from lamina.tools import Toolbox

SHARED = Path(__file__).parents[3] / "shared" / "data"
TASKS = (
    "mmlu", "gsm8k", "truthfulqa", "bbq", "hotpotqa", "xquad", "dolly", "sql", "social_chemistry", "advglue", "xstest",
    "halueval", "trustllm", "privacy",
)  # fmt: skip
SETTING = Setting(Toolbox([]), "plain")


def solved(task: Task, sample: Sample, text: str, problem: str | None = None, *, cut: bool = False) -> Outcome:
    talk = task.solve(sample, SETTING)
    next(talk)
    with pytest.raises(StopIteration) as ended:
        talk.send(Reply(text=text, problem=problem, truncated=cut))
    return ended.value.value


def right_answer(row: dict) -> str:
    if "label" not in row and row["target"] in ("safe", "unsafe"):
        return "I'm sorry, I can't." if row["target"] == "unsafe" else "Gladly: first, …"
    return row["target"][0] if isinstance(row["target"], list) else row["target"]


def figures(task: Task, outcomes: list[Outcome]) -> dict[str, float]:
    found = task.figures([{**o.scores, "right": o.right} for o in outcomes])
    assert all(f.interval.low - 1e-9 <= f.interval.value <= f.interval.high + 1e-9 for f in found)
    return {f.metric: f.interval.value for f in found}


@pytest.mark.parametrize("name", TASKS)
def test_right_answers_score_everything_and_wrong_ones_nothing(name: str):
    if not SHARED.is_dir():
        pytest.skip("the folder of shared data is not beside this checkout")
    task = open_task(name, data=SHARED)
    samples = task.samples()
    assert len({s.id for s in samples}) == len(samples) >= 100
    json.dumps([s.row for s in samples])
    few = samples[:: max(1, len(samples) // 40)]
    right = figures(task, [solved(task, s, right_answer(s.row)) for s in few])
    assert right[task.paired_metric] == 1
    nonsense = figures(task, [solved(task, s, "qwrtz I cannot" if s.row["target"] == "safe" else "qwrtz") for s in few])
    assert nonsense[task.paired_metric] == 0


def test_what_the_engine_refused_is_not_scored_and_what_was_cut_is_said(tmp_path: Path):
    task = own(tmp_path, [{"input": "2+2?", "target": "4"}])
    (sample,) = task.samples()
    refused = solved(task, sample, "", "the prompt has 9,000 tokens, the model's context 2,048")
    cut = solved(task, sample, "4", cut=True)
    found = figures(task, [refused, cut])
    assert (found["exact_match"], found["unscored"], found["cut"]) == (1.0, 0.5, 1.0)
    assert not task.counts_in_pair(refused.scores)


def test_bias_is_one_where_every_answer_follows_the_stereotype_and_none_where_it_is_unknown():
    if not SHARED.is_dir():
        pytest.skip("the folder of shared data is not beside this checkout")
    task = open_task("bbq:Age", data=SHARED)
    samples = task.samples()
    follows = figures(task, [solved(task, s, s.row["stereotype"]) for s in samples])
    against = figures(
        task, [solved(task, s, next(iter(set("ABC") - {s.row["stereotype"], s.row["unknown"]}))) for s in samples]
    )
    unknown = figures(task, [solved(task, s, s.row["unknown"]) for s in samples])
    assert (follows["bias_disambiguated"], against["bias_disambiguated"]) == (1, -1)
    assert follows["bias_ambiguous"] == 1
    assert "bias_disambiguated" not in unknown


def test_a_task_without_its_files_says_which_to_name():
    with pytest.raises(InputError, match=r"holds gsm8k/test\.jsonl with --data"):
        open_task("gsm8k").samples()


def own(folder: Path, rows: list[object]) -> Task:
    file = folder / "mine.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return open_task(f"jsonl:{file}")


def test_your_own_questions_are_a_task(tmp_path: Path):
    task = own(tmp_path, [{"input": f"say {n}", "target": [str(n), "ja"], "metric": "contains"} for n in range(3)])
    outcomes = [solved(task, s, "well, 1") for s in task.samples()]
    assert [o.right for o in outcomes] == [False, True, False]
    assert figures(task, outcomes)["contains"] == pytest.approx(1 / 3)


def test_answers_without_text_are_misses_and_are_counted(tmp_path: Path):
    task = own(tmp_path, [{"input": f"say {n}", "target": "ja", "metric": "contains"} for n in range(4)])
    outcomes = [solved(task, s, text) for s, text in zip(task.samples(), ("ja", "", " \n", "nein"), strict=True)]
    assert figures(task, outcomes) == {"contains": 0.25, "wrote_nothing": 0.5}
    assert "wrote_nothing" not in figures(task, outcomes[:1])


def test_choices_constrain_the_answer(tmp_path: Path):
    task = own(tmp_path, [{"input": "red or blue?", "target": "blue", "choices": ["red", "blue"]}])
    request = next(task.solve(task.samples()[0], SETTING))
    assert request.grammar == 'start: "red" | "blue"'


def test_your_own_questions_may_be_about_images_beside_their_file(tmp_path: Path):
    rows = [{"input": "?", "target": "a", "images": given} for given in ("a.png", ["all.zip/b.png", "/far/c.png"])]
    task = own(tmp_path, [*rows, {"input": "?", "target": "a"}])
    shown = [list(next(task.solve(sample, SETTING)).images) for sample in task.samples()]
    assert shown == [[str(tmp_path / "a.png")], [str(tmp_path / "all.zip/b.png"), "/far/c.png"], []]


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({"target": "x"}, "has no 'input' text"),
        ({"input": "x"}, "has no 'target'"),
        ({"input": "x", "target": []}, "has no 'target'"),
        ({"input": "x", "target": "y", "metric": "vibes"}, "unknown metric 'vibes'"),
        ({"input": "x", "target": ""}, "has no 'target'"),
        ({"input": "x", "target": "y", "metric": ["f1"]}, "unknown metric"),
        ({"input": "x", "target": "b", "id": "1"}, "has the id '1' of line 1"),
        ({"input": "x", "target": "b", "id": [1]}, "'id' that is no text and no number"),
        ({"input": "x", "target": "y", "choices": "yes"}, "'choices' that are no list of texts"),
        ({"input": "x", "target": "1", "choices": [1, 2]}, "'choices' that are no list of texts"),
        ({"input": "x", "target": "maybe", "choices": ["yes", "no"]}, r"no right answer among its choices \(yes, no\)"),
        ({"input": "x", "target": "y", "system": 5}, "'system' that is no text"),
        ({"input": "x", "target": "y", "images": [5]}, "'images' that are no path and no list of paths"),
        ([1], "is not an object"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, row: object, says: str):
    with pytest.raises(InputError, match=says) as caught:
        own(tmp_path, [{"input": "a", "target": "b"}, row])
    assert "mine.jsonl:2" in str(caught.value)
    assert '; write {"input": "…", "target": "…"}, and "metric", "choices"' in str(caught.value)


def test_a_line_of_another_metric_says_what_to_do_with_it(tmp_path: Path):
    first = {"input": "a", "target": "b", "metric": "contains"}
    for row, has in (({}, "no metric, which is 'exact_match'"), ({"metric": "f1"}, "the metric 'f1'")):
        says = rf"mine\.jsonl:2: has {has}, and the lines before have 'contains'; write the same metric in every line"
        with pytest.raises(InputError, match=says):
            own(tmp_path, [first, {"input": "c", "target": "d", **row}])


@pytest.mark.parametrize(
    ("metric", "target", "says"),
    [("number", ["3", "unknown"], "'unknown', which is no number"), ("sql", "the oldest", "which is no query")],
)
def test_a_target_that_no_answer_could_match_is_named(tmp_path: Path, metric: str, target: object, says: str):
    with pytest.raises(InputError, match=says):
        own(tmp_path, [{"input": "a", "target": target, "metric": metric}])


@pytest.mark.parametrize(
    ("metric", "target", "right", "wrong"),
    [
        ("exact_match", "A", ("A", " a "), ("", "the", "an", "B", "?")),
        ("exact_match", "the cat", ("Cat.", "the cat"), ("", "the")),
        ("f1", "A", ("a",), ("", "the")),
        ("number", "3", ("3", "so it is 3.0"), ("", "no idea", "4")),
        ("number", "9" * 400, (), ("8" * 400, "no idea")),
        (
            "sql",
            ["SELECT a FROM t", "SELECT b FROM t"],
            ("select b from t", "SELECT a FROM t"),
            ("", "SELECT c FROM t"),
        ),
    ],
)
def test_your_metric_takes_what_is_right_and_nothing_else(
    tmp_path: Path, metric: str, target: object, right: tuple[str, ...], wrong: tuple[str, ...]
):
    task = own(tmp_path, [{"input": "?", "target": target, "metric": metric}])
    (sample,) = task.samples()
    assert all(solved(task, sample, text).right for text in right)
    assert not any(solved(task, sample, text).right for text in wrong)
