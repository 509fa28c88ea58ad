"""The benchmark tasks. One file here is one task: the file's name is the task's name, and the file has

    ABOUT: str                              one line for ``lamina tasks``: the name, ``[:PART]`` or ``:FILE`` after it
                                            if it takes an argument, and what it is
    VERSION: int                            counted up where what a sample means changes (what is asked, how it is
                                            scored): part of the sample's key, so it is asked anew; else 1
    scoring_digits(argument: str) -> str    of a task that a file of the user's scores: digits of that file; else absent
    IN_ALL: Sequence[str]                   arguments under which ``--tasks all`` asks it; absent: ``("",)``, or none
                                            where it takes no call without an argument (``NAME:ARGUMENT``)
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
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from lamina.bench.tasks.task import BROKEN, Conversation, Figure, JudgesCalls, Outcome, Sample, Setting, Task
from lamina.errors import InputError

__all__ = [
    "BROKEN",
    "Conversation",
    "Figure",
    "JudgesCalls",
    "Outcome",
    "Sample",
    "Setting",
    "Task",
    "list_tasks",
    "listed_specs",
    "open_task",
    "open_tasks",
    "scoring_of",
    "takes_data",
    "version_of",
]

_NOT_A_TASK = {
    "api_bank_tools", "files", "fitting", "graded", "judged", "pictured", "played", "recorded", "refusals", "tables",
    "task", "written",
}  # fmt: skip


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
    """Several at once: ``data`` goes to those that have a folder of data. Files of one name in several folders are told
    apart by their paths. Raises as ``open_task`` does, and ``InputError`` where ``data`` is given and none of them
    takes it, or two tasks are the same."""
    takers = {spec for spec in specs if takes_data(spec)}
    if data is not None and not takers:
        raise InputError("none of these tasks has a folder of data", mend="leave --data out")
    opened: dict[str, Task] = {}
    files: set[Path] = set()
    for spec in specs:
        task = open_task(spec, data=data if spec in takers else None)
        file = Path(spec.partition(":")[2]).resolve()
        if spec.startswith("own:") and task.name in opened and file not in files:
            task.name = spec  # the first keeps the short name, so a run that grows by the second goes on
        if task.name in opened or (file.is_file() and file in files):
            raise InputError(f"the task {spec!r} is named twice", mend="name each task once")
        opened[task.name] = task
        files.add(file)
    return list(opened.values())


def takes_data(spec: str) -> bool:
    """Whether the task is given a folder of data. Raises InputError for an unknown name."""
    return "data" in inspect.signature(_load(spec.partition(":")[0]).open_task).parameters


def listed_specs() -> list[str]:
    """What ``--tasks all`` stands for: every task of ``list_tasks`` that needs no file or name of the user's, one that
    has several parts of equal standing once for each."""
    found = []
    for row in list_tasks():
        name = row["name"]
        usual = () if row["about"].startswith(f"{name}:") else ("",)
        found += [f"{name}:{part}" if part else name for part in getattr(_load(name), "IN_ALL", usual)]
    return found


def version_of(task: Task) -> int:
    """The ``VERSION`` of the task's file."""
    return _file_version(task.spec.partition(":")[0])


def scoring_of(task: Task) -> str | None:
    """Digits of the user's file that scores the task's answers; None where the task's own code does."""
    name, _, argument = task.spec.partition(":")
    digits = _scoring_digits(name)
    return None if digits is None else str(digits(argument))


@cache
def _scoring_digits(name: str) -> Any:
    return getattr(_load(name), "scoring_digits", None)


@cache
def _file_version(name: str) -> int:
    return int(getattr(_load(name), "VERSION", 1))


def list_tasks() -> list[dict[str, Any]]:
    """``[{"name", "about", "version", "source"}]`` of all tasks, the built-in first. ``source``: what the task's file
    says of where its data is from, with the licence, what is published and what is our choice."""
    names = [*_built_in(), *(p.name for p in entry_points(group="lamina.tasks"))]
    return [
        {"name": name, "about": str(task.ABOUT), "version": _file_version(name), "source": inspect.getdoc(task) or ""}
        for name in names
        for task in [_load(name)]
    ]
