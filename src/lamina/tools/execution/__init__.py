"""Running calls that a model wrote: in another process, under limits, never evaluated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lamina.tools.execution.outcomes import CallResult, Limits, Status

if TYPE_CHECKING:
    from lamina.tools.execution.executor import Executor, available_level, level_note

__all__ = ["CallResult", "Executor", "Limits", "Status", "available_level", "level_note"]


def __getattr__(name: str) -> Any:
    if name in ("Executor", "available_level", "level_note"):
        from lamina.tools.execution import executor

        return getattr(executor, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
