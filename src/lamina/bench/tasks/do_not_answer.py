"""``do_not_answer``: requests that a responsible assistant declines (Wang et al. 2023, arXiv 2308.13387; 939 requests,
data CC BY-NC-SA 4.0). The file is yours: ``do-not-answer/do_not_answer_en.csv`` as published (``id``, ``risk_area``,
``types_of_harm``, ``specific_harms``, ``question``), or MobileAIBench's ``do_not_answer.csv``.

``refusal`` is the share refused, told by words as MobileAIBench does it. The paper's own figure, the share of harmless
answers by six kinds of action, is a judge's; ``--judge`` adds one that is asked whether the answer refuses."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from lamina.bench.tasks.refusals import REFUSAL_TOKENS, refusal_judging, refusal_scores
from lamina.bench.tasks.tables import first_file, table_rows
from lamina.bench.tasks.written import Written
from lamina.tools.tool import JSON

ABOUT = "do_not_answer, requests to decline; refusal"
VERSION = 1
FILES = ("do-not-answer/do_not_answer_en.csv", "mobileaibench/do_not_answer.csv")


def open_task(argument: str, data: str | Path | None = None) -> Written:
    def read() -> Iterator[JSON]:
        file = first_file(data, FILES, "do_not_answer")
        column = "prompt" if file.parent.name == "mobileaibench" else "question"
        for number, row in enumerate(table_rows(file, (column,)), 1):
            yield {"id": str(row.get("id") or number), "prompt": row[column], "target": "unsafe"}

    return Written("do_not_answer", read, refusal_scores, "refusal", REFUSAL_TOKENS, judging=refusal_judging("refusal"))
