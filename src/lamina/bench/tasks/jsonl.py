"""``jsonl:FILE``: a task of your own, one JSON object a line: ``{"input", "target", "metric"?, "id"?, "system"?,
"choices"?, "images"?}``.

``target`` is a text or a list of texts any of which is right; ``metric`` one of ``METRICS`` (``exact_match`` where
left out, the same in every line); with ``choices`` the answer is constrained to one of them; ``images`` is a path or
several, below the file's folder where they are relative, that are shown with the question. What could never be
answered rightly is said with its line: a target that is no number for ``number``, no query for ``sql``, none of the
choices. A target whose normal form is empty ("A", "The", "???") is compared by its very text."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from lamina.bench.metrics import bleu, exact_match, last_number, normalised, rouge, sql_scores, token_f1
from lamina.bench.tasks.files import json_rows, place, told_with_place
from lamina.bench.tasks.pictured import image_problem, own_images
from lamina.bench.tasks.written import Scores, Written
from lamina.errors import InputError
from lamina.tools.tool import JSON

ABOUT = "jsonl:FILE, your own questions: input, target, metric"
VERSION = 3


def open_task(argument: str) -> Written:
    file = Path(argument)
    if not argument or not file.is_file():
        raise InputError("there is no such file", file=file, mend="name it: jsonl:questions.jsonl")
    with told_with_place():
        rows = list(_rows(file))
    metric = str(rows[0]["metric"])
    return Written(f"jsonl:{argument}", lambda: rows, _score, _DECIDES.get(metric, metric))


def _same(answer: str, targets: list[str]) -> bool:
    """Articles and marks don't count, but where a target is nothing else."""
    bare = [target for target in targets if not normalised(target)]
    said = answer.strip().casefold()
    return exact_match(answer, [t for t in targets if t not in bare]) or said in [t.strip().casefold() for t in bare]


def _shared_words(answer: str, targets: list[str]) -> float:
    return 1.0 if _same(answer, targets) else token_f1(answer, [t for t in targets if normalised(t)])


def _same_number(answer: str, targets: list[str]) -> bool:
    """No number is none of the targets'. What is too large for a float equals nothing."""
    said = last_number(answer)
    return said is not None and any(said - wanted == 0 for t in targets if (wanted := last_number(t)) is not None)


def _nearest_query(answer: str, targets: list[str]) -> Scores:
    """The scores against the target that the answer is nearest to."""
    scores = [sql_scores(answer, target) for target in targets]
    return max(scores, key=lambda found: (found["sql_exact"], found["sql_f1"], found["similarity"]))


METRICS: dict[str, Callable[[str, list[str]], Scores]] = {
    "exact_match": lambda answer, targets: {"exact_match": _same(answer, targets)},
    "contains": lambda answer, targets: {"contains": any(t.casefold() in answer.casefold() for t in targets)},
    "number": lambda answer, targets: {"number": _same_number(answer, targets)},
    "f1": lambda answer, targets: {"f1": _shared_words(answer, targets)},
    "rouge": lambda answer, targets: rouge(answer, targets),
    "bleu": lambda answer, targets: {"bleu": bleu(answer, targets)},
    "sql": _nearest_query,
}
_DECIDES = {"rouge": "rougeL", "sql": "sql_exact"}
_MEND = 'write {"input": "…", "target": "…"}, and "metric", "choices", "system", "images" or "id" where you want them'
_ONE_METRIC = "write the same metric in every line, and questions of another one into a file of their own"


def _rows(file: Path) -> Iterator[JSON]:
    metric: str | None = None
    lines: dict[str, int | None] = {}
    for number, row in enumerate(json_rows(file), 1):
        problem, mend = _problem(row), _MEND
        id = str(row["id"] if row.get("id") is not None else number) if problem is None else ""
        if problem is None:
            its = row.get("metric", "exact_match")
            metric = metric or its
            if its != metric:
                said = "the metric" if "metric" in row else "no metric, which is"
                problem, mend = f"has {said} {its!r}, and the lines before have {metric!r}", _ONE_METRIC
            elif id in lines:
                problem = f"has the id {id!r} of line {lines[id] or list(lines).index(id) + 1}"
        if problem:
            raise place().error(problem, mend)
        lines[id] = place().line
        kept = {key: row[key] for key in ("system", "choices") if row.get(key)} | own_images(row, file)
        yield {"id": id, "prompt": row["input"], "target": _targets(row), "metric": metric, **kept}
    if metric is None:
        raise InputError("has no line", file=file, mend="write one question a line")


def _targets(row: JSON) -> list[Any]:
    target = row.get("target")
    return target if isinstance(target, list) else [target]


def _problem(row: Any) -> str | None:
    if not isinstance(row, dict):
        return "is not an object"
    if not _is_text(row.get("input")):
        return "has no 'input' text"
    targets, metric, choices = _targets(row), row.get("metric", "exact_match"), row.get("choices")
    if not targets or not all(map(_is_text, targets)):
        return "has no 'target', a text or a list of texts"
    if not isinstance(metric, str) or metric not in METRICS:
        return f"has an unknown metric {metric!r} (there are {', '.join(METRICS)})"
    if row.get("system") is not None and not isinstance(row["system"], str):
        return "has a 'system' that is no text"
    if not isinstance(row.get("id"), str | int | None) or isinstance(row.get("id"), bool):
        return "has an 'id' that is no text and no number"
    if choices is not None and not (isinstance(choices, list) and choices and all(map(_is_text, choices))):
        return "has 'choices' that are no list of texts"
    return image_problem(row) or _never_right(targets, metric, choices)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _never_right(targets: list[str], metric: str, choices: list[str] | None) -> str | None:
    """Of each target, so that none is left out without a word."""
    for target in targets:
        if metric == "number" and last_number(target) is None:
            return f"has the target {target!r}, which is no number"
        if metric == "sql" and not sql_scores(target, target)["sql_exact"]:
            return f"has the target {target!r}, which is no query"
    if choices and not any(_decided(metric, METRICS[metric](choice, targets)) for choice in choices):
        return f"has no right answer among its choices ({', '.join(choices)})"
    return None


def _decided(metric: str, scores: Scores) -> bool:
    return float(scores[_DECIDES.get(metric, metric)]) > 0


def _score(row: JSON, answer: str) -> Scores:
    return METRICS[row["metric"]](answer, row["target"])
