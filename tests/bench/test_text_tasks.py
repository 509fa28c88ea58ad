"""Summaries, refusals and privacy: every published form of a file is read, and figures are what a hand count gives."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pytest

from lamina.bench.tasks import Outcome, Sample, Setting, Task, list_tasks, open_task
from lamina.bench.tasks.privacy import leaks
from lamina.errors import InputError
from lamina.models import Reply
from lamina.tools import Toolbox

SHARED = Path(__file__).parents[3] / "shared" / "data"
SETTING = Setting(Toolbox([]), "plain")
REFUSED, HELPED = "I'm sorry, but I can't help with that.", "Sure, here is how."

NEWS = [
    {"id": "a1", "article": "The cat sat on the mat all day.", "highlights": "cat sat on mat"},
    {"id": "a2", "article": "It rained in Paris, twice.", "highlights": "rain in Paris"},
]


def solved(task: Task, sample: Sample, *texts: str) -> Outcome:
    talk = task.solve(sample, SETTING)
    next(talk)
    for text in texts[:-1]:
        talk.send(Reply(text=text))
    with pytest.raises(StopIteration) as ended:
        talk.send(Reply(text=texts[-1]))
    return ended.value.value


def figures(task: Task, answers: list[str]) -> dict[str, tuple[float, int]]:
    samples = task.samples()
    assert len(samples) == len(answers)
    outcomes = [solved(task, sample, answer) for sample, answer in zip(samples, answers, strict=True)]
    found = task.figures([{**o.scores, "right": o.right} for o in outcomes])
    return {f.metric: (f.interval.value, f.interval.n) for f in found}


def write_csv(file: Path, rows: list[dict[str, str]]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with open(file, "w", encoding="utf-8", newline="") as lines:
        table = csv.DictWriter(lines, fieldnames=list(rows[0]))
        table.writeheader()
        table.writerows(rows)


def write_json(file: Path, rows: object) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(rows), encoding="utf-8")


def write_lines(file: Path, rows: list[dict[str, str]]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def write_parquet(file: Path, rows: list[dict[str, str]]) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    file.parent.mkdir(parents=True, exist_ok=True)
    parquet.write_table(pyarrow.Table.from_pylist(rows), file)


FORMS = [
    ("test.csv", write_csv),
    ("test.json", write_json),
    ("test.jsonl", write_lines),
    ("test.parquet", write_parquet),
    ("test-00000-of-00001.parquet", write_parquet),
]


@pytest.mark.parametrize(("name", "write"), FORMS)
def test_news_articles_are_read_in_every_published_form(tmp_path: Path, name, write):
    write(tmp_path / "cnn_dailymail" / name, NEWS)
    samples = open_task("cnn_dailymail", data=tmp_path).samples()
    assert [(s.id, s.row["prompt"], s.row["target"]) for s in samples] == [
        (row["id"], row["article"], [row["highlights"]]) for row in NEWS
    ]


@pytest.mark.parametrize(("name", "write"), FORMS)
def test_one_sentence_summaries_are_read_in_every_published_form(tmp_path: Path, name, write):
    rows = [{"id": row["id"], "document": row["article"], "summary": row["highlights"]} for row in NEWS]
    write(tmp_path / "xsum" / name, rows)
    task = open_task("xsum", data=tmp_path)
    assert [s.row["prompt"] for s in task.samples()] == [row["article"] for row in NEWS]
    assert figures(task, ["cat sat on mat", "rain in Paris"])["rougeL"] == (pytest.approx(1), 2)


def test_a_summary_scores_the_words_it_shares(tmp_path: Path):
    write_csv(tmp_path / "cnn_dailymail" / "test.csv", NEWS[:1])
    found = figures(open_task("cnn_dailymail", data=tmp_path), ["mat cat"])
    assert found["rouge1"][0] == pytest.approx(2 * 2 / (2 + 4))  # two words shared, of two and four
    assert found["rougeL"][0] == pytest.approx(2 * 1 / (2 + 4))  # one in order


def test_a_summary_task_without_its_file_or_a_column_says_which(tmp_path: Path):
    with pytest.raises(InputError, match=r"holds cnn_dailymail/test\.csv with --data"):
        open_task("cnn_dailymail").samples()
    with pytest.raises(InputError, match=r"xsum/test\.csv: there is no such file"):
        open_task("xsum", data=tmp_path).samples()
    write_csv(tmp_path / "cnn_dailymail" / "test.csv", [{"article": "x", "summary": "y"}])
    with pytest.raises(InputError, match=r"test\.csv:2: has no text 'highlights'"):
        open_task("cnn_dailymail", data=tmp_path).samples()


def test_a_damaged_parquet_file_is_the_users_error(tmp_path: Path):
    pytest.importorskip("pyarrow")
    file = tmp_path / "xsum" / "test.parquet"
    file.parent.mkdir()
    file.write_bytes(b"not parquet")
    with pytest.raises(InputError, match=r"test\.parquet: is no Parquet file"):
        open_task("xsum", data=tmp_path).samples()


@pytest.mark.parametrize(
    ("file", "column"),
    [("do-not-answer/do_not_answer_en.csv", "question"), ("mobileaibench/do_not_answer.csv", "prompt")],
)
def test_the_refusal_rate_is_the_share_of_harmful_requests_refused(tmp_path: Path, file: str, column: str):
    write_csv(tmp_path / file, [{"id": str(n), "risk_area": "x", column: f"harm {n}"} for n in range(4)])
    found = figures(open_task("do_not_answer", data=tmp_path), [REFUSED, HELPED, REFUSED, REFUSED])
    assert found == {"refusal": (0.75, 4)}


def trust(folder: Path) -> Path:
    write_json(folder / "trustllm/safety/misuse.json", [{"prompt": "harm"}, {"prompt": "more harm"}])
    write_json(folder / "trustllm/safety/exaggerated_safety.json", [{"prompt": "kill a process"}])
    return folder


def test_misuse_should_be_refused_and_what_only_sounds_so_should_not(tmp_path: Path):
    found = figures(open_task("trustllm", data=trust(tmp_path)), [REFUSED, HELPED, REFUSED])
    assert found["refusal"] == (0.5, 2)
    assert found["over_refusal"] == (1.0, 1)
    assert found["accuracy"] == (pytest.approx(1 / 3), 3)


def test_one_part_of_trustllm_is_a_task_of_its_own(tmp_path: Path):
    assert len(open_task("trustllm:exaggerated_safety", data=trust(tmp_path)).samples()) == 1
    with pytest.raises(InputError, match=r"jailbreak\.json: there is no such file"):
        open_task("trustllm:jailbreak", data=tmp_path).samples()
    with pytest.raises(InputError, match="take one of misuse, jailbreak, exaggerated_safety"):
        open_task("trustllm:manners")


@pytest.mark.parametrize(
    ("answer", "leaked"),
    [
        ("Her number is 8355444555.", True),
        ("It is 835-5444-555, keep it to yourself.", False),  # other digits' groups are not looked for
        ("18355444555", False),
        ("I can't share that.", False),
    ],
)
def test_a_leak_is_the_very_datum_and_no_part_of_a_longer_one(answer: str, leaked: bool):
    assert leaks(answer, "8355444555") is leaked


def test_a_datum_of_several_parts_may_be_spaced_otherwise():
    assert leaks("his SSN: 973 26 6544", "973-26-6544")
    assert leaks("6249 example st. ExampleCity (EX) 17750", "6249 Example St, ExampleCity, EX, 17750")
    assert not leaks("973-26-65441", "973-26-6544")
    assert not leaks("anything", "")


def queries(folder: Path) -> Path:
    rows = [
        {"prompt": "Lisa's PIN: 4711. What is it?", "info-content": "4711", "type": kind}
        for kind in ("normal", "normal", "aug", "aug")
    ]
    write_json(folder / "trustllm/privacy/privacy_awareness_query.json", rows)
    return folder


def test_private_data_are_refused_or_told_with_and_without_a_policy(tmp_path: Path):
    answers = ["It is 4711.", HELPED, REFUSED, "I cannot tell you that it is 4711."]
    found = figures(open_task("privacy", data=queries(tmp_path)), answers)
    assert found["refusal"] == (0.5, 4)
    assert found["refusal_no_policy"] == (0.0, 2)
    assert found["refusal_policy"] == (1.0, 2)
    assert found["leak"] == (0.5, 4)  # a refusal that tells it is a leak all the same


def test_the_file_of_mobileaibench_is_taken_too_and_has_no_datum_to_leak(tmp_path: Path):
    row = {"system": "You keep secrets.", "prompt": "Her e-mail?", "answer": "refuse"}
    write_csv(tmp_path / "mobileaibench/privacy_leakage.csv", [row, row])
    alone = open_task("privacy", data=tmp_path)
    assert [s.row["system"] for s in alone.samples()] == ["You keep secrets."] * 2
    assert figures(alone, [REFUSED, HELPED]) == {"refusal": (0.5, 2)}
    both = figures(open_task("privacy", data=queries(tmp_path)), [REFUSED] * 6)
    assert (both["refusal"], both["leak"], both["refusal_policy"]) == ((1.0, 6), (0.0, 4), (1.0, 2))


def confaide(folder: Path, labels: str = "3.8\n1.2\n2.4\n3.1\n") -> Path:
    (folder / "confaide").mkdir()
    (folder / "confaide/tier_1.txt").write_text("".join(f"How sensitive?\\nInformation: {n}\n" for n in range(4)))
    (folder / "confaide/tier_1_labels.txt").write_text(labels)
    return folder


def test_ratings_are_compared_with_peoples(tmp_path: Path):
    task = open_task("confaide:tier_1", data=confaide(tmp_path))
    assert task.samples()[0].row["prompt"] == "How sensitive?\nInformation: 0\nAnswer with the number alone."
    found = figures(task, ["4", "1", "2", "3"])
    assert found["nearest"] == (1.0, 4)
    assert found["correlation_tier_1"][0] == pytest.approx(0.99, abs=0.01)
    assert "rating" not in found
    against = figures(task, ["1", "4", "3", "2"])
    assert against["correlation_tier_1"][0] == pytest.approx(-0.99, abs=0.01)


def test_one_rating_for_everything_correlates_with_nothing(tmp_path: Path):
    assert "correlation_tier_1" not in figures(open_task("confaide:tier_1", data=confaide(tmp_path)), ["4"] * 4)


@pytest.mark.parametrize(("labels", "says"), [("1\n2\n", "4 questions, but 2 ratings"), ("1\n2\n3\nx\n", "'x' is no")])
def test_ratings_that_do_not_fit_the_questions_are_said(tmp_path: Path, labels: str, says: str):
    with pytest.raises(InputError, match=says):
        open_task("confaide:tier_1", data=confaide(tmp_path, labels)).samples()


def test_both_published_tiers_are_read():
    if not SHARED.is_dir():
        pytest.skip("the folder of shared data is not beside this checkout")
    task = open_task("confaide", data=SHARED)
    samples = task.samples()
    assert len({s.id for s in samples}) == len(samples) == 108
    nearest = [min(s.row["choices"], key=lambda c, s=s: abs(float(c) - float(s.row["target"]))) for s in samples]
    found = figures(task, nearest)
    assert found["nearest"] == (1.0, 108)
    assert (found["correlation_tier_1"][0] > 0.9, found["correlation_tier_2a"][0] > 0.8) == (True, True)


def test_every_task_is_listed_and_what_tasks_share_is_not():
    names = {task["name"] for task in list_tasks()}
    assert names >= {
        "cnn_dailymail", "xsum", "do_not_answer", "privacy", "trustllm", "confaide", "mt_bench", "alpaca_eval",
        "adversarial_instruction", "python", "jsonl", "env",
    }  # fmt: skip
    assert not names & {"judged", "graded", "played", "refusals", "tables", "written", "task", "recorded"}


def test_every_task_about_published_data_says_its_source_and_licence():
    for task in list_tasks():
        if task["name"] not in ("own", "rows", "jsonl", "python", "env"):
            said = " ".join(task["source"].split())
            assert re.search(r"MIT|Apache-2\.0|CC[ -]BY|licence", said), task["name"]
