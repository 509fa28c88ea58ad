"""Whose answers are wrong, for preference training: a weaker model's, a file's, or those that a run rejected."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from lamina.errors import InputError
from lamina.models import check_reference, open_model, prompt_style_of
from lamina.models.model import Model, PromptStyle, Request
from lamina.models.parsing import parse_calls
from lamina.runs.run import is_run
from lamina.tools import Toolbox
from lamina.training.preferences import Answers, before_answer
from lamina.training.rows import TrainingData
from lamina.trajectories import ToolCall, Trajectory

REJECTS = "rejects.jsonl"


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


def wrong_answers(rejected: str, found: TrainingData) -> Answers:
    """By the id of the row. Raises InputError where a line is no answer, and as the model does."""
    file = answers_in(rejected)
    if is_run(Path(rejected)):
        return answers_of_rejects(Path(rejected), found.train)
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
        calls, problem = (reply.calls, None) if reply.problem is None else parse_calls(reply.text)
        if problem is None:
            answers[row.id] = calls
    return answers


def answers_of_file(file: Path) -> Answers:
    """``{"id", "calls": [{"name", "arguments"}]}`` a line, as ``lamina bench score`` reads them."""
    answers: dict[str, list[ToolCall]] = {}
    for number, line in _lines(file):
        try:
            row = json.loads(line)
            answers[row["id"]] = [ToolCall.of(call["name"], call["arguments"]) for call in row["calls"]]
        except (ValueError, KeyError, TypeError):
            mend = 'a line is {"id": …, "calls": [{"name": …, "arguments": {…}}]}'
            raise InputError("is no answer", file=file, line=number, mend=mend) from None
    return answers


def answers_of_rejects(run: Path, rows: Sequence[Trajectory]) -> Answers:
    """The rejects of a run whose request is also a row's, with the calls that were rejected. A reject that holds no
    calls, or something that is none, was not an answer."""
    ids = {row.request.casefold(): row.id for row in rows}
    answers: dict[str, list[ToolCall]] = {}
    for number, line in _lines(run / REJECTS):
        try:
            record = json.loads(line).get("record") or {}
        except (ValueError, AttributeError):
            mend = "restore the file, or run synth again with --fresh"
            raise InputError("is no reject", file=run / REJECTS, line=number, mend=mend) from None
        row = ids.get(str(record.get("request", "")).casefold())
        if row is not None and isinstance(record.get("calls"), list):
            with contextlib.suppress(KeyError, TypeError, ValueError):
                answers[row] = [ToolCall.of(call["name"], call["arguments"]) for call in record["calls"]]
    return answers


def _lines(file: Path) -> Iterator[tuple[int, str]]:
    """Those that are not empty, with their numbers."""
    try:
        text = file.read_text("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError("not UTF-8 text", file=file, mend="save it as UTF-8") from None
    return ((number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip())
