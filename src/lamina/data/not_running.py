"""Records whose calls are not run with the user's functions, and why. That is a mark on the record and no reject:
nothing is known against it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from lamina.tools import Tool, Toolbox
from lamina.tools.execution import Executor
from lamina.trajectories import Trajectory


class NotRun(StrEnum):
    NO_CODE = "no-code"
    CHANGES_THINGS = "changes-things"
    UNMET = "unmet"


@dataclass(frozen=True)
class Withheld:
    """``detail`` is a sentence that says what to change."""

    reason: NotRun
    detail: str


def withheld_from(executor: Executor, *, allow_changes: bool) -> dict[str, Withheld]:
    """The tools that are not to be called, or cannot be yet."""
    found = {tool.name: _why(tool, executor, allow_changes) for tool in executor.toolbox}
    return {name: why for name, why in found.items() if why}


def _why(tool: Tool, executor: Executor, allow_changes: bool) -> Withheld | None:
    if tool.target is None:
        return Withheld(NotRun.NO_CODE, f"{tool.name} is only described: there is nothing to run")
    if tool.target.changes_things and not allow_changes:
        return Withheld(NotRun.CHANGES_THINGS, f"{tool.name} may change things elsewhere; --allow-changes calls it")
    unmet = executor.unmet(tool.name)
    return Withheld(NotRun.UNMET, unmet) if unmet else None


def why_not_run(record: Trajectory, functions: Toolbox, withheld: Mapping[str, Withheld]) -> Withheld | None:
    """Of the first call that cannot be run; None where all can. Calls build on each other, so that all run or none."""
    for name in dict.fromkeys(call.name for call in record.calls):
        if name not in functions:
            return Withheld(NotRun.NO_CODE, f"there is no function for {name} among those given to run")
        if name in withheld:
            return withheld[name]
    return None


def functions_and_others(functions: Toolbox, own: Toolbox) -> Toolbox:
    """What the calls of a record are checked against: the functions that run and, of the record's ``own`` tools, those
    that no function is there for."""
    others = [tool for tool in own if tool.name not in functions]
    return Toolbox([*functions, *others], functions.remarks, functions.files) if others else functions
