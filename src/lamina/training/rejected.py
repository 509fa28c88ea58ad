"""Whose answers are wrong, for preference training: a weaker model's, a file's, or those that a run rejected."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from lamina.errors import InputError
from lamina.models import check_reference, open_model, prompt_style_of
from lamina.models.model import Model, PromptStyle, Request
from lamina.models.parsing import parse_calls
from lamina.runs.files import atomic_file
from lamina.runs.run import is_run
from lamina.tools import Toolbox
from lamina.training.preferences import Answers, before_answer
from lamina.training.rows import TrainingData
from lamina.training.run_rejects import REJECTS, answers_of_rejects
from lamina.training.text_lines import numbered_lines
from lamina.trajectories import ToolCall, Trajectory

KEPT = "wrong-answers.jsonl"
"""In the folder of a preference training: the answers that it prefers the rows' over."""


def answers_in(rejected: str) -> Path | None:
    """The file of the answers that ``--rejected`` names (a run's rejects, or a file's); None where it names a model."""
    place = Path(rejected)
    if is_run(place):
        return place / REJECTS
    return place if place.suffix in (".jsonl", ".json") and place.is_file() else None


def check_rejected(rejected: str) -> None:
    """Whether ``wrong_answers`` can begin. Raises InputError, ModelReferenceError."""
    file = answers_in(rejected)
    if file is None:
        check_reference(rejected)
    elif not file.is_file():
        mend = "give a run of synth, or a file of answers; a run that rejected nothing has none"
        raise InputError(f"holds no {REJECTS} to take wrong answers from", file=file.parent, mend=mend)


def identity_of_rejected(rejected: str) -> dict[str, str]:
    """What of it makes two trainings different ones: the name, and of a file what is in it."""
    file = answers_in(rejected)
    told = {"rejected": rejected}
    return told if file is None else told | {"rejected_answers": hashlib.sha256(file.read_bytes()).hexdigest()[:16]}


def kept_answers(folder: Path, rejected: str, found: TrainingData) -> Answers:
    """``wrong_answers``, kept in ``folder``: a training that was killed finds them there, for a model that is asked
    again may answer otherwise, and takes its time. Raises as ``wrong_answers`` does, StorageError."""
    file = folder / KEPT
    if not file.is_file():
        answers = wrong_answers(rejected, found)
        with atomic_file(file) as opened:
            for id, calls in answers.items():
                told = [{"name": call.name, "arguments": call.arguments} for call in calls]
                opened.write(json.dumps({"id": id, "calls": told}).encode() + b"\n")
    return answers_of_file(file)


def wrong_answers(rejected: str, found: TrainingData) -> Answers:
    """By the id of the row. Raises InputError where a line is no answer, or none is to one of the rows, and as the
    model does."""
    answers = _answers(rejected, found)
    if not any(row.id in answers for row in found.train):
        mend = "answers need the ids of the rows; a run, rejects of the same tools; a model, calls that can be read"
        raise InputError(f"{rejected}: gives no wrong answer to any of the {len(found.train):,} rows", mend=mend)
    return answers


def _answers(rejected: str, found: TrainingData) -> Answers:
    file = answers_in(rejected)
    if is_run(Path(rejected)):
        return answers_of_rejects(Path(rejected), found.train, found.toolbox)
    if file is not None:
        return answers_of_file(file)
    model = open_model(rejected)
    try:
        return answers_of_model(model, found.train, found.toolbox, prompt_style_of(rejected) or "full")
    finally:
        model.close()


def answers_of_model(model: Model, rows: Sequence[Trajectory], toolbox: Toolbox, style: PromptStyle) -> Answers:
    """What a model answers to the first request of each row: calls that the tools do not take too, for these are the
    ones to leave; nonsense is no answer and gives no pair."""
    requests = [
        Request(before_answer(row), tools=row.toolbox() if style != "baked" and row.tools else toolbox, style=style)
        for row in rows
    ]
    answers: dict[str, list[ToolCall]] = {}
    for row, reply in zip(rows, model.generate(requests), strict=True):
        calls, problem = reply.calls, reply.problem
        if problem is not None:
            calls, problem = parse_calls(reply.text, truncated=reply.truncated)
        if problem is None:
            answers[row.id] = calls
    return answers


def answers_of_file(file: Path) -> Answers:
    """``{"id", "calls": [{"name", "arguments"}]}`` a line, as ``lamina bench score`` reads them."""
    answers: dict[str, list[ToolCall]] = {}
    for number, line in numbered_lines(file):
        try:
            row = json.loads(line)
            answers[row["id"]] = [ToolCall.of(call["name"], call["arguments"]) for call in row["calls"]]
        except (ValueError, KeyError, TypeError):
            mend = 'a line is {"id": …, "calls": [{"name": …, "arguments": {…}}]}'
            raise InputError("is no answer", file=file, line=number, mend=mend) from None
    return answers
