"""``hotpotqa``: questions over several paragraphs that are given (Yang et al. 2018, arXiv 1809.09600; CC BY-SA 4.0),
in MobileAIBench's form: the context in the prompt, never cut. Exact match and word F1."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from lamina.bench.metrics import exact_match, token_f1
from lamina.bench.tasks.files import benchmark_file, csv_rows
from lamina.bench.tasks.written import Scores, Written
from lamina.tools.tool import JSON

ABOUT = "hotpotqa, answers from given paragraphs; exact match and word F1"
VERSION = 1
FILE = "mobileaibench/hotpot_qa.csv"
SYSTEM = "Answer the question with the shortest phrase from the context that answers it, and nothing else."
"""Our wording: the metric compares with phrases of a few words."""


def open_task(argument: str, data: str | Path | None = None) -> Written:
    def read() -> Iterator[JSON]:
        for row in csv_rows(benchmark_file(data, FILE, "hotpotqa")):
            prompt = f"Context: {row['context']}\n\nQuestion: {row['question']}"
            yield {"id": row["id"], "system": SYSTEM, "prompt": prompt, "target": [row["answer"]]}

    return Written("hotpotqa", read, span_scores, "exact_match", max_tokens=48)


def span_scores(row: JSON, answer: str) -> Scores:
    return {"exact_match": exact_match(answer, row["target"]), "f1": token_f1(answer, row["target"])}
