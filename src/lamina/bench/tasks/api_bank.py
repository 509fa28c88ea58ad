"""``api_bank[:PART]``: dialogues, each call a sample after all that was said and returned before it (Li et al. 2023,
arXiv 2304.08244; MIT). Level 1 describes the APIs, level 2 has them searched for. As in the published prompt, the
model is told that the year is 2023; what the APIs take is in ``api_bank_tools``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from lamina.bench.tasks.api_bank_tools import tools_by_name
from lamina.bench.tasks.files import benchmark_folder
from lamina.bench.tasks.recorded import Recorded
from lamina.data.sources import files_of, records_of
from lamina.errors import InputError
from lamina.trajectories import Reject, Trajectory

PARTS = {"level-1": "level-1-given-desc", "level-2": "level-2-toolsearcher"}
ABOUT = f"api_bank[:PART], the next call of a dialogue, PART one of {', '.join(PARTS)}; call exact match, arguments"
VERSION = 3
YEAR = "The current year is 2023."


def open_task(argument: str, data: str | Path | None = None) -> Recorded:
    part = argument or "level-1"
    if part not in PARTS:
        raise InputError(f"api_bank has no part {part!r}", mend=f"use one of {', '.join(PARTS)}")
    name = f"api_bank:{part}"
    return Recorded(name, lambda: _dialogues(benchmark_folder(data, f"api-bank/{PARTS[part]}", name)), told=YEAR)


def _dialogues(folder: Path) -> Iterator[Trajectory | Reject]:
    """The dialogues of the folder, with tools as all the dialogues of both levels know them."""
    every = [beside for part in PARTS.values() if (beside := folder.parent / part).is_dir()]
    tools = tools_by_name([r for r in records_of(files_of(every)) if isinstance(r, Trajectory)], folder.parent)
    for record in records_of(files_of([folder])):
        if isinstance(record, Trajectory):
            names = dict.fromkeys([tool["function"]["name"] for tool in record.tools] + [c.name for c in record.calls])
            record = record.model_copy(update={"tools": [tools[name] for name in names if name in tools]})
        yield record
