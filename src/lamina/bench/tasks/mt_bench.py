"""``mt_bench``: 80 open questions of two turns (Zheng et al. 2023, arXiv 2306.05685; Apache-2.0). The second turn is
asked after the model's own first answer. Where GPT-4's reference answers are there (30 questions of reasoning, maths
and code), the judge sees them.

Published: a judge's rating of each turn, 1 to 10, and their mean. Ours: any judge (``--judge``), its answer held to
JSON; answers are greedy, where the published code draws them by category, and at most 512 tokens long, where it allows
1,024. ``good``, by which models are compared in pairs, is a mean of 6 or more (our choice). Ratings of different
judges don't compare."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from lamina.bench.tasks.files import benchmark_file, json_rows, place
from lamina.bench.tasks.graded import RATED, rating_of, rating_of_second
from lamina.bench.tasks.judged import Judging, Question, Scores, Verdict, answered
from lamina.bench.tasks.written import Written
from lamina.tools.tool import JSON

ABOUT = "mt_bench, 80 open questions of two turns; a judge's rating, 1 to 10 (needs --judge)"
VERSION = 1
FILE = "mt-bench/question.jsonl"
REFERENCES = "mt-bench/reference_gpt-4.jsonl"
GOOD = 6


def open_task(argument: str, data: str | Path | None = None) -> Written:
    judging = Judging(needed=True, ask=_questions, score=_scores)
    spans = dict.fromkeys(("score", "score_turn_1", "score_turn_2"), RATED)
    return Written("mt_bench", lambda: _rows(data), lambda row, answer: {}, "good", 512, judging=judging, spans=spans)


def _rows(data: str | Path | None) -> Iterator[JSON]:
    file = benchmark_file(data, FILE, "mt_bench")
    known = _references(file.parent.parent / REFERENCES)
    for row in json_rows(file):
        if not isinstance(row, dict) or not {"question_id", "turns"} <= row.keys() or len(row["turns"]) != 2:
            raise place().error("has no question_id and two turns")
        first, second = row["turns"]
        id = str(row["question_id"])
        yield {"id": id, "prompt": first, "then": [second], "reference": known.get(id)}


def _references(file: Path) -> dict[str, list[str]]:
    if not file.is_file():
        return {}
    found = {str(row["question_id"]): list(row["choices"][0]["turns"]) for row in json_rows(file)}
    return {id: turns for id, turns in found.items() if len(turns) == 2}


def _questions(record: JSON) -> Sequence[Question]:
    if not answered(record):
        return []
    row, (first, second) = record["row"], (turn["answer"] for turn in record["transcript"])
    known = row["reference"]
    turns, answers = (row["prompt"], row["then"][0]), (first, second)
    return [
        rating_of(row["prompt"], first, known[0] if known else None),
        rating_of_second(turns, answers, (known[0], known[1]) if known else None),
    ]


def _scores(record: JSON, verdicts: Sequence[Verdict]) -> Scores:
    first, second = (float(verdict["score"]) for verdict in verdicts)
    mean = (first + second) / 2
    return {"score": mean, "score_turn_1": first, "score_turn_2": second, "good": mean >= GOOD}
