"""The environments. One file here is one environment: the file's name, with hyphens, is its name, and it has

    ABOUT: str                                        one line for ``lamina envs``
    open_environment(argument: str) -> Environment    ``argument`` is what follows the colon of ``NAME:ARGUMENT``

Users add theirs through the entry-point group ``lamina.environments`` (name -> a module or object with the
same two).
"""

from __future__ import annotations

import importlib
import pkgutil
from importlib.metadata import entry_points
from typing import Any

from lamina.agents.environments.environment import Environment, Step, Task, checked_reward
from lamina.errors import InputError

__all__ = ["Environment", "Step", "Task", "checked_reward", "list_environments", "open_environment"]

_NOT_ONE = {"environment", "user_tools"}
"""The protocol, and the user's own tools, which are opened from files and not by name."""


def open_environment(spec: str) -> Environment:
    """Opens ``NAME`` or ``NAME:ARGUMENT``. Raises ``InputError`` for an unknown name."""
    name, _, argument = spec.partition(":")
    opened: Environment = _load(name).open_environment(argument)
    return opened


def list_environments() -> list[dict[str, str]]:
    """``[{"name", "about"}]`` of all environments, the built-in first."""
    return [{"name": name, "about": str(_load(name).ABOUT)} for name in _names()]


def _names() -> list[str]:
    own = [m.name for m in pkgutil.iter_modules(__path__) if m.name not in _NOT_ONE and not m.ispkg]
    return [*(n.replace("_", "-") for n in own), *(p.name for p in entry_points(group="lamina.environments"))]


def _load(name: str) -> Any:
    if name not in _names():
        raise InputError(f"there is no environment {name!r}", mend=f"known: {', '.join(_names())}")
    for point in entry_points(group="lamina.environments", name=name):
        return point.load()
    return importlib.import_module(f"{__name__}.{name.replace('-', '_')}")
