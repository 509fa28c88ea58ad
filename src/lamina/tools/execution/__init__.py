"""Running calls that a model wrote: in another process, under limits, never evaluated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lamina.tools.execution.outcomes import CallResult, Limits, Status

if TYPE_CHECKING:
    from lamina.tools.execution.error_results import carried_error, error_in
    from lamina.tools.execution.executor import Executor, available_level, level_note
    from lamina.tools.execution.opening import MixedExecutor, check_changes_nothing, open_executor, unmet_tools

__all__ = [
    "CallResult",
    "Executor",
    "Limits",
    "MixedExecutor",
    "Status",
    "available_level",
    "carried_error",
    "check_changes_nothing",
    "error_in",
    "level_note",
    "open_executor",
    "unmet_tools",
]

_WHERE = {
    "carried_error": "error_results",
    "error_in": "error_results",
    "MixedExecutor": "opening",
    "open_executor": "opening",
    "check_changes_nothing": "opening",
    "unmet_tools": "opening",
}


def __getattr__(name: str) -> Any:
    if name in __all__:
        import importlib

        return getattr(importlib.import_module(f"{__name__}.{_WHERE.get(name, 'executor')}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
