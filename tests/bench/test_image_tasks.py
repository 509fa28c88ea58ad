"""Tasks about images: the published files are read, right answers score, and what cannot be seen is not wrong."""

from __future__ import annotations

import json
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lamina.bench import BenchModel, BenchSettings, bench_models
from lamina.bench.identity import sample_key
from lamina.bench.tasks import Outcome, Sample, Setting, Task, open_task
from lamina.bench.vqa_accuracy import vqa_accuracy, vqa_answer
from lamina.errors import InputError, UserError
from lamina.models import Reply, Request
from lamina.models.references import why_blind
from lamina.tools import Toolbox

sys.path.insert(0, str(Path(__file__).parents[1]))  # tiny_gguf is shared by the rooms' tests

pytest.importorskip("PIL")

PEOPLE = ["two"] * 3 + ["2 dogs"] * 6 + ["many"]


def drawing(path: Path, colour: str = "red") -> Path:
    from PIL import Image

    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (8, 8), colour).save(path)
    return path


def written(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")


def easy_vqa(data: Path) -> None:
    written(data / "easy-vqa/test_questions.json", [["is there a circle?", "yes", 3], ["what color?", "red", 3]])
    with zipfile.ZipFile(data / "easy-vqa/test_images.zip", "w") as packed:
        packed.write(drawing(data / "3.png"), "3.png")


def nlvr(data: Path) -> None:
    row = {"sentence": "There is a box.", "label": "true", "identifier": "7-1", "directory": "4"}
    written(data / "nlvr/dev/dev.json", row)
    for order in range(6):
        drawing(data / f"nlvr/dev/images/4/dev-7-1-{order}.png")


def vqav2(data: Path) -> None:
    question = {"image_id": 42, "question": "How many?", "question_id": 420001}
    answers = {"question_id": 420001, "answer_type": "number", "answers": [{"answer": a} for a in PEOPLE]}
    written(data / "vqav2/v2_OpenEnded_mscoco_val2014_questions.json", {"questions": [question]})
    written(data / "vqav2/v2_mscoco_val2014_annotations.json", {"annotations": [answers]})
    drawing(data / "vqav2/val2014/COCO_val2014_000000000042.jpg")


def vizwiz(data: Path) -> None:
    answers = [{"answer": a, "answer_confidence": "yes"} for a in PEOPLE]
    row = {"image": "VizWiz_val_00000000.jpg", "question": "What is it?", "answers": answers, "answerable": 1}
    written(data / "vizwiz/val.json", [row])
    drawing(data / "vizwiz/val/VizWiz_val_00000000.jpg")


def gqa(data: Path) -> None:
    row = {"imageId": "n161313", "question": "Is it overcast?", "answer": "no"}
    written(data / "gqa/testdev_balanced_questions.json", {"201307251": row})
    drawing(data / "gqa/images/n161313.jpg")


def scienceqa(data: Path) -> None:
    seen = {"question": "Which?", "choices": ["Ohio", "Utah"], "answer": 1, "hint": "A map.", "image": "image.png"}
    seen |= {"split": "test"}
    problems = {"4": seen, "5": {**seen, "image": None}, "6": {**seen, "split": "train"}}
    written(data / "scienceqa/problems.json", problems)
    drawing(data / "scienceqa/images/test/4/image.png")


def textvqa(data: Path) -> None:
    row = {"question_id": 34602, "question": "what brand?", "image_id": "003a8ae2ef43b901", "answers": PEOPLE}
    written(data / "textvqa/TextVQA_0.5.1_val.json", {"data": [row]})
    drawing(data / "textvqa/train_images/003a8ae2ef43b901.jpg")


TASKS: dict[str, tuple[Callable[[Path], None], int, str, str]] = {
    "easy_vqa": (easy_vqa, 2, "yes", "circle"),
    "nlvr": (nlvr, 6, "true", "false"),
    "vqav2": (vqav2, 1, "2 dogs", "cats"),
    "vizwiz": (vizwiz, 1, "2 dogs", "cats"),
    "gqa": (gqa, 1, "No.", "yes"),
    "scienceqa": (scienceqa, 1, "B", "A"),
    "textvqa": (textvqa, 1, "2 dogs", "cats"),
}
"""What makes the files, how many samples they have, a right answer to the first, a wrong one."""


def solved(task: Task, sample: Sample, reply: Reply) -> tuple[Request, Outcome]:
    talk = task.solve(sample, Setting(Toolbox([]), "plain"))
    request = next(talk)
    with pytest.raises(StopIteration) as ended:
        talk.send(reply)
    return request, ended.value.value


@pytest.mark.parametrize("name", TASKS)
def test_the_published_files_are_read_and_right_answers_score(name: str, tmp_path: Path):
    make, count, right, wrong = TASKS[name]
    make(tmp_path)
    task = open_task(name, data=tmp_path)
    samples = task.samples()
    assert len({s.id for s in samples}) == len(samples) == count
    json.dumps([s.row for s in samples])
    request, outcome = solved(task, samples[0], Reply(text=right))
    assert len(request.images) == 1
    from lamina.models.images import picture

    assert picture(request.images[0]).size == (8, 8)
    assert outcome.right
    assert outcome.transcript[0]["images"] == [str(request.images[0])]
    figures = {f.metric: f.interval.value for f in task.figures([{**outcome.scores, "right": True}])}
    assert figures[task.paired_metric] == 1
    assert not solved(task, samples[0], Reply(text=wrong))[1].right


@pytest.mark.parametrize("name", TASKS)
def test_files_that_are_not_there_or_of_another_form_are_named(name: str, tmp_path: Path):
    TASKS[name][0](tmp_path)
    file = next(f for f in sorted(tmp_path.rglob("*.json")) if "annotations" not in f.name)
    file.write_text('{"some": ["thing"]}')
    with pytest.raises(InputError, match=rf"{file.name}.*get the file again"):
        open_task(name, data=tmp_path).samples()
    file.unlink()
    with pytest.raises(InputError, match="holds no questions"):
        open_task(name, data=tmp_path).samples()
    with pytest.raises(InputError, match="no such folder"):
        open_task(name, data=tmp_path / "elsewhere").samples()


def test_questions_of_science_without_an_image_are_asked_where_all_are_wanted(tmp_path: Path):
    scienceqa(tmp_path)
    first, second = open_task("scienceqa:all", data=tmp_path).samples()
    assert ("images" in first.row, "images" in second.row) == (True, False)
    with pytest.raises(InputError, match="no part 'some'"):
        open_task("scienceqa:some")


def test_accuracy_of_easy_vqa_is_told_by_the_kind_of_question(tmp_path: Path):
    easy_vqa(tmp_path)
    task = open_task("easy_vqa", data=tmp_path)
    outcomes = [solved(task, s, Reply(text="yes"))[1] for s in task.samples()]
    figures = {f.metric: f.interval.value for f in task.figures([{**o.scores, "right": o.right} for o in outcomes])}
    assert (figures["accuracy"], figures["accuracy_yes_no"], figures["accuracy_colour"]) == (0.5, 1.0, 0.0)


def test_an_answer_counts_by_how_many_others_gave_it():
    assert vqa_accuracy("2 dogs", PEOPLE) == 1
    assert vqa_accuracy("Two.", PEOPLE) == pytest.approx((3 * 2 / 3 + 7) / 10)
    assert vqa_accuracy("many", PEOPLE) == pytest.approx(9 / 30)
    assert vqa_accuracy("cats", PEOPLE) == vqa_accuracy("", PEOPLE) == 0


@pytest.mark.parametrize(
    ("said", "form"),
    [
        ("The  Dog.", "dog"), ("two", "2"), ("none", "0"), ("1,000", "1000"), ("dont", "don't"), ("Don't", "don't"),
        ("red/blue", "red blue"), ("red, blue", "red blue"), ("3.5 m", "3.5 m"), ("3.", "3"), ("yes\n", "yes"),
    ],
)  # fmt: skip
def test_answers_are_compared_in_the_official_normal_form(said: str, form: str):
    assert vqa_answer(said) == form


SCRIPT = """
from PIL import Image
def reply(messages, tools, seed):
    (path,) = messages[-1]["images"]
    return "yes" if path.endswith("3.png") else "no"
"""


def test_a_bench_carries_images_by_their_paths_and_scores_what_was_seen(tmp_path: Path, desk: SimpleNamespace):
    easy_vqa(tmp_path)
    script = tmp_path / "sees.py"
    script.write_text(SCRIPT)
    found = benched(f"scripted:{script}", tmp_path, desk)
    figures = {r["metric"]: r["value"] for r in found["rows"]}
    assert (found["crashes"], figures["accuracy"]) == ([], 0.5)


def benched(ref: str, data: Path, desk: SimpleNamespace) -> dict[str, Any]:
    settings = BenchSettings(timing_samples=0)
    task = open_task("easy_vqa", data=data)
    return bench_models([BenchModel(ref, "m", "")], [task], run=desk.run, toolbox=Toolbox([]), settings=settings)


def blind_gguf(path: Path) -> Path:
    """No more than a header that names an architecture."""
    from gguf import GGUFWriter

    writer = GGUFWriter(path, "llama")
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()
    return path


def test_a_task_that_no_model_can_see_is_one_error_before_anything_is_asked(tmp_path: Path, desk: SimpleNamespace):
    easy_vqa(tmp_path)
    file = blind_gguf(tmp_path / "blind.gguf")
    with pytest.raises(
        UserError, match=r"blind\.gguf: cannot be asked about images, .*; leave the task 'easy_vqa' out"
    ):
        benched(str(file), tmp_path, desk)


def test_a_model_that_reads_alone_keeps_its_tasks_beside_one_about_images(tmp_path: Path, desk: SimpleNamespace):
    pytest.importorskip("xllamacpp")
    from tiny_gguf import save_tiny_gguf

    easy_vqa(tmp_path)
    (tmp_path / "sees.py").write_text("def reply(messages, tools, seed):\n    return 'no'\n")
    words = tmp_path / "words.jsonl"
    words.write_text(json.dumps({"input": "say no", "target": "no"}) + "\n")
    tasks = [open_task(f"jsonl:{words}"), open_task("easy_vqa", data=tmp_path)]
    blind, sees = save_tiny_gguf(tmp_path / "blind.gguf"), f"scripted:{tmp_path / 'sees.py'}"
    models = [BenchModel(str(blind), "blind", ""), BenchModel(sees, "sees", "")]
    settings = BenchSettings(timing_samples=0, max_tokens=4, threads=1, context=256, slots=1)
    found = bench_models(models, tasks, run=desk.run, toolbox=Toolbox([]), settings=settings)
    assert found["crashes"] == []
    figures = {(r["model"], r["task"], r["metric"]): r for r in found["rows"]}
    assert figures["blind", f"jsonl:{words}", "exact_match"]["n"] == 1, "the task of words is asked"
    assert "no mmproj*.gguf beside it" in figures["blind", "easy_vqa", "not_possible"]["detail"]
    assert figures["sees", f"jsonl:{words}", "exact_match"]["value"] == 1
    assert figures["sees", "easy_vqa", "accuracy"]["n"] == 2
    assert ("blind", "easy_vqa", "accuracy") not in figures


@pytest.mark.parametrize(("architecture", "blind"), [("llama", True), ("llava", False), (None, False)])
def test_what_a_folder_cannot_see_its_architecture_says(tmp_path: Path, architecture: str | None, blind: bool):
    for library in ("torch", "transformers", "llguidance"):
        pytest.importorskip(library)
    (tmp_path / "config.json").write_text(json.dumps({"model_type": architecture}) if architecture else '{"model')
    told = why_blind(str(tmp_path))
    assert bool(told) is blind
    assert told is None or "its architecture (llama) is of text alone" in told, "a damaged one fails when it is loaded"


def test_an_image_counts_by_its_bytes_not_by_where_it_lies(tmp_path: Path):
    task, toolbox = open_task("easy_vqa"), Toolbox([])

    def key(path: Path) -> str:
        return sample_key("m", task, Sample("1", {"images": [str(path)]}), toolbox, [])

    first = key(drawing(tmp_path / "a/1.png"))
    assert key(drawing(tmp_path / "b/1.png")) == first
    assert key(drawing(tmp_path / "a/1.png", "blue")) != first
    assert key(tmp_path / "gone.png") != first
