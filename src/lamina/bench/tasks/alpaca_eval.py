"""``alpaca_eval``: 805 instructions with a reference model's answers (Li et al. 2023, the AlpacaEval repository; data
CC BY-NC 4.0). The file is yours: ``alpaca_eval/alpaca_eval.json`` as published (``instruction``, ``output``,
``generator``).

Published: the share of answers that GPT-4 prefers to the reference's. Ours: any judge (``--judge``) rates both answers
alone, 1 to 10, neither with the other in view, so no order of presentation plays in; ``win_rate`` counts a higher
rating as 1 and an equal one as a half. ``score`` and ``reference_score`` are the mean ratings. A small judge gives
many equal ratings, which draws the win rate to a half."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from lamina.bench.tasks.files import benchmark_file
from lamina.bench.tasks.graded import RATED, rating_of
from lamina.bench.tasks.judged import Judging, Question, Scores, Verdict, answered
from lamina.bench.tasks.tables import table_rows
from lamina.bench.tasks.written import Written
from lamina.tools.tool import JSON

ABOUT = "alpaca_eval, 805 instructions; a judge's rating and win rate over reference answers (needs --judge)"
VERSION = 1
FILE = "alpaca_eval/alpaca_eval.json"


def open_task(argument: str, data: str | Path | None = None) -> Written:
    def read() -> Iterator[JSON]:
        rows = table_rows(benchmark_file(data, FILE, "alpaca_eval"), ("instruction", "output"))
        for number, row in enumerate(rows, 1):
            yield {"id": f"alpaca-{number}", "prompt": row["instruction"], "target": [row["output"]]}

    judging = Judging(needed=True, ask=_questions, score=_scores)
    spans = dict.fromkeys(("score", "reference_score"), RATED)
    return Written("alpaca_eval", read, lambda row, answer: {}, "win_rate", 512, judging=judging, spans=spans)


def _questions(record: JSON) -> Sequence[Question]:
    if not answered(record):
        return []
    row = record["row"]
    return [rating_of(row["prompt"], text) for text in (record["transcript"][-1]["answer"], row["target"][0])]


def _scores(record: JSON, verdicts: Sequence[Verdict]) -> Scores:
    mine, reference = (float(verdict["score"]) for verdict in verdicts)
    won = 1.0 if mine > reference else 0.5 if mine == reference else 0.0
    return {"win_rate": won, "score": mine, "reference_score": reference}
