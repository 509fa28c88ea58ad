"""``sql``: one SELECT for a question and a table's definition (sql-create-context, CC-BY-4.0), as MobileAIBench has it.

Statements are compared after parsing; none is ever run. See ``metrics.sql_scores``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from lamina.bench.metrics import sql_scores
from lamina.bench.tasks.files import benchmark_file, csv_rows
from lamina.bench.tasks.written import Written
from lamina.tools.tool import JSON

ABOUT = "sql, one SELECT for a question; exact after parsing, parse F1, similarity"
VERSION = 1
FILE = "mobileaibench/sql_create_context.csv"
SYSTEM = "Write one SQL query that answers the question. Write the query alone, without an explanation."


def open_task(argument: str, data: str | Path | None = None) -> Written:
    def read() -> Iterator[JSON]:
        for number, row in enumerate(csv_rows(benchmark_file(data, FILE, "sql")), 1):
            prompt = f"{row['context']}\n\nQuestion: {row['question']}"
            yield {"id": f"sql-{number}", "system": SYSTEM, "prompt": prompt, "target": row["answer"]}

    return Written("sql", read, lambda row, answer: sql_scores(answer, row["target"]), "sql_exact", max_tokens=160)
