"""``jsonl:FILE``: a task of your own, one JSON object a line: ``{"input", "target", "metric"?, "id"?, "system"?,
"choices"?}``.

``target`` is a text or a list of texts any of which is right; ``metric`` one of ``METRICS`` (``exact_match`` where
left out, the same in every line); with ``choices`` the answer is constrained to one of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from lamina.bench.metrics import bleu, exact_match, last_number, rouge, sql_scores, token_f1
from lamina.bench.tasks.files import json_rows
from lamina.bench.tasks.written import Scores, Written
from lamina.errors import InputError
from lamina.tools.tool import JSON

ABOUT = "jsonl:FILE, your own questions: input, target, metric"

METRICS: dict[str, Callable[[str, list[str]], Scores]] = {
    "exact_match": lambda answer, targets: {"exact_match": exact_match(answer, targets)},
    "contains": lambda answer, targets: {"contains": any(t.casefold() in answer.casefold() for t in targets)},
    "number": lambda answer, targets: {"number": last_number(answer) in [last_number(t) for t in targets]},
    "f1": lambda answer, targets: {"f1": token_f1(answer, targets)},
    "rouge": lambda answer, targets: rouge(answer, targets),
    "bleu": lambda answer, targets: {"bleu": bleu(answer, targets)},
    "sql": lambda answer, targets: sql_scores(answer, targets[0]),
}
_DECIDES = {"rouge": "rougeL", "sql": "sql_exact"}


def open_task(argument: str) -> Written:
    file = Path(argument)
    if not argument or not file.is_file():
        raise InputError("there is no such file", file=file, mend="name it: jsonl:questions.jsonl")
    rows = list(_rows(file))
    metric = str(rows[0]["metric"])
    return Written(f"jsonl:{argument}", lambda: rows, _score, _DECIDES.get(metric, metric))


def _rows(file: Path) -> Iterator[JSON]:
    first: str | None = None
    for number, row in enumerate(json_rows(file), 1):
        problem = _problem(row)
        metric = row.get("metric", "exact_match") if isinstance(row, dict) else ""
        first = first or metric
        if problem is None and metric != first:
            problem = f"its metric is {metric!r}, that of the lines before {first!r}"
        if problem:
            raise InputError(problem, file=file, line=number, mend="see 'lamina tasks' for the form of a line")
        target = row["target"] if isinstance(row["target"], list) else [row["target"]]
        kept = {key: row[key] for key in ("system", "choices") if row.get(key)}
        yield {"id": str(row.get("id", number)), "prompt": row["input"], "target": target, "metric": metric, **kept}
    if first is None:
        raise InputError("has no line", file=file, mend="write one question a line")


def _problem(row: JSON) -> str | None:
    if not isinstance(row, dict):
        return "is not an object"
    if not isinstance(row.get("input"), str) or not row["input"].strip():
        return "has no 'input' text"
    target = row.get("target")
    targets = target if isinstance(target, list) else [target]
    if not targets or not all(isinstance(text, str) for text in targets):
        return "has no 'target', a text or a list of texts"
    if row.get("metric", "exact_match") not in METRICS:
        return f"has an unknown metric {row['metric']!r} (there are {', '.join(METRICS)})"
    return None


def _score(row: JSON, answer: str) -> Scores:
    return METRICS[row["metric"]](answer, row["target"])
