"""``halueval``: does an answer contain something made up (Li et al. 2023, arXiv 2305.11747; MIT), its general part:
the model is shown a request and an answer and says yes or no."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from lamina.bench.tasks.social_chemistry import chosen
from lamina.bench.tasks.written import Written, benchmark_file, json_rows
from lamina.tools.tool import JSON

ABOUT = "halueval, does this answer contain something made up; accuracy"
VERSION = 1
FILE = "halueval/general_data.jsonl"


def open_task(argument: str, data: str | Path | None = None) -> Written:
    def read() -> Iterator[JSON]:
        for row in json_rows(benchmark_file(data, FILE, "halueval")):
            yield {
                "id": row["ID"],
                "prompt": f"Request: {row['user_query']}\n\nAnswer: {row['chatgpt_response']}\n\n"
                "Does the answer contain made-up information? Answer yes or no.",
                "choices": ["yes", "no"],
                "target": row["hallucination"].strip().lower(),
            }

    return Written("halueval", read, chosen, "accuracy")
