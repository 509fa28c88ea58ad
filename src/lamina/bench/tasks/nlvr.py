"""``nlvr``: whether a sentence is true of a drawing of three boxes (Suhr et al. 2017, "A Corpus of Natural Language for
Visual Reasoning"; synthetic images, CC BY 4.0), the development part.

The answer is constrained to ``true`` or ``false``; the wording of the question is ours. Read from ``nlvr/dev.jsonl``
with ``images.zip`` beside it, one drawing a sentence (its row names it), or as published (``nlvr/dev/dev.json``,
``dev/images/DIRECTORY``), all six orders of the boxes, each a sample of its own as in the published accuracy."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from lamina.bench.tasks.files import benchmark_folder, json_rows, text_in
from lamina.bench.tasks.pictured import file_in, images_in
from lamina.bench.tasks.written import Scores, Written
from lamina.tools.tool import JSON

ABOUT = "nlvr, whether a sentence is true of a drawing (images); accuracy"
VERSION = 2
ORDERS = 6
PROMPT = 'Is this sentence true of the image? Answer "true" or "false".\n{}'


def open_task(argument: str, data: str | Path | None = None) -> Written:
    def read() -> Iterator[JSON]:
        folder = benchmark_folder(data, "nlvr", "nlvr")
        file = file_in(folder, ("dev.jsonl", "dev/dev.json", "dev.json"), "nlvr")
        images = images_in(folder, ("images.zip", "dev/images", "images"), "nlvr")
        for row in json_rows(file):
            yield from _samples(row, images)

    return Written("nlvr", read, _score, "accuracy", max_tokens=8)


def _samples(row: JSON, images: Path) -> Iterator[JSON]:
    name = f"dev-{row['identifier']}"
    drawings = [images / row["image"]] if "image" in row else []
    drawings = drawings or [images / str(row["directory"]) / f"{name}-{order}.png" for order in range(ORDERS)]
    for drawing in drawings:
        yield {
            "id": drawing.stem,
            "prompt": PROMPT.format(text_in(row, "sentence")),
            "images": [str(drawing)],
            "choices": ["true", "false"],
            "target": row["label"],
        }


def _score(row: JSON, answer: str) -> Scores:
    return {"accuracy": answer.strip() == row["target"]}
