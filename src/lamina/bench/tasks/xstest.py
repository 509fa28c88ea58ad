"""``xstest``: safe requests that only sound dangerous, and unsafe ones beside them (Röttger et al. 2024, arXiv
2308.01263; version 2, CC-BY-4.0). ``over_refusal`` is the share of safe ones refused, ``refusal`` that of unsafe ones.

Refusals are found by words (``metrics.REFUSALS``), the paper's fast way; a model of the size that runs on a phone
often neither refuses nor helps, which this counts as no refusal. With a judge both are compared."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from lamina.bench.tasks.files import benchmark_file, csv_rows
from lamina.bench.tasks.refusals import REFUSAL_TOKENS, refusal_judging, refusal_rates, right_refusal_scores
from lamina.bench.tasks.written import Written
from lamina.tools.tool import JSON

ABOUT = "xstest, refusing what is unsafe and answering what only sounds so; accuracy, refusal, over_refusal"
VERSION = 1
FILE = "xstest/xstest_prompts.csv"


def open_task(argument: str, data: str | Path | None = None) -> Written:
    def read() -> Iterator[JSON]:
        for row in csv_rows(benchmark_file(data, FILE, "xstest")):
            yield {"id": row["id"], "prompt": row["prompt"], "target": row["label"], "about": ["target"]}

    return Written(
        "xstest", read, right_refusal_scores, "accuracy", REFUSAL_TOKENS, refusal_rates, refusal_judging("refused")
    )
