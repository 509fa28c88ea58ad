"""``dolly``: instructions with and without a context (Databricks Dolly 15k, CC BY-SA 3.0), MobileAIBench's thousand.
Word F1, BLEU over words and ROUGE against the one reference: figures to compare models with, not a share of right
answers. ``exact_match`` is the paper's and stays near 0 for any model, so models are compared by ``f1``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from lamina.bench.metrics import bleu, exact_match, rouge, token_f1
from lamina.bench.tasks.files import benchmark_file, csv_rows
from lamina.bench.tasks.written import Scores, Written
from lamina.tools.tool import JSON

ABOUT = "dolly, instructions with a reference answer; F1, BLEU, ROUGE"
VERSION = 2
FILE = "mobileaibench/databricks_dolly_15k.csv"


def open_task(argument: str, data: str | Path | None = None) -> Written:
    def read() -> Iterator[JSON]:
        for number, row in enumerate(csv_rows(benchmark_file(data, FILE, "dolly")), 1):
            context = f"{row['context']}\n\n" if row["context"] else ""
            yield {"id": f"dolly-{number}", "prompt": context + row["instruction"], "target": [row["response"]]}

    return Written("dolly", read, reference_scores, "f1", max_tokens=256)


def reference_scores(row: JSON, answer: str) -> Scores:
    """Everything that compares a text with reference texts."""
    target = row["target"]
    overlap = {"f1": token_f1(answer, target), "bleu": bleu(answer, target), **rouge(answer, target)}
    return {"exact_match": exact_match(answer, target), **overlap}
