"""What tasks with a written answer have in common: questions from files of public benchmarks, one answer, metrics.

Not a task itself. A task file says where its questions lie and how an answer is scored; ``Written`` does the rest."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lamina.bench.choosing import read_choice
from lamina.bench.intervals import wilson
from lamina.bench.score_intervals import SHARE, Span, as_share, mean_of_scores
from lamina.bench.tasks.files import csv_rows, place, told_with_place
from lamina.bench.tasks.judged import Judging
from lamina.bench.tasks.judged import Scores as Scores  # every task file takes it from here
from lamina.bench.tasks.task import Conversation, Figure, Outcome, Sample, Setting, turn_record
from lamina.models.model import Reply, Request
from lamina.tools.tool import JSON
from lamina.trajectories.trajectory import Message

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
PICK = "Please answer the following question by outputting a single letter representing the best option only."
"""The system prompt of MobileAIBench's tasks with options."""

HALF = 0.5
"""A score between 0 and 1 counts as right from here on, where answers of two models are paired (our choice)."""

COUNTED = ("unread", "cut", "wrote_nothing", "judge_unreadable", "unscored")
"""Scores that count what went amiss: figures of their own, given only where there are any, and False of a sample that
does not have them."""


@dataclass(frozen=True)
class Written:
    """One answer to each question. ``read`` gives rows ``{"id", "prompt", "system"?, "then"?, "images"?, "options"?,
    "choices"?, "raw"?, "target"?, …}``: ``images`` are paths; with ``options`` (how many letters) the answer is
    constrained to one letter, with ``choices`` to one of the texts; with ``raw`` the prompt is sent as it is, without
    a chat template, and a letter follows a blank; what stands in ``then`` is asked afterwards in the same
    conversation, and the last answer scored. ``score(row, answer)`` gives the metrics, ``paired_metric`` names the
    one that decides whether an answer is right. Where the answer is to be one of a few texts, ``score`` is given the
    one that it names (``choosing``); an answer that names none is a miss, a figure ``unread``, and no part of what
    ``more`` adds. An answer without text is scored as any, and a figure ``wrote_nothing``. What ``row["about"]`` names
    is kept with the scores, and ``more`` adds figures over all of them.
    ``judging``: what a judge is asked besides, or instead. ``spans``: the least and the largest value of each metric
    that is no share from 0 to 1; what is known of a mean depends on it."""

    name: str
    read: Callable[[], Iterable[JSON]]
    score: Callable[[JSON, str], Scores]
    paired_metric: str
    max_tokens: int = 256
    more: Callable[[Sequence[JSON]], list[Figure]] = field(default=lambda outcomes: [])
    judging: Judging | None = None
    needs_tools: bool = False
    spans: Mapping[str, Span] = field(default_factory=dict)

    @property
    def spec(self) -> str:
        return self.name

    def samples(self) -> list[Sample]:
        """Raises InputError with file and line for a row that cannot be asked, and where there is none. A file that has
        an id twice has two samples, the later ones ``ID#2`` and so on."""
        found: dict[str, Sample] = {}
        times: Counter[str] = Counter()
        with told_with_place():
            for row in self.read():
                if problem := problem_of(row):
                    raise place().error(problem)
                id = str(row["id"])
                times[id] += 1
                id = id if times[id] == 1 else f"{id}#{times[id]}"
                found[id] = Sample(id, row)
            if not found:
                raise place().error(f"holds no question of the task {self.name!r}", "name a file with some")
        return list(found.values())

    def solve(self, sample: Sample, setting: Setting) -> Conversation:
        row, records, cut = sample.row, [], False
        messages = self.opening(row, setting)
        for said in [row["prompt"], *row.get("then", ())]:
            messages = [*messages, Message(role="user", content=said)]
            request = self.request(row, messages, setting)
            reply = yield request
            records.append(turn_record(request, reply, []) | {"target": row.get("target")})
            if unanswered(reply):
                return Outcome(False, {"unscored": True}, [f"not answered: {reply.problem}"], records)
            messages, cut = [*messages, Message(role="assistant", content=reply.text)], cut or reply.truncated
        kept = {key: row[key] for key in row.get("about", ())} | odd_scores(records, cut)
        if self.judging is not None and self.judging.needed:
            return Outcome(False, {**kept, "unscored": True}, ["not judged"], records)
        said, choices = reply.text, choices_of(row)
        if choices:
            # what follows a raw prompt goes on with questions of its own
            read = read_choice(choices, said.lstrip().split("\n")[0] if row.get("raw") else said)
            if read is None:
                unread = {self.paired_metric: False, "unread": True, "unscored": False}
                return Outcome(False, {**kept, **unread}, ["none of the choices can be read in the answer"], records)
            records[-1]["choice"] = said = read
        found = dict(self.score(row, said))
        return Outcome(self.is_right(found), {**kept, **found, "unscored": False}, [], records)

    def opening(self, row: JSON, setting: Setting) -> list[Message]:
        system = setting.system if setting.system is not None else row.get("system")
        return [Message(role="system", content=system)] if system else []

    def request(self, row: JSON, messages: Sequence[Message], setting: Setting) -> Request:
        raw, choices = bool(row.get("raw")), choices_of(row)
        return Request(
            () if raw else messages,
            raw_prompt=row["prompt"] if raw else None,
            grammar=one_of(choices) if choices else None,
            constrained=bool(choices),
            continuations=choices if row.get("options") and not row.get("choices") else (),
            max_tokens=min(self.max_tokens, setting.max_tokens),
            images=row.get("images", ()),
            choices=choices,
        )

    def is_right(self, scores: Scores) -> bool:
        return as_share(float(scores[self.paired_metric]), self.spans.get(self.paired_metric, SHARE)) >= HALF

    def figures(self, outcomes: Sequence[JSON]) -> list[Figure]:
        scored = [o for o in outcomes if not o["unscored"]]
        names = [n for n in dict.fromkeys(name for o in scored for name in o) if n not in (*COUNTED, "right")]
        found = []
        for name in names:
            values = [o[name] for o in scored if o.get(name) is not None]
            if all(isinstance(v, bool) for v in values):
                interval = wilson(sum(values), len(values))
            elif all(isinstance(v, int | float) for v in values):
                interval = mean_of_scores([float(v) for v in values], self.spans.get(name))
            else:
                continue  # what a row is about, kept for ``more``
            found += [Figure(name, interval, self.spans.get(name))] if interval else []
        found += self.more([o for o in scored if not o.get("unread")])
        for name in COUNTED:
            of = outcomes if name in ("judge_unreadable", "unscored") else scored
            hits = [bool(o.get(name)) for o in of]
            if any(hits) and (interval := wilson(sum(hits), len(hits))):
                found.append(Figure(name, interval))
        return found

    def counts_in_pair(self, scores: JSON) -> bool:
        return not scores["unscored"]


