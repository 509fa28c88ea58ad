"""A sample that ends the process of its model, always: it is found by asking alone, is a row, and is not asked again.

Several requests are under way when a process dies, and nothing says which it died of. So what is missing is asked one
at a time in a new process: what that one dies of is the sample, unless the model can do nothing at all."""

from __future__ import annotations

from collections.abc import Iterable

from lamina.bench.driving import sample_record
from lamina.bench.tasks import BROKEN, Outcome, Sample, Task
from lamina.tools.tool import JSON

CRASHED = "crashed"
"""The score of a sample on which the process of its model ended, asked alone: it is ``unscored`` too."""
IN_A_ROW = 3
"""So many samples that end the process with no other answered in between are the model's crash, and none of theirs (our
choice): a template that raises, a machine whose memory is full."""


def is_settled(record: JSON | None, *, retry_crashed: bool = False) -> bool:
    """Whether the sample is not to be asked, or asked again."""
    if record is None:
        return False
    scores = record["scores"]
    return not scores.get(BROKEN) or (bool(scores.get(CRASHED)) and not retry_crashed)


def crashed_record(task: Task, sample: Sample, crash: JSON, turn: JSON | None) -> JSON:
    """A record as of an answer, and ``crash``: ``{"stage", "detail"}``. ``turn``: what was asked, as ``turn_record``
    has it; None where the process ended before there was a request."""
    reason = f"crashed at {crash['stage']}: {crash['detail']}"
    asked = [turn | {"problem": reason}] if turn is not None else []
    outcome = Outcome(False, {"unscored": True, BROKEN: True, CRASHED: True}, [reason], asked)
    return sample_record(task.name, sample.id, sample.row, outcome) | {"crash": crash}


def has_crashed(record: JSON | None) -> bool:
    return record is not None and bool(record["scores"].get(CRASHED))


def crash_rows(records: Iterable[JSON]) -> list[JSON]:
    """A row of a bench for each sample that crashed, with ``sample``, ``stage`` and ``detail``."""
    return [
        {
            **{key: record[key] for key in ("model", "precision", "task")},
            "metric": CRASHED,
            "value": None,
            "low": None,
            "high": None,
            "n": 1,
            "sample": record["sample"],
            **record["crash"],
        }
        for record in records
        if has_crashed(record)
    ]


def is_of_a_sample(crash: JSON) -> bool:
    """Not of a whole model, a judge or a round of timing."""
    return "sample" in crash
