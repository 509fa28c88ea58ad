"""The benchmark tasks. One file here is one task: the file's name is the task's name, and the file has

    ABOUT: str                              one line for ``lamina tasks``: the name, ``[:PART]`` or ``:FILE`` after it
                                            if it takes an argument, and what it is
    open_task(argument: str) -> Task        ``argument`` is what follows the colon of ``NAME:ARGUMENT``

A task whose ``open_task`` has a parameter ``data`` is given the folder of the benchmark's files, where one was named;
one with ``tools`` the user's toolbox.

Users add theirs through the entry-point group ``lamina.tasks`` (name -> a module or object with the same
two).
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Sequence
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from lamina.bench.tasks.task import Conversation, Figure, JudgesCalls, Outcome, Sample, Setting, Task
from lamina.errors import InputError

__all__ = [
    "Conversation",
    "Figure",
    "JudgesCalls",
    "Outcome",
    "Sample",
    "Setting",
    "Task",
    "list_tasks",
    "open_task",
    "open_tasks",
]

_NOT_A_TASK = {"files", "graded", "judged", "pictured", "recorded", "refusals", "tables", "task", "written"}


def _built_in() -> list[str]:
    return [m.name for m in pkgutil.iter_modules(__path__) if m.name not in _NOT_A_TASK]


def _load(name: str) -> Any:
    if name in _built_in():
        return importlib.import_module(f"{__name__}.{name}")
    for point in entry_points(group="lamina.tasks", name=name):
        return point.load()
    known = ", ".join(sorted([*_built_in(), *(p.name for p in entry_points(group="lamina.tasks"))]))
    raise InputError(f"there is no task {name!r}", mend=f"known tasks: {known}")


def open_task(spec: str, *, data: str | Path | None = None, tools: str | Path | None = None) -> Task:
    """Opens ``NAME`` or ``NAME:ARGUMENT``. Raises ``InputError`` for an unknown name, or where ``data`` is given
    to a task that has none."""
    name, _, argument = spec.partition(":")
    module = _load(name)
    opener = module.open_task
    if argument and name in _built_in() and not module.ABOUT.startswith((f"{name}:", f"{name}[")):
        raise InputError(f"the task {name!r} takes no {argument!r}", mend=f"write {name}")
    given: dict[str, Any] = {}
    takes = inspect.signature(opener).parameters
    if data is not None:
        if "data" not in takes:
            raise InputError(f"the task {name!r} has no folder of data", mend="leave --data out")
        given["data"] = data
    if tools is not None and "tools" in takes:
        from lamina.tools import read_tools

        given["tools"] = read_tools(tools)
    opened: Task = opener(argument, **given)
    return opened


def open_tasks(specs: Sequence[str], *, data: str | Path | None = None) -> list[Task]:
    """Several at once: ``data`` goes to those that have a folder of data. Raises as ``open_task`` does, and
    ``InputError`` where ``data`` is given and none of them takes it."""
    takers = {spec for spec in specs if "data" in inspect.signature(_load(spec.partition(":")[0]).open_task).parameters}
    if data is not None and not takers:
        raise InputError("none of these tasks has a folder of data", mend="leave --data out")
    return [open_task(spec, data=data if spec in takers else None) for spec in specs]


def list_tasks() -> list[dict[str, str]]:
    """``[{"name", "about"}]`` of all tasks, the built-in first."""
    names = [*_built_in(), *(p.name for p in entry_points(group="lamina.tasks"))]
    return [{"name": name, "about": str(_load(name).ABOUT)} for name in names]
