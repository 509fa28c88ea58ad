"""Early stop on what matters: whether held-out requests are answered with the right calls.

The loss goes on falling where a model has begun to forget how to call, and rises where it is only more certain; so
held-out requests are answered in earnest now and then (greedy, unconstrained, the first request of each row), the
weights that answered best are kept, and training stops when ``patience`` looks in a row brought nothing better.
"""

from __future__ import annotations

import csv
import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lamina.models.parsing import parse_calls
from lamina.models.speaking import taken_apart
from lamina.runs.files import atomic_file
from lamina.tools import Toolbox
from lamina.training.folder import UNFINISHED
from lamina.training.packing import ATTENTION, use_row_attention
from lamina.training.rows import IGNORED, Row
from lamina.training.settings import TrainSettings
from lamina.training.weights import inner_model
from lamina.trajectories import Trajectory, compare_calls

MOST_ASKED = 64
"""Held-out requests asked each time (our choice: a look costs seconds, its 95 % interval is then 12 points wide)."""
BATCH = 16
ROOM = 1.5
"""An answer may have that many times the tokens of the longest right one."""
COLUMNS = ("step", "call_accuracy", "rows", "seconds")


@dataclass(frozen=True)
class Question:
    """A request's tokens up to the answer, and the row that knows the right one."""

    prompt: list[int]
    answer_tokens: int
    row: Trajectory


def hold_out(
    train: Sequence[Trajectory], held: Sequence[Trajectory], settings: TrainSettings
) -> tuple[Sequence[Trajectory], Sequence[Trajectory]]:
    """``train`` and ``held`` as they are, or, where a watch is asked for and nothing is held, a share of ``train``
    (``held_share``, at least one row) taken out of it."""
    if not settings.patience or held or len(train) < 2:
        return train, held
    count = min(len(train) - 1, max(1, round(settings.held_share * len(train))))
    chosen = set(random.Random(settings.seed).sample(range(len(train)), count))
    return [r for i, r in enumerate(train) if i not in chosen], [r for i, r in enumerate(train) if i in chosen]


def questions_of(held: Sequence[Trajectory], rows: Sequence[Row]) -> list[Question]:
    """At most ``MOST_ASKED``, evenly drawn from ``held``, of which ``rows`` are the tokens."""
    known = {row.id: row for row in held}
    told = [row for row in rows if known[row.id].turns]
    step = max(1.0, len(told) / MOST_ASKED)
    made = []
    for row in [told[int(i * step)] for i in range(min(len(told), MOST_ASKED))]:
        start = next(i for i, label in enumerate(row.labels) if label != IGNORED)
        end = next((i for i in range(start, len(row.labels)) if row.labels[i] == IGNORED), len(row.labels))
        made.append(Question(row.input_ids[:start], end - start, known[row.id]))
    return made


def call_accuracy(
    model: Any, tokenizer: Any, questions: Sequence[Question], toolbox: Toolbox, speaks: bool = False
) -> float:
    """Share of questions whose answer means the right calls, and is calls that the tools take, beside whatever words
    where the model ``speaks``."""
    import torch

    room = round(ROOM * max(question.answer_tokens for question in questions)) + 1
    ordered = sorted(questions, key=lambda question: len(question.prompt))
    right = 0
    with _answering(model) as answering, torch.no_grad():
        for start in range(0, len(ordered), BATCH):
            part = ordered[start : start + BATCH]
            for question, (text, ended) in zip(part, _answers(answering, tokenizer, part, room), strict=True):
                row = question.row
                tools = row.toolbox() if row.tools else toolbox
                text = taken_apart(text, truncated=not ended).calls if speaks else text
                calls, problem = parse_calls(text, tools, truncated=not ended)
                right += problem is None and compare_calls(row.turns[0], calls, tools, now=row.meta.now).exact
    return right / len(questions)


