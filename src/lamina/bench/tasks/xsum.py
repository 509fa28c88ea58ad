"""``xsum``: one-sentence summaries of BBC articles (Narayan et al. 2018, arXiv 1808.08745; licence not stated). The
files are yours: ``xsum/test.json`` or the like with ``document`` and ``summary``, in JSON, JSON lines, CSV or Parquet,
or MobileAIBench's ``edinburghNLP_xsum.csv``.

ROUGE-1 and ROUGE-L as in ``cnn_dailymail``; the instruction is ours."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from lamina.bench.tasks.cnn_dailymail import summary_scores
from lamina.bench.tasks.tables import first_file, table_rows
from lamina.bench.tasks.written import Written
from lamina.tools.tool import JSON

ABOUT = "xsum, one-sentence summaries of BBC articles; ROUGE-1 and ROUGE-L"
VERSION = 1
FILES = ("xsum/test", "xsum/test-*.parquet", "xsum/data/test-*.parquet", "mobileaibench/edinburghNLP_xsum.csv")
SYSTEM = "Summarise the article in one sentence. Write the sentence alone."


def open_task(argument: str, data: str | Path | None = None) -> Written:
    def read() -> Iterator[JSON]:
        file = first_file(data, FILES, "xsum")
        for number, row in enumerate(table_rows(file, ("document", "summary")), 1):
            target = [row["summary"]]
            yield {"id": str(row.get("id") or number), "system": SYSTEM, "prompt": row["document"], "target": target}

    return Written("xsum", read, summary_scores, "rougeL", max_tokens=64)
