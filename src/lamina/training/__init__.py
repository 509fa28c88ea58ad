"""Training: fine-tuning a small model on verified trajectories, alone or under a teacher (``layerwise``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lamina.training.settings import TrainSettings

if TYPE_CHECKING:
    from lamina.training.rows import read_training_data
    from lamina.training.sft import fine_tune

__all__ = ["TrainSettings", "fine_tune", "read_training_data"]


def __getattr__(name: str) -> Any:
    if name == "fine_tune":
        from lamina.training.sft import fine_tune

        return fine_tune
    if name == "read_training_data":
        from lamina.training.rows import read_training_data

        return read_training_data
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
