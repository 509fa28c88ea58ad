"""What tasks about images have in common: where the images lie, and the answers of ten people. Not a task itself.

An image is named by its path, which may lead into a zip file, so that a packed set is benched as it is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lamina.bench.tasks.written import Scores
from lamina.bench.vqa_accuracy import vqa_accuracy, vqa_answer
from lamina.errors import InputError
from lamina.tools.tool import JSON

SHORT = "Answer the question using a single word or phrase."
"""What LLaVA-1.5 is told after a question with a short answer (Liu et al. 2023, arXiv 2310.03744)."""
LONGEST = 16
"""Tokens of a short answer (our choice)."""


def images_in(folder: Path, names: tuple[str, ...], task: str) -> Path:
    """The first of the folders or zip files ``names`` that is there. Raises InputError where none is."""
    for name in names:
        if (folder / name).is_dir() or (folder / name).is_file():
            return folder / name
    what = f"holds no images for the task {task!r}"
    raise InputError(what, file=folder, mend=f"put them into {' or '.join(names)}")


def file_in(folder: Path, names: tuple[str, ...], task: str) -> Path:
    """The first of the files ``names`` that is there. Raises InputError where none is."""
    for name in names:
        if (folder / name).is_file():
            return folder / name
    raise InputError(f"holds no questions for the task {task!r}", file=folder, mend=f"put {names[0]} there")


def people_score(row: JSON, answer: str) -> Scores:
    """``vqa_accuracy`` of the answer among those of ``target``."""
    return {"vqa_accuracy": vqa_accuracy(answer, row["target"])}


def word_score(row: JSON, answer: str) -> Scores:
    """``accuracy``: the one right answer, in VQA's normal form."""
    return {"accuracy": vqa_answer(answer) == vqa_answer(row["target"])}


def image_problem(row: Mapping[str, Any]) -> str | None:
    """What is wrong with the ``images`` of a row of the user's own task: a path, or a list of paths."""
    images = row.get("images")
    listed = [images] if isinstance(images, str) else images
    if listed is None or (isinstance(listed, list | tuple) and all(isinstance(i, str) and i.strip() for i in listed)):
        return None
    return "has 'images' that are no path and no list of paths"


def own_images(row: Mapping[str, Any], file: Path) -> dict[str, list[str]]:
    """The images of a row of the user's own ``file``, found from its folder."""
    images = row.get("images") or []
    found = [str(file.parent / image) for image in ([images] if isinstance(images, str) else images)]
    return {"images": found} if found else {}
