"""``halueval``: does an answer contain something made up (Li et al. 2023, arXiv 2305.11747; MIT), its general part:
the model is shown a request and an answer and says yes or no."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from lamina.bench.tasks.files import benchmark_file, json_rows, place, text_in
from lamina.bench.tasks.social_chemistry import chosen
from lamina.bench.tasks.written import Written
from lamina.tools.tool import JSON

ABOUT = "halueval, does this answer contain something made up; accuracy"
VERSION = 2
FILE = "halueval/general_data.jsonl"
ANSWERS = ("yes", "no")


def open_task(argument: str, data: str | Path | None = None) -> Written:
    def read() -> Iterator[JSON]:
        for row in json_rows(benchmark_file(data, FILE, "halueval")):
            target = row["hallucination"].strip().lower()
            if target not in ANSWERS:
                raise place().error(f"says {target!r}, which is none of {', '.join(ANSWERS)}")
            yield {
                "id": row["ID"],
                "prompt": f"Request: {text_in(row, 'user_query')}\n\nAnswer: {text_in(row, 'chatgpt_response')}\n\n"
                "Does the answer contain made-up information? Answer yes or no.",
                "choices": list(ANSWERS),
                "target": target,
            }

    return Written("halueval", read, chosen, "accuracy")
