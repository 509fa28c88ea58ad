"""``truthfulqa``: questions that people answer wrongly (Lin et al. 2022, arXiv 2109.07958; Apache-2.0), with one true
option among the false ones, as MobileAIBench asks them: one letter.

This is a choice by letter, not the published MC1, which compares the likelihoods of whole answers."""

from __future__ import annotations

from pathlib import Path

from lamina.bench.tasks.written import Written, benchmark_file, lettered_rows, picked

ABOUT = "truthfulqa, the one true option by its letter; accuracy"
FILE = "mobileaibench/truthful_qa.csv"


def open_task(argument: str, data: str | Path | None = None) -> Written:
    return Written("truthfulqa", lambda: lettered_rows(benchmark_file(data, FILE, "truthfulqa")), picked, "accuracy")
