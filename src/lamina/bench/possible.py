"""Which models can do which tasks, as far as it is known before a model is loaded."""

from __future__ import annotations

from collections.abc import Sequence

from lamina.bench.tasks import Task
from lamina.errors import UserError

_ONLY_WRITE = ("openai:", "scripted:")
"""Kinds of models that write, and do not say how likely they find a given text."""


def why_not(task: Task, ref: str) -> str | None:
    """Why the model cannot do the task; None where nothing speaks against it."""
    if getattr(task, "needs_likelihoods", False) and ref.startswith(_ONLY_WRITE):
        return f"the task {task.name!r} compares how likely given texts are, which this kind of model does not say"
    return None


def check_possible(tasks: Sequence[Task], refs: Sequence[str]) -> None:
    """Raises UserError where none of the models can do a task; where some can, the others have a row that says why."""
    for task in tasks:
        reasons = [why_not(task, ref) for ref in refs]
        if reasons and all(reasons):
            raise UserError(f"{reasons[0]}; take a GGUF file, a folder or hf:ORG/NAME, or leave the task out")
