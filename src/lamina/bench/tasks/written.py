"""What tasks with a written answer have in common: questions from files of public benchmarks, one answer, metrics.

Not a task itself. A task file says where its questions lie and how an answer is scored; ``Written`` does the rest."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lamina.bench.intervals import mean_interval, wilson
from lamina.bench.tasks.task import Conversation, Figure, Outcome, Sample, Setting, turn_record
from lamina.errors import InputError
from lamina.models.model import Request
from lamina.tools.tool import JSON
from lamina.trajectories.trajectory import Message

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
PICK = "Please answer the following question by outputting a single letter representing the best option only."
"""The system prompt of MobileAIBench's tasks with options."""

HALF = 0.5
"""A score between 0 and 1 counts as right from here on, where answers of two models are paired (our choice)."""

Scores = Mapping[str, bool | float]
"""What one answer scored, by metric; a bool is a rate with Wilson's interval, a float a mean."""


@dataclass(frozen=True)
class Written:
    """One answer to each question. ``read`` gives rows ``{"id", "prompt", "system"?, "options"?, "choices"?, "target",
    …}``: with ``options`` (how many letters) the answer is constrained to one letter, with ``choices`` to one of the
    texts. ``score(row, answer)`` gives the metrics, ``paired_metric`` names the one that decides whether an answer is
    right. What ``row["about"]`` names is kept with the scores, and ``more`` adds figures over all of them."""

    name: str
    read: Callable[[], Iterable[JSON]]
    score: Callable[[JSON, str], Scores]
    paired_metric: str
    max_tokens: int = 256
    more: Callable[[Sequence[JSON]], list[Figure]] = field(default=lambda outcomes: [])
    needs_tools: bool = False

    @property
    def spec(self) -> str:
        return self.name

    def samples(self) -> list[Sample]:
        return [Sample(str(row["id"]), row) for row in self.read()]

    def solve(self, sample: Sample, setting: Setting) -> Conversation:
        row = sample.row
        system = setting.system if setting.system is not None else row.get("system")
        messages = [Message(role="system", content=system)] if system else []
        messages.append(Message(role="user", content=row["prompt"]))
        choices = row.get("choices") or list(LETTERS[: row.get("options") or 0])
        request = Request(
            messages,
            grammar=one_of(choices) if choices else None,
            constrained=bool(choices),
            continuations=choices if row.get("options") and not row.get("choices") else (),
            max_tokens=min(self.max_tokens, setting.max_tokens),
        )
        reply = yield request
        record = turn_record(request, reply, []) | {"target": row.get("target")}
        if not reply.text and reply.problem is not None:
            return Outcome(False, {"unscored": True}, [f"not answered: {reply.problem}"], [record])
        found = dict(self.score(row, reply.text))
        kept = {key: row[key] for key in row.get("about", ())}
        right = float(found[self.paired_metric]) >= HALF
        return Outcome(right, {**kept, **found, "unscored": False, "cut": reply.truncated}, [], [record])

    def figures(self, outcomes: Sequence[JSON]) -> list[Figure]:
        scored = [o for o in outcomes if not o["unscored"]]
        names = [n for n in (scored[0] if scored else {}) if n not in ("unscored", "right", "cut")]
        found = []
        for name in names:
            values = [o[name] for o in scored]
            if all(isinstance(v, bool) for v in values):
                interval = wilson(sum(values), len(values))
            elif all(isinstance(v, int | float) for v in values):
                interval = mean_interval([float(v) for v in values])
            else:
                continue  # what a row is about, kept for ``more``
            found += [Figure(name, interval)] if interval else []
        found += self.more(scored)
        for name, hits in (("cut", [o["cut"] for o in scored]), ("unscored", [o["unscored"] for o in outcomes])):
            if any(hits) and (interval := wilson(sum(hits), len(hits))):
                found.append(Figure(name, interval))
        return found

    def counts_in_pair(self, scores: JSON) -> bool:
        return not scores["unscored"]


def one_of(choices: Sequence[str]) -> str:
    """A grammar for exactly one of the texts."""
    return "start: " + " | ".join(json.dumps(choice) for choice in choices)


def with_options(question: str, options: Sequence[str]) -> str:
    listed = "\n".join(f"{letter}. {option}" for letter, option in zip(LETTERS, options, strict=False))
    return f"{question}\n\n{listed}"


def picked(row: JSON, answer: str) -> Scores:
    """``accuracy`` of a letter."""
    return {"accuracy": answer.strip()[:1] == row["target"]}


def benchmark_file(data: str | Path | None, name: str, task: str) -> Path:
    """``name`` below the folder of benchmarks. Raises InputError where no folder was given or it is not there."""
    if data is None:
        what = f"the task {task!r} needs a folder of benchmark files"
        raise InputError(what, mend=f"name the folder that holds {name} with --data")
    file = Path(data) / name
    if not file.is_file():
        raise InputError("there is no such file", file=file, mend=f"name the folder for {task!r} with --data")
    return file


def benchmark_folder(data: str | Path | None, name: str, task: str) -> Path:
    """As ``benchmark_file``, of a folder."""
    if data is None:
        what = f"the task {task!r} needs a folder of benchmark files"
        raise InputError(what, mend=f"name the folder that holds {name} with --data")
    folder = Path(data) / name
    if not folder.is_dir():
        raise InputError("there is no such folder", file=folder, mend=f"name the folder for {task!r} with --data")
    return folder


def csv_rows(file: Path) -> Iterator[dict[str, str]]:
    csv.field_size_limit(sys.maxsize)
    with open(file, encoding="utf-8-sig", newline="") as lines:
        yield from csv.DictReader(lines)


def json_rows(file: Path) -> list[Any]:
    """The objects of a JSON array, of one JSON object, or of one object a line."""
    text = file.read_text(encoding="utf-8-sig")
    try:
        whole = json.loads(text)
        return whole if isinstance(whole, list) else [whole]
    except ValueError:
        pass  # not one document: a document a line
    found = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            found.append(json.loads(line))
        except ValueError as error:
            raise InputError(f"is not JSON: {error}", file=file, line=number, mend="mend the line") from error
    return found


def lettered_rows(file: Path) -> Iterator[JSON]:
    """Rows of MobileAIBench's files with options in the prompt: ``system, prompt, answer``."""
    for number, row in enumerate(csv_rows(file), 1):
        options = sum(f"\n{letter}. " in row["prompt"] for letter in LETTERS)
        yield {
            "id": f"{file.stem}-{number}",
            "system": row["system"],
            "prompt": row["prompt"],
            "options": options,
            "target": row["answer"].strip(),
        }
