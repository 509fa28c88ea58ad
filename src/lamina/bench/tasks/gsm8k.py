"""``gsm8k``: grade-school word problems (Cobbe et al. 2021, arXiv 2110.14168; MIT), zero-shot with steps.

System prompt and answer tags are MobileAIBench's; without tags the last number of the answer counts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from lamina.bench.metrics import last_number
from lamina.bench.tasks.files import benchmark_file, json_rows, place
from lamina.bench.tasks.written import Scores, Written
from lamina.tools.tool import JSON

ABOUT = "gsm8k, grade-school word problems, zero-shot with steps; accuracy of the final number"
VERSION = 3
FILE = "gsm8k/test.jsonl"
SYSTEM = (
    "Solve the following math problem. Think step by step with intermediate reasoning. In the end, write your final "
    "answer in a pair of <answer></answer> tags (e.g., <answer>10</answer>)."
)


def open_task(argument: str, data: str | Path | None = None) -> Written:
    def read() -> Iterator[JSON]:
        for number, row in enumerate(json_rows(benchmark_file(data, FILE, "gsm8k")), 1):
            target = row["answer"].rsplit("####", 1)[-1].strip()
            if last_number(target) is None:
                raise place().error(f"ends on {target!r}, which is no number")
            yield {"id": f"gsm8k-{number}", "system": SYSTEM, "prompt": row["question"], "target": target}

    return Written("gsm8k", read, _score, "accuracy", max_tokens=400)


def _score(row: JSON, answer: str) -> Scores:
    said, wanted = last_number(answer), last_number(row["target"])
    return {"accuracy": said is not None and wanted is not None and abs(said - wanted) < 1e-6}
