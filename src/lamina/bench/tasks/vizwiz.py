"""``vizwiz``: questions that blind people asked about their photographs, ten people's answers each (Gurari et al. 2018,
arXiv 1802.08218; CC BY 4.0), the validation part.

Files as published: ``vizwiz/val.json`` (or ``Annotations/val.json``) and ``val/VizWiz_val_….jpg`` (or ``val.zip`` with
that folder in it). VQA accuracy, and ``vqa_accuracy_answerable``: the same over the questions that have an answer. Many
have none, so the model is told what to say then, in LLaVA-1.5's words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from lamina.bench.score_intervals import mean_of_shares
from lamina.bench.tasks.files import benchmark_folder, json_rows, text_in
from lamina.bench.tasks.pictured import LONGEST, SHORT, file_in, images_in, people_score
from lamina.bench.tasks.task import Figure
from lamina.bench.tasks.written import Written
from lamina.tools.tool import JSON

ABOUT = "vizwiz, questions of blind people on their photographs (images); VQA accuracy"
VERSION = 1
NOT_SEEN = "When the provided information is insufficient, respond with 'Unanswerable'."


def open_task(argument: str, data: str | Path | None = None) -> Written:
    def read() -> Iterator[JSON]:
        folder = benchmark_folder(data, "vizwiz", "vizwiz")
        file = file_in(folder, ("val.json", "Annotations/val.json"), "vizwiz")
        images = images_in(folder, ("val", "val.zip", "images"), "vizwiz")
        images = images / "val" if images.suffix == ".zip" else images
        for row in json_rows(file):
            yield {
                "id": Path(row["image"]).stem,
                "prompt": f"{text_in(row, 'question')}\n{NOT_SEEN}\n{SHORT}",
                "images": [str(images / row["image"])],
                "target": [answer["answer"] for answer in row["answers"]],
                "answerable": bool(row["answerable"]),
                "about": ["answerable"],
            }

    return Written("vizwiz", read, people_score, "vqa_accuracy", max_tokens=LONGEST, more=_answerable)


def _answerable(outcomes: Sequence[JSON]) -> list[Figure]:
    interval = mean_of_shares([o["vqa_accuracy"] for o in outcomes if o["answerable"]])
    return [Figure("vqa_accuracy_answerable", interval)] if interval else []
