"""``textvqa``: questions on the text in photographs, ten people's answers each (Singh et al. 2019, arXiv 1904.08920; CC
BY 4.0, images of Open Images), the validation part.

Files as published: ``textvqa/TextVQA_0.5.1_val.json`` and ``train_images/IMAGE.jpg`` (the validation images are in that
folder; or ``train_val_images.zip`` with it inside). VQA accuracy; the instruction is LLaVA-1.5's, without the text that
an OCR program found (our choice: the model has to read)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from lamina.bench.tasks.files import benchmark_folder, json_object, text_in
from lamina.bench.tasks.pictured import LONGEST, SHORT, file_in, images_in, people_score
from lamina.bench.tasks.written import Written
from lamina.tools.tool import JSON

ABOUT = "textvqa, questions on the text in photographs (images); VQA accuracy"
VERSION = 1
FILE = "TextVQA_0.5.1_val.json"


def open_task(argument: str, data: str | Path | None = None) -> Written:
    def read() -> Iterator[JSON]:
        folder = benchmark_folder(data, "textvqa", "textvqa")
        file = file_in(folder, (FILE,), "textvqa")
        images = images_in(folder, ("train_images", "train_val_images.zip", "images"), "textvqa")
        images = images / "train_images" if images.suffix == ".zip" else images
        for row in json_object(file)["data"]:
            yield {
                "id": str(row["question_id"]),
                "prompt": f"{text_in(row, 'question')}\n{SHORT}",
                "images": [str(images / f"{row['image_id']}.jpg")],
                "target": row["answers"],
            }

    return Written("textvqa", read, people_score, "vqa_accuracy", max_tokens=LONGEST)
