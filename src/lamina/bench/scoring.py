"""Scoring answers that anybody's program wrote: ``{"id", "calls": [{"name", "arguments"}]}`` a line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from lamina.bench.intervals import wilson
from lamina.bench.tasks import JudgesCalls, Task
from lamina.errors import InputError
from lamina.tools.tool import JSON

Answers = dict[str, list[Any]]


def score_answers(task: Task, file: str | Path) -> JSON:
    """``{"task", "accuracy", "low", "high", "n", "right", "scores": {id: bool}, "problems": {id: sentence},
    "unanswered": [id], "unknown": [id]}``, and "left_out" ``{reason: n}`` where rows of the task's file are no samples.

    ``n`` counts what was scored. A sample without an answer and an answer to no sample are not scored, and listed.
    An answer whose calls cannot be read is scored as the task scores it (wrong, where a call was asked for).
    Raises InputError for a task that cannot judge calls, for a line that is no answer, and for an id given twice.
    """
    if not isinstance(task, JudgesCalls):
        raise InputError(f"the task {task.name!r} has no scorer of calls", mend="'lamina tasks' says which have")
    samples = {sample.id: sample for sample in task.samples()}
    answers = read_answers(file)
    known = {id: answers[id] for id in samples if id in answers}
    problems = {id: task.judge(samples[id], calls) for id, calls in known.items()}
    right = sum(problem is None for problem in problems.values())
    interval = wilson(right, len(known))
    return {
        "task": task.name,
        "accuracy": interval.value if interval else None,
        "low": interval.low if interval else None,
        "high": interval.high if interval else None,
        "n": len(known),
        "right": right,
        "scores": {id: problem is None for id, problem in problems.items()},
        "problems": {id: problem for id, problem in problems.items() if problem is not None},
        "unanswered": [id for id in samples if id not in answers],
        "unknown": [id for id in answers if id not in samples],
        **({"left_out": dict(left_out)} if (left_out := getattr(task, "left_out", None)) else {}),
    }


def read_answers(file: str | Path) -> Answers:
    """The calls by id; ``null`` is no call. Raises InputError with the line."""
    file = Path(file)
    answers: Answers = {}
    lines: dict[str, int] = {}
    try:
        text = file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", file=file, mend="check the path") from None
    except UnicodeDecodeError:
        raise InputError("is not UTF-8", file=file, mend="write it as UTF-8") from None
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        id, calls = _answer(line, file, number)
        if id in lines:
            what = f"{id!r} is answered on line {lines[id]} already"
            raise InputError(what, file=file, line=number, mend="leave one answer an id")
        answers[id], lines[id] = calls, number
    return answers


def _answer(line: str, file: Path, number: int) -> tuple[str, list[Any]]:
    mend = 'write {"id": "…", "calls": [{"name": "…", "arguments": {…}}]}'
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InputError(f"not JSON ({error})", file=file, line=number, mend=mend) from None
    if not isinstance(row, dict) or not isinstance(row.get("id"), str | int) or "calls" not in row:
        raise InputError("an answer needs an id and calls", file=file, line=number, mend=mend)
    calls = row["calls"]
    if calls is None:
        return str(row["id"]), []
    # one call without its list, or text, is an answer too, and no list of calls
    return str(row["id"]), calls if isinstance(calls, list) else [calls]
