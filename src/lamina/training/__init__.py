"""Training: fine-tuning a small model on verified trajectories."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lamina.training.settings import TrainSettings

if TYPE_CHECKING:
    from lamina.training.sft import fine_tune

__all__ = ["TrainSettings", "fine_tune"]


def __getattr__(name: str) -> Any:
    if name == "fine_tune":
        from lamina.training.sft import fine_tune

        return fine_tune
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
