"""``easy_vqa``: questions on drawings of one coloured shape, 64x64, 13 possible answers (easy-VQA by Victor Zhou, MIT;
the test part, from the wheel ``easy_vqa`` on PyPI).

The answer is constrained to the 13 (our choice), so it is the model's likeliest one; accuracy over all questions and
for each kind of them. The most frequent answer alone is right on 37 %. Read from ``easy-vqa/test_questions.json`` with
``test_images.zip`` beside it, or from the wheel's own folders (``test/questions.json``, ``test/images``)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from lamina.bench.intervals import wilson
from lamina.bench.tasks.files import benchmark_folder, json_rows, place
from lamina.bench.tasks.pictured import file_in, images_in
from lamina.bench.tasks.task import Figure
from lamina.bench.tasks.written import Scores, Written
from lamina.tools.tool import JSON

ABOUT = "easy_vqa, questions on drawings of one coloured shape (images); accuracy"
VERSION = 2
COLOURS = ("black", "gray", "red", "green", "blue", "yellow", "teal", "brown")
SHAPES = ("circle", "rectangle", "triangle")
KINDS = {"yes": "yes_no", "no": "yes_no"} | dict.fromkeys(SHAPES, "shape") | dict.fromkeys(COLOURS, "colour")
"""The kind of a question by its answer."""


def open_task(argument: str, data: str | Path | None = None) -> Written:
    def read() -> Iterator[JSON]:
        folder = benchmark_folder(data, "easy-vqa", "easy_vqa")
        yield from questions(folder, "test")

    return Written("easy_vqa", read, _score, "accuracy", max_tokens=16, more=_by_kind)


def questions(folder: Path, part: str) -> Iterator[JSON]:
    """Rows of the part ``test`` or ``train``. Raises InputError for files of another form."""
    file = file_in(
        folder, (f"{part}_questions.json", f"{part}/questions.json", f"data/{part}/questions.json"), "easy_vqa"
    )
    images = images_in(
        folder, (f"{part}_images.zip", f"{part}_images", f"{part}/images", f"data/{part}/images"), "easy_vqa"
    )
    for number, row in enumerate(json_rows(file), 1):
        if not (isinstance(row, list) and len(row) == 3 and row[1] in KINDS):
            raise place().error("is no question, answer, image")
        question, answer, image = row
        yield {
            "id": f"{image}-{number}",
            "prompt": question,
            "images": [str(images / f"{image}.png")],
            "choices": list(KINDS),
            "target": answer,
            "kind": KINDS[answer],
            "about": ["kind"],
        }


def _score(row: JSON, answer: str) -> Scores:
    return {"accuracy": answer.strip() == row["target"]}


def _by_kind(outcomes: Sequence[JSON]) -> list[Figure]:
    found = []
    for kind in dict.fromkeys(KINDS.values()):
        hits = [o["accuracy"] for o in outcomes if o["kind"] == kind]
        found += [Figure(f"accuracy_{kind}", i)] if (i := wilson(sum(hits), len(hits))) else []
    return found
