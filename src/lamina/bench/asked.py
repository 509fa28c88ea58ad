"""Who is asked what, and under which settings: a model, how it is asked, and the id under which its answer is kept."""

from __future__ import annotations

from dataclasses import dataclass, field

import orjson

from lamina.bench.identity import sample_key
from lamina.bench.tasks import Sample, Task, scoring_of
from lamina.models import default_threads
from lamina.models.model import PromptStyle
from lamina.runs import Run
from lamina.tools.tool import JSON, Toolbox
from lamina.trajectories import content_id

SLOTS = 8
"""Requests at once where nobody says how many (our choice)."""


@dataclass(frozen=True)
class BenchModel:
    """``label`` and ``precision`` name the model in every row (``"tuned"``, ``"Q8_0"``); ``system`` is an
    instruction put before each request, for a base model at its best. ``copied``: text arguments held to words of the
    request (``models.copying``); None for those that the model's file names. ``family``: equal for files of one model
    (``families``), which are compared with each other; ``""`` where the label says it."""

    ref: str
    label: str
    precision: str
    style: PromptStyle = "baked"
    system: str | None = None
    copied: tuple[str, ...] | None = None
    family: str = ""

    @property
    def name(self) -> str:
        return f"{self.label} {self.precision}".strip()


@dataclass(frozen=True)
class BenchSettings:
    """``context``: tokens that a prompt and its answer may have, never more than the model was trained for; None for
    what ``context_for`` says. ``slots`` requests at once for quality; speed is measured with one, on ``timing_samples``
    requests (0: not at all). ``repeats``: how often each of them is timed with its whole prompt read, in rounds in
    which the models take turns in an order that ``seed`` draws, ``cool_down_seconds`` apart. A worker that finishes
    nothing and does not compute either for ``silence_seconds`` is ended and counts as crashed; one that is slow is
    not (``pulse``). ``retry_crashed``: samples that a process ended on before are asked again.
    ``timeout``: seconds that a call of a tool may take, else the usual ones. ``allow_changes``: tools that may change
    things elsewhere are called, too, where a sample has calls that are run."""

    threads: int = field(default_factory=default_threads)
    slots: int = SLOTS
    context: int | None = None
    max_tokens: int = 256
    timing_samples: int = 12
    sandbox: str = "guarded"
    silence_seconds: float = 600.0
    repeats: int = 0
    cool_down_seconds: float = 0.0
    seed: int = 0
    retry_crashed: bool = False
    timeout: float | None = None
    allow_changes: bool = False


@dataclass(frozen=True)
class Ask:
    """One sample that one model is to answer, and the id of its record. ``asked``: equal for samples whose answer is
    the same one, where a file of the user's scores it: with another ``score`` the answer stays."""

    key: str
    task: Task
    sample: Sample
    asked: str | None = None

    @property
    def answer_key(self) -> str:
        return self.asked or self.key


def ask_key(
    identity: str, task: Task, sample: Sample, toolbox: Toolbox, model: BenchModel, settings: BenchSettings
) -> str:
    # what is left out is not in the key: an older run goes on
    given = [said for said in (model.copied, settings.context) if said is not None]
    asked = (model.style, model.system, settings.max_tokens, *given)
    return sample_key(identity, task, sample, toolbox, asked)


def ask_of(
    identity: str, task: Task, sample: Sample, toolbox: Toolbox, model: BenchModel, settings: BenchSettings
) -> Ask:
    key, digits = ask_key(identity, task, sample, toolbox, model, settings), scoring_of(task)
    return Ask(key, task, sample) if digits is None else Ask(content_id("scored", key, digits), task, sample, key)


def stored(run: Run, kind: str, key: str) -> JSON | None:
    row = run.store.get(kind, key)
    found: JSON | None = orjson.loads(row.payload) if row else None
    return found
