"""``gqa``: questions made of scene graphs of photographs, one right answer each (Hudson and Manning 2019, arXiv
1902.09506; CC BY 4.0), the balanced test-dev part.

Files as published: ``gqa/testdev_balanced_questions.json`` (or ``questions1.2/…``) and ``images/IMAGE.jpg`` (or
``images.zip`` with that folder in it). Accuracy of the answer in VQA's normal form (our choice: the official script
asks for the very text); the instruction is LLaVA-1.5's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from lamina.bench.tasks.files import benchmark_folder, json_object, text_in
from lamina.bench.tasks.pictured import LONGEST, SHORT, file_in, images_in, word_score
from lamina.bench.tasks.written import Written
from lamina.tools.tool import JSON

ABOUT = "gqa, questions made of scene graphs (images); accuracy"
VERSION = 1
FILE = "testdev_balanced_questions.json"


def open_task(argument: str, data: str | Path | None = None) -> Written:
    def read() -> Iterator[JSON]:
        folder = benchmark_folder(data, "gqa", "gqa")
        file = file_in(folder, (FILE, f"questions1.2/{FILE}"), "gqa")
        images = images_in(folder, ("images", "images.zip"), "gqa")
        images = images / "images" if images.suffix == ".zip" else images
        for id, row in json_object(file).items():
            yield {
                "id": id,
                "prompt": f"{text_in(row, 'question')}\n{SHORT}",
                "images": [str(images / f"{row['imageId']}.jpg")],
                "target": row["answer"],
            }

    return Written("gqa", read, word_score, "accuracy", max_tokens=LONGEST)
