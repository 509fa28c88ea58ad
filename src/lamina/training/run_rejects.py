"""What a run rejected, as wrong answers to the requests of the rows that it kept.

Where the same request passed with other calls, those that were rejected are its wrong answer. Synthesis that draws
calls first seldom has that: of 182 rejects of a build's run none was a wrong answer to one of its 2,045 rows. What its
checks mostly refuse is a value that no request said; such a value is put into the right call of a row for the same
function, where it is as invented as it was (our choice). Each reject answers at most one row.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lamina.errors import InputError
from lamina.tools import Toolbox
from lamina.training.text_lines import numbered_lines
from lamina.trajectories import ToolCall, Trajectory, compare_calls

REJECTS = "rejects.jsonl"
_NAME = re.compile(r"[^.\[]+")


@dataclass(frozen=True)
class _Rejected:
    """A rejected answer; ``invented``: for each of its functions the arguments whose value no request said."""

    request: str
    calls: list[ToolCall]
    invented: Mapping[str, Mapping[str, Any]]


def answers_of_rejects(
    run: Path, rows: Sequence[Trajectory], toolbox: Toolbox | None = None
) -> dict[str, list[ToolCall]]:
    """Calls by the id of the row that they wrongly answer. A reject without calls, or whose calls are none, was not an
    answer, and what means the same as the row's own answer is not wrong. ``toolbox`` says the defaults of rows that
    name no tools. Raises InputError where a line is no reject."""
    rejected = list(_rejected(run / REJECTS))
    tools = toolbox or Toolbox([])
    answers: dict[str, list[ToolCall]] = {}
    left = []
    asked: dict[str, list[Trajectory]] = {}
    for row in rows:
        for request in {row.request.casefold(), _clean(row)} - {""}:
            asked.setdefault(request, []).append(row)
    for one in rejected:
        same = asked.get(one.request.casefold(), [])
        met = next((row for row in same if row.id not in answers and _is_wrong(one.calls, row, tools)), None)
        if met is not None:
            answers[met.id] = one.calls
        elif not same:
            left.append(one)
    return _with_invented_values(left, rows, tools, answers)


def _with_invented_values(
    rejected: Sequence[_Rejected], rows: Sequence[Trajectory], tools: Toolbox, answers: dict[str, list[ToolCall]]
) -> dict[str, list[ToolCall]]:
    calling: dict[str, list[Trajectory]] = {}
    for row in random.Random(0).sample(list(rows), len(rows)):  # a run begins with the user's own examples
        for name in {call.name for call in (row.turns or [[]])[0]}:
            calling.setdefault(name, []).append(row)
    for one in rejected:
        for name, values in one.invented.items():
            waiting = (row for row in calling.get(name, ()) if row.id not in answers)
            wrong = ((row, _exchanged(row.turns[0], name, values)) for row in waiting)
            met = next(((row, calls) for row, calls in wrong if _is_wrong(calls, row, tools)), None)
            if met is not None:
                answers[met[0].id] = met[1]
                break
    return answers


def _exchanged(right: Sequence[ToolCall], name: str, values: Mapping[str, Any]) -> list[ToolCall]:
    """The right calls, the first one to ``name`` with these values instead of its own."""
    place = next(i for i, call in enumerate(right) if call.name == name)
    changed = ToolCall.of(name, {**right[place].arguments, **values})
    return [*right[:place], changed, *right[place + 1 :]]


def _is_wrong(calls: Sequence[ToolCall], row: Trajectory, tools: Toolbox) -> bool:
    right = row.turns[0] if row.turns else None
    known = row.toolbox() if row.tools else tools
    return right is not None and not compare_calls(right, calls, known, now=row.meta.now).exact


def _clean(row: Trajectory) -> str:
    """The request before a slip of the pen was put into it, as a reject has it."""
    return str((row.meta.model_extra or {}).get("clean") or "").casefold()


def _rejected(file: Path) -> Iterator[_Rejected]:
    for number, line in numbered_lines(file):
        try:
            record = json.loads(line).get("record") or {}
        except (ValueError, AttributeError):
            mend = "restore the file, or make the run again with --fresh"
            raise InputError("is no reject", file=file, line=number, mend=mend) from None
        try:
            found = _of_trajectory(record) if "messages" in record else _of_candidate(record)
        except (KeyError, TypeError, ValueError, AttributeError):
            continue  # what was rejected for not being an answer
        if found is not None:
            yield found


def _of_candidate(record: Mapping[str, Any]) -> _Rejected | None:
    """As synthesis writes them."""
    if not isinstance(record.get("calls"), list):
        return None
    calls = [ToolCall.of(call["name"], call["arguments"]) for call in record["calls"]]
    missing = [e["argument"] for e in record.get("evidence", []) if e["verdict"] == "missing"]
    return _Rejected(str(record.get("request", "")), calls, _invented(calls, missing))


def _of_trajectory(record: Mapping[str, Any]) -> _Rejected | None:
    """As ``lamina data`` writes them: a row that was later mended has the right answer."""
    row = Trajectory.model_validate(record)
    return _Rejected(row.request, row.turns[0], {}) if row.turns else None


def _invented(calls: Sequence[ToolCall], missing: Sequence[str]) -> dict[str, dict[str, Any]]:
    """``missing``: paths as ``add_contact.contact.name``. Of a function that is called twice it is not known which
    call is meant."""
    found: dict[str, dict[str, Any]] = {}
    for call in calls:
        if sum(other.name == call.name for other in calls) > 1:
            continue
        inside = [path.removeprefix(f"{call.name}.") for path in missing if path.startswith(f"{call.name}.")]
        names = {match[0] for path in inside if (match := _NAME.match(path))}
        if values := {name: call.arguments[name] for name in sorted(names) if name in call.arguments}:
            found[call.name] = values
    return found
