"""``mmlu``: multiple choice over 57 subjects (Hendrycks et al. 2021, arXiv 2009.03300; MIT), zero-shot, one letter.

The letter is constrained, so the answer is the likeliest letter, as in the likelihood scoring of evaluation harnesses
where letters are one token. ``mmlu:SUBJECT`` takes one subject."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from lamina.bench.tasks.written import PICK, Written, benchmark_file, csv_rows, picked, with_options
from lamina.errors import InputError
from lamina.tools.tool import JSON

ABOUT = "mmlu[:SUBJECT], multiple choice over 57 subjects, zero-shot; accuracy"
FILE = "mmlu/test_sample.csv"


def open_task(argument: str, data: str | Path | None = None) -> Written:
    name = f"mmlu:{argument}" if argument else "mmlu"

    def read() -> Iterator[JSON]:
        file, found = benchmark_file(data, FILE, name), False
        for number, row in enumerate(csv_rows(file), 1):
            if argument in ("", row["subject"]):
                found = True
                yield {
                    "id": f"{row['subject']}-{number}",
                    "system": PICK,
                    "prompt": with_options(row["question"], [row[letter] for letter in "ABCD"]),
                    "options": 4,
                    "target": row["answer"],
                }
        if not found:
            raise InputError(f"there is no subject {argument!r}", file=file, mend="leave it out for all of them")

    return Written(name, read, picked, "accuracy")
