"""``cnn_dailymail``: summaries of news articles (Hermann et al. 2015, See et al. 2017, arXiv 1704.04368; version
3.0.0, Apache-2.0). The files are yours: ``cnn_dailymail/test.csv`` with the columns ``article`` and ``highlights``, or
the same as JSON, JSON lines or Parquet (``test-00000-of-00001.parquet``), or MobileAIBench's ``cnn_dailymail.csv``.

ROUGE-1 and ROUGE-L with stemming, the published metrics of MobileAIBench. ROUGE-L is over the whole text (not the
``rougeLsum`` of summarisation papers, which is higher). The instruction is ours; the article is never cut. Pairs of
models compare summaries of a ROUGE-L of one half, which few reach: look at the means."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from lamina.bench.metrics import rouge
from lamina.bench.tasks.tables import first_file, table_rows
from lamina.bench.tasks.written import Scores, Written
from lamina.tools.tool import JSON

ABOUT = "cnn_dailymail, summaries of news articles; ROUGE-1 and ROUGE-L"
VERSION = 1
FILES = ("cnn_dailymail/test", "cnn_dailymail/test-*.parquet", "cnn_dailymail/3.0.0/test-*.parquet",
         "mobileaibench/cnn_dailymail.csv")  # fmt: skip
SYSTEM = "Summarise the article in three or four short sentences. Write the summary alone."


def open_task(argument: str, data: str | Path | None = None) -> Written:
    def read() -> Iterator[JSON]:
        file = first_file(data, FILES, "cnn_dailymail")
        for number, row in enumerate(table_rows(file, ("article", "highlights")), 1):
            target = [row["highlights"]]
            yield {"id": str(row.get("id") or number), "system": SYSTEM, "prompt": row["article"], "target": target}

    return Written("cnn_dailymail", read, summary_scores, "rougeL", max_tokens=160)


def summary_scores(row: JSON, answer: str) -> Scores:
    return rouge(answer, row["target"])
