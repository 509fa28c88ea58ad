"""``xquad``: the English part of XQuAD, questions on a given paragraph (Artetxe et al. 2020, arXiv 1910.11856;
CC BY-SA 4.0), a small cut of SQuAD. Exact match and word F1 over all reference answers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from lamina.bench.tasks.files import benchmark_file, json_object, text_in
from lamina.bench.tasks.hotpotqa import SYSTEM, span_scores
from lamina.bench.tasks.written import Written
from lamina.tools.tool import JSON

ABOUT = "xquad, English questions on a given paragraph (SQuAD-like); exact match and word F1"
VERSION = 1
FILE = "xquad-en/xquad.en.json"


def open_task(argument: str, data: str | Path | None = None) -> Written:
    def read() -> Iterator[JSON]:
        document = json_object(benchmark_file(data, FILE, "xquad"))
        for paragraph in (p for article in document["data"] for p in article["paragraphs"]):
            for question in paragraph["qas"]:
                prompt = f"Context: {text_in(paragraph, 'context')}\n\nQuestion: {text_in(question, 'question')}"
                target = [text_in(answer, "text") for answer in question["answers"]]
                yield {"id": question["id"], "system": SYSTEM, "prompt": prompt, "target": target}

    return Written("xquad", read, span_scores, "exact_match", max_tokens=48)
