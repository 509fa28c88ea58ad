"""``advglue``: sentences disturbed so that classifiers err (Wang et al. 2021, arXiv 2111.02840; CC BY-SA 4.0), the
development set of its six tasks, zero-shot, one of the labels' words. ``advglue:sst2`` takes one task."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from lamina.bench.tasks.files import benchmark_file, json_object, text_in
from lamina.bench.tasks.social_chemistry import chosen
from lamina.bench.tasks.written import Written
from lamina.errors import InputError
from lamina.tools.tool import JSON

ABOUT = "advglue[:TASK], disturbed sentences of six GLUE tasks; accuracy"
VERSION = 2
FILE = "advglue/dev.json"
ENTAILS = "Does the first sentence entail the second? Answer yes or no."
TASKS: dict[str, tuple[str, tuple[str, ...]]] = {
    "sst2": ("Is the sentence negative or positive? Answer with one word.", ("negative", "positive")),
    "qqp": ("Do the two questions ask the same? Answer yes or no.", ("no", "yes")),
    "mnli": (
        "Does the premise entail the hypothesis, is it neutral to it, or does it contradict it? Answer with one word.",
        ("entailment", "neutral", "contradiction"),
    ),
    "mnli-mm": (
        "Does the premise entail the hypothesis, is it neutral to it, or does it contradict it? Answer with one word.",
        ("entailment", "neutral", "contradiction"),
    ),
    "qnli": ("Does the sentence answer the question? Answer yes or no.", ("yes", "no")),
    "rte": (ENTAILS, ("yes", "no")),
}
"""Our instruction and the word of each label, by GLUE's label numbers."""


def open_task(argument: str, data: str | Path | None = None) -> Written:
    if argument and argument not in TASKS:
        raise InputError(f"advglue has no task {argument!r}", mend=f"take one of {', '.join(TASKS)}")
    name = f"advglue:{argument}" if argument else "advglue"
    return Written(name, lambda: _rows(benchmark_file(data, FILE, name), argument), chosen, "accuracy")


def _rows(file: Path, only: str) -> Iterator[JSON]:
    for task, rows in json_object(file).items():
        if task not in TASKS or only not in ("", task):
            continue
        instruction, words = TASKS[task]
        for row in rows:
            parts = [f"{key}: {text_in(row, key)}" for key in row if key not in ("idx", "label")]
            yield {
                "id": f"{task}-{row['idx']}",
                "prompt": "\n".join([*parts, "", instruction]),
                "choices": list(words),
                "target": words[row["label"]],
            }