def choices_of(row: JSON) -> Sequence[str]:
    """The texts of which the answer is one: letters where there are options, a blank before them after a raw prompt."""
    letters = [f" {letter}" if row.get("raw") else letter for letter in LETTERS[: row.get("options") or 0]]
    return row.get("choices") or letters


def odd_scores(records: Sequence[JSON], cut: bool) -> JSON:
    """Of the answers of a sample: whether one was ``cut`` at the limit, and, where it is so, that one has no text."""
    return {"cut": cut} | ({"wrote_nothing": True} if any(not turn["answer"].strip() for turn in records) else {})


def unanswered(reply: Reply) -> bool:
    """An engine that refused the prompt, an endpoint that failed: not the model's answer."""
    return not reply.text and reply.problem is not None


def one_of(choices: Sequence[str]) -> str:
    """A grammar for exactly one of the texts."""
    return "start: " + " | ".join(json.dumps(choice) for choice in choices)


def with_options(question: str, options: Sequence[str]) -> str:
    listed = "\n".join(f"{letter}. {option}" for letter, option in zip(LETTERS, options, strict=False))
    return f"{question}\n\n{listed}"


def picked(row: JSON, answer: str) -> Scores:
    """``accuracy`` of a letter."""
    return {"accuracy": answer.strip()[:1] == row["target"]}


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


def problem_of(row: JSON) -> str | None:
    """Why the row cannot be asked, or can never be answered rightly."""
    asked = [*row.get("variants", [row.get("prompt")]), *row.get("then", ())]
    if not all(isinstance(text, str) and text.strip() for text in asked):
        return "has no text to ask"
    letters = LETTERS[: row.get("options") or 0]
    if letters and row.get("target") not in list(letters):
        return f"has the right answer {row.get('target')!r}, which is none of {', '.join(letters)}"
    if row.get("target") == []:
        return "has no right answer"
    if row.get("options") == 0:
        return "has no options to choose from"
    return None
