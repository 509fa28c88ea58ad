"""Which models can do which tasks, and which are asked in a form that is not their own, as far as it is known before a
model is loaded."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from lamina.bench.tasks import Sample, Task
from lamina.errors import ModelError, UserError
from lamina.models.references import why_blind
from lamina.tools.tool import JSON

_ONLY_WRITE = ("openai:", "scripted:")
"""Kinds of models that write, and do not say how likely they find a given text."""


def why_not(task: Task, ref: str, *, images: bool) -> str | None:
    """Why the model cannot do the task; None where nothing speaks against it. ``images``: the task shows some."""
    if getattr(task, "needs_likelihoods", False) and ref.startswith(_ONLY_WRITE):
        return f"the task {task.name!r} compares how likely given texts are, which this kind of model does not say"
    return why_blind(ref) if images else None


def shows_images(samples: Iterable[Sample]) -> bool:
    """Whether one of a task's samples is about an image: a figure of the others alone would be of another task."""
    return any(sample.row.get("images") for sample in samples)


def check_possible(tasks: Sequence[Task], refs: Sequence[str]) -> None:
    """Raises UserError where none of the models can do a task; where some can, the others have a row that says why."""
    for task in tasks:
        images = shows_images(task.samples())
        reasons = [why_not(task, ref, images=images) for ref in refs]
        if reasons and all(reasons):
            mend = "" if images else "take a GGUF file, a folder or hf:ORG/NAME, or "
            raise UserError(f"{reasons[0]}; {mend}leave the task {task.name!r} out")


def form_remarks(ref: str, asked: Sequence[tuple[Task, Sample]]) -> list[str]:
    """What is to be known of the prompts of a model whose file brings no chat template, or one that takes no system
    message. None of a model that lives elsewhere, and of one that is asked without a template anyway."""
    from lamina.models.metadata import facts_of
    from lamina.models.template_rendering import takes_system

    try:
        facts = facts_of(ref)
    except ModelError:  # said when it is loaded
        return []
    rows = [sample.row for task, sample in asked if not _is_raw(task, sample.row)]
    if not facts.architecture or not rows:
        return []
    if facts.chat_template is None:
        return ["brings no chat template (a base model?), so that it is asked in ChatML"]
    if facts.prompt_style is None and not takes_system(facts.chat_template):
        return ["its chat template takes no system message, so that what one says stands before the request"]
    return []


def _is_raw(task: Task, row: JSON) -> bool:
    return bool(row.get("raw")) or getattr(task, "needs_likelihoods", False)
