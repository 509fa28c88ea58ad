"""The right calls of somebody's record, as its own tools declare them, and why some don't fit. Not a task itself.

Only what has one reading is mended: a value of another type (``checks.arguments``), an argument whose name differs in
capitals and underscores alone (NESTful's ``sortBy`` where ``sort_by`` is declared), and a reference that lost its
first mark (``var1.id$``). A model that answers as the tools say could else never be right.
"""

from __future__ import annotations

import re
from typing import Any

from lamina.checks.arguments import cast_arguments, check_arguments
from lamina.checks.reasons import Reason
from lamina.tools.tool import JSON, Tool, Toolbox
from lamina.trajectories import Trajectory

MISFIT = "turns whose calls don't fit their tools"
_WHY = {
    Reason.UNKNOWN_FUNCTION: "a function that is not on offer",
    Reason.UNKNOWN_ARGUMENT: "an argument that its function does not have",
    Reason.MISSING_ARGUMENT: "without a required argument",
    Reason.BAD_TOOL: "a function that is described wrongly",
}
_OTHER = "a value that its argument does not take"
_HALF_MARKED = re.compile(r"var\d{1,6}(?:\.\w+)*\$")


def fitted(record: Trajectory, toolbox: Toolbox) -> Trajectory:
    """The record with its calls as the tools declare them, where there is one way. The record itself is not touched."""
    record = record.model_copy(deep=True)
    for call in record.calls:
        tool = toolbox.get(call.name)
        call.function.arguments = {
            _declared(name, call.arguments, tool): _marked(value) for name, value in call.arguments.items()
        }
    return cast_arguments(record, toolbox)[0]


def misfit(record: Trajectory, toolbox: Toolbox) -> str | None:
    """What is wrong with the calls, in words to count by; None where they fit."""
    if (found := check_arguments(record, toolbox)) is None:
        return None
    return f"{MISFIT} ({_WHY.get(found.reason, _OTHER)})"


def _declared(name: str, given: JSON, tool: Tool | None) -> str:
    if tool is None or name in tool.properties:
        return name
    alike = [one for one in tool.properties if _plain(one) == _plain(name)]
    same = [one for one in given if _plain(one) == _plain(name)]
    return alike[0] if len(alike) == len(same) == 1 else name


def _plain(name: str) -> str:
    return name.replace("_", "").casefold()


def _marked(value: Any) -> Any:
    return f"${value}" if isinstance(value, str) and _HALF_MARKED.fullmatch(value) else value
