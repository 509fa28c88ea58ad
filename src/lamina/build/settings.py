"""What a build is made of."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lamina.build.mixing import recipe_identity
from lamina.synth import SynthSettings
from lamina.training import TrainSettings

if TYPE_CHECKING:
    from lamina.agents.learning import LearnSettings
    from lamina.training.layerwise.language import Distillation

JSON = dict[str, Any]
IDENTIFIED_APART = ("learn", "reflector", "distillation", "recipe")


@dataclass(frozen=True)
class BuildSettings:
    """What a build is made of. ``examples`` are requests with their right calls that the user wrote: the writers see
    them and the model is trained on them. ``queries`` are scored and never trained on; ``dev_queries`` only choose the
    base model's prompt. All are found beside the tools file where they are not given. ``generated_prompts``: rows of
    the test split that are asked besides, up to this; parity is measured on the very prompts that are scored.
    ``calibrate``: types under 8 bits are rounded with their errors made up for on the training rows.
    ``compare_base``: the untuned base is scored beside the tuned model, at its best prompt. ``learn``: the
    agent learns action principles last; ``reflector`` reads what it did and writes them, else the writer does. Both are
    no part of the configuration: a run that is there can learn later. ``distillation``: the base learns from a teacher
    beside the rows. ``recipe``: of a mix that is trained on in place of the rows written here alone."""

    base: str = "embedded"
    types: tuple[str, ...] = ("F16", "Q8_0", "Q4_0")
    examples: Path | None = None
    queries: Path | None = None
    dev_queries: Path | None = None
    generated_prompts: int = 60
    calibrate: bool = True
    compare_base: bool = True
    seed: int = 0
    synth: SynthSettings = field(default_factory=SynthSettings)
    train: TrainSettings = field(default_factory=TrainSettings)
    distillation: Distillation | None = None
    recipe: Path | None = None
    learn: LearnSettings | None = None
    reflector: str | None = None


def identity_of(settings: BuildSettings) -> JSON:
    """What makes two builds the same one. A build without a teacher says nothing of it."""
    told = {key: value for key, value in asdict(settings).items() if key not in IDENTIFIED_APART}
    told |= {"train": settings.train.stated(), **recipe_identity(settings.recipe)}
    return told | (settings.distillation.identity() if settings.distillation is not None else {})