def _answers(model: Any, tokenizer: Any, questions: Sequence[Question], room: int) -> list[tuple[str, bool]]:
    """Of each question the answer's text, and whether it came to its end in ``room`` tokens."""
    import torch

    width = max(len(question.prompt) for question in questions)
    pad = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else tokenizer.eos_token_id
    padded = [[pad] * (width - len(q.prompt)) + q.prompt for q in questions]
    seen = [[0] * (width - len(q.prompt)) + [1] * len(q.prompt) for q in questions]
    made = model.generate(
        input_ids=torch.tensor(padded, device=model.device),
        attention_mask=torch.tensor(seen, device=model.device),
        max_new_tokens=room,
        do_sample=False,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=pad,
    )
    answers = made[:, width:]
    ended = (answers == tokenizer.eos_token_id).any(dim=1).tolist()
    return list(zip(tokenizer.batch_decode(answers, skip_special_tokens=True), ended, strict=True))


@contextmanager
def _answering(model: Any) -> Iterator[Any]:
    """The model as it answers: no dropout, and attention of its own, which knows padding and a cache."""
    inner = inner_model(model)
    training, rows_apart = model.training, inner.config._attn_implementation == ATTENTION
    if rows_apart:
        inner.set_attn_implementation("sdpa")
    model.eval()
    try:
        yield inner
    finally:
        model.train(training)
        if rows_apart:
            use_row_attention(inner)


class Watch:
    """Asks ``questions`` every ``every`` steps, keeps the weights that answered best, says when to stop. Its looks
    stand in ``call-accuracy.csv``."""

    def __init__(self, look: Callable[[Any], float], count: int, every: int, patience: int, out: Path):
        self.look, self.count, self.every, self.patience = look, count, every, patience
        self.log, self.kept = out / "call-accuracy.csv", out / UNFINISHED / "best.safetensors"
        self.looks: list[tuple[int, float]] = []

    def begin(self, step: int) -> None:
        """Keeps the looks up to ``step``, from which training goes on; those after it will be had again."""
        lines: list[dict[str, str]] = []
        if step and self.log.is_file():
            with self.log.open(newline="") as opened:
                lines = [line for line in csv.DictReader(opened) if int(line["step"]) <= step]
        with self.log.open("w", newline="") as opened:
            writer = csv.DictWriter(opened, COLUMNS)
            writer.writeheader()
            writer.writerows(lines)
        self.looks = [(int(line["step"]), float(line["call_accuracy"])) for line in lines]

    def after(self, step: int, last: int, model: Any) -> float | None:
        """The accuracy after a step that is looked at, else None."""
        if step % self.every and step != last:
            return None
        began = time.monotonic()
        found = round(self.look(model), 6)
        better = not self.looks or found > self.best[1]
        self.looks.append((step, found))
        if better:
            self._keep(model)
        with self.log.open("a", newline="") as opened:
            csv.writer(opened).writerow([step, found, self.count, f"{time.monotonic() - began:.2f}"])
        return found

    @property
    def best(self) -> tuple[int, float]:
        """Step and accuracy; of equals the earliest."""
        return max(self.looks, key=lambda look: (look[1], -look[0]))

    @property
    def is_enough(self) -> bool:
        """Whether the last ``patience`` looks brought nothing better."""
        return sum(step > self.best[0] for step, _ in self.looks) >= self.patience

    def restore(self, model: Any) -> None:
        """Gives the model the weights that answered best."""
        from safetensors.torch import load_file

        best = load_file(self.kept, device=str(model.device))
        for name, weight in _trained(model):
            weight.data.copy_(best[name])

    def metrics(self) -> dict[str, Any]:
        step, accuracy = self.best
        return {"call_accuracy": accuracy, "best_step": step, "last_step": self.looks[-1][0], "asked": self.count}

    def _keep(self, model: Any) -> None:
        from safetensors.torch import save

        with atomic_file(self.kept) as opened:
            opened.write(save({name: weight.detach().contiguous() for name, weight in _trained(model)}))


def _trained(model: Any) -> Iterator[tuple[str, Any]]:
    return ((name, weight) for name, weight in model.named_parameters() if weight.requires_grad)
