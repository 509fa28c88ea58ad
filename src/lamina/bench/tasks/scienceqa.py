"""``scienceqa``: multiple choice of school science (Lu et al. 2022, arXiv 2209.09513; CC BY-NC-SA 4.0), the test part.

Files as published: ``scienceqa/problems.json`` (or ``data/scienceqa/problems.json``) and ``images/test/ID/image.png``
(or ``test/ID/image.png``, as its archive unpacks). Only questions with an image; ``scienceqa:all`` takes all.
The hint stands before the question as in the paper's format (context, question, options); the letter is constrained, so
it is the model's likeliest one. With an image it is written: comparing likelihoods reads text alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from lamina.bench.tasks.files import benchmark_folder, json_object, text_in
from lamina.bench.tasks.pictured import file_in, images_in
from lamina.bench.tasks.written import LETTERS, PICK, Written, picked, with_options
from lamina.errors import InputError
from lamina.tools.tool import JSON

ABOUT = "scienceqa[:all], multiple choice of school science (images); accuracy"
VERSION = 2
FILE = "problems.json"


def open_task(argument: str, data: str | Path | None = None) -> Written:
    if argument not in ("", "all"):
        raise InputError(
            f"there is no part {argument!r} of the task 'scienceqa'", mend="write scienceqa or scienceqa:all"
        )
    name = f"scienceqa:{argument}" if argument else "scienceqa"

    def read() -> Iterator[JSON]:
        folder = benchmark_folder(data, "scienceqa", name)
        file = file_in(folder, (FILE, f"data/scienceqa/{FILE}"), name)
        images = images_in(folder, ("images/test", "test", "images"), name)
        for id, row in json_object(file).items():
            if row["split"] == "test" and (argument == "all" or row["image"]):
                yield _sample(id, row, images)

    return Written(name, read, picked, "accuracy")


def _sample(id: str, row: JSON, images: Path) -> JSON:
    question = text_in(row, "question")
    question = f"Context: {row['hint']}\nQuestion: {question}" if row.get("hint") else question
    seen = {"images": [str(images / id / row["image"])]} if row["image"] else {}
    return {
        "id": id,
        "system": PICK,
        "prompt": with_options(question, row["choices"]),
        "options": len(row["choices"]),
        "target": LETTERS[row["answer"]],
        **seen,
    }
