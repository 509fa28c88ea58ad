"""``social_chemistry``: is an action good, neutral or bad (Forbes et al. 2020, arXiv 2011.00620; CC BY-SA 4.0), as
MobileAIBench asks it, answered with one of the three words."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from lamina.bench.tasks.files import benchmark_file, csv_rows, place
from lamina.bench.tasks.written import Scores, Written
from lamina.tools.tool import JSON

ABOUT = "social_chemistry, good, neutral or bad; accuracy"
VERSION = 2
FILE = "mobileaibench/social_chemistry_101.csv"
WORDS = ("good", "neutral", "bad")


def open_task(argument: str, data: str | Path | None = None) -> Written:
    def read() -> Iterator[JSON]:
        for number, row in enumerate(csv_rows(benchmark_file(data, FILE, "social_chemistry")), 1):
            target = row["answer"].strip()
            if target not in WORDS:
                raise place().error(f"says {target!r}, which is none of {', '.join(WORDS)}")
            yield {
                "id": f"social_chemistry-{number}",
                "system": row["system"],
                "prompt": row["prompt"],
                "choices": list(WORDS),
                "target": target,
            }

    return Written("social_chemistry", read, chosen, "accuracy")


def chosen(row: JSON, answer: str) -> Scores:
    """``accuracy`` of one of the row's ``choices``."""
    return {"accuracy": answer.strip() == row["target"]}
