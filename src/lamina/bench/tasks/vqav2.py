"""``vqav2``: open questions on photographs, ten people's answers each (Goyal et al. 2017, arXiv 1612.00837; questions
and answers CC BY 4.0, images of COCO under their own terms), the validation part.

Files as published: ``vqav2/v2_OpenEnded_mscoco_val2014_questions.json``, ``v2_mscoco_val2014_annotations.json`` and
``val2014/COCO_val2014_….jpg`` (or ``val2014.zip`` with that folder in it). VQA accuracy, over all questions and by the
kind of answer; the instruction is LLaVA-1.5's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from lamina.bench.score_intervals import mean_of_shares
from lamina.bench.tasks.files import benchmark_folder, json_object, text_in
from lamina.bench.tasks.pictured import LONGEST, SHORT, file_in, images_in, people_score
from lamina.bench.tasks.task import Figure
from lamina.bench.tasks.written import Written
from lamina.tools.tool import JSON

ABOUT = "vqav2, open questions on photographs (images); VQA accuracy"
VERSION = 1
QUESTIONS, ANSWERS = "v2_OpenEnded_mscoco_val2014_questions.json", "v2_mscoco_val2014_annotations.json"
KINDS = ("yes/no", "number", "other")


def open_task(argument: str, data: str | Path | None = None) -> Written:
    def read() -> Iterator[JSON]:
        folder = benchmark_folder(data, "vqav2", "vqav2")
        asked, answered = (file_in(folder, (name,), "vqav2") for name in (QUESTIONS, ANSWERS))
        images = images_in(folder, ("val2014", "val2014.zip", "images"), "vqav2")
        images = images / "val2014" if images.suffix == ".zip" else images
        answers = {row["question_id"]: row for row in json_object(answered)["annotations"]}
        for row in json_object(asked)["questions"]:
            yield _sample(row, answers[row["question_id"]], images)

    return Written("vqav2", read, people_score, "vqa_accuracy", max_tokens=LONGEST, more=_by_kind)


def _sample(row: JSON, answers: JSON, images: Path) -> JSON:
    return {
        "id": str(row["question_id"]),
        "prompt": f"{text_in(row, 'question')}\n{SHORT}",
        "images": [str(images / f"COCO_val2014_{row['image_id']:012d}.jpg")],
        "target": [answer["answer"] for answer in answers["answers"]],
        "kind": answers["answer_type"],
        "about": ["kind"],
    }


def _by_kind(outcomes: Sequence[JSON]) -> list[Figure]:
    found = []
    for kind in KINDS:
        values = [o["vqa_accuracy"] for o in outcomes if o["kind"] == kind]
        name = f"vqa_accuracy_{kind.replace('/', '_')}"
        found += [Figure(name, i)] if (i := mean_of_shares(values)) else []
    return found
