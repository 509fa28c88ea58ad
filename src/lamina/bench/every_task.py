"""``--tasks all``: every task whose data, judge and models are there, and why each of the others is left out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lamina.bench.judging import check_judged, judging_of
from lamina.bench.possible import check_possible
from lamina.bench.tasks import Task, listed_specs, open_tasks, takes_data
from lamina.errors import InputError, UserError

ALL = "all"


def chosen_tasks(
    specs: Sequence[str], *, data: Path | None = None, judge: str | None = None, refs: Sequence[str] = ()
) -> tuple[list[Task], dict[str, str]]:
    """The tasks of a command line, ``all`` replaced by those of ``listed_specs`` that can be asked now, and by name why
    others of these are left out: data that is not there or at fault, no judge, no model of ``refs`` that can do them.
    Tasks that are named are opened as ``open_tasks`` does, with its errors. Raises InputError where nothing is left of
    ``all``, where there is a judge and none of what is left asks one, or ``all`` is named twice."""
    named = [spec for spec in specs if spec != ALL]
    if len(named) == len(specs):
        return open_tasks(named, data=data), {}
    if len(specs) - len(named) > 1:
        raise InputError("'all' is named twice", mend="name it once")
    opened = open_tasks(named, data=data if any(map(takes_data, named)) else None)
    found: list[Task] = []
    left_out: dict[str, str] = {}
    judged: list[str] = []
    for spec in listed_specs():
        if spec in {task.name for task in opened}:
            continue
        task: Task | None = None
        try:
            (task,) = open_tasks([spec], data=data if takes_data(spec) else None)
            _check_ready(task, judge, refs)
            found.append(task)
        except UserError as error:
            left_out[spec] = str(error)
            judged += [spec] if task is not None and judging_of(task) else []
    if left_out and not found:
        none = f"none of the {len(left_out)} tasks of 'all' can be asked"
        raise InputError(none, mend="name the folder that holds the benchmarks' files with --data")
    if judge is not None and judged and not any(judging_of(task) for task in [*opened, *found]):
        none = f"none of the tasks of 'all' that ask a judge can be asked: {', '.join(judged)}: {left_out[judged[0]]}"
        raise InputError(none, mend="or leave --judge out")
    return [*opened, *found], left_out


def left_out_lines(left_out: dict[str, str]) -> list[str]:
    """A line a reason, with all tasks that it holds for."""
    by_reason: dict[str, list[str]] = {}
    for name, reason in left_out.items():
        by_reason.setdefault(reason, []).append(name)
    return [f"left out: {', '.join(names)}: {reason}" for reason, names in by_reason.items()]


def _check_ready(task: Task, judge: str | None, refs: Sequence[str]) -> None:
    """Raises UserError for whatever keeps the task from being asked."""
    if not task.samples():
        raise InputError("it has no sample", mend="name another folder with --data")
    if judge is None:
        check_judged([task], judge)
    check_possible([task], refs)
