"""``nestful[:PART]``: calls whose arguments are results of earlier calls, all of them in one answer (Basu et al. 2024,
arXiv 2409.03797; Apache-2.0)."""

from __future__ import annotations

from pathlib import Path

from lamina.bench.tasks.files import benchmark_file
from lamina.bench.tasks.recorded import Recorded
from lamina.data.sources import records_of
from lamina.errors import InputError

PARTS = {
    "executable": "executable-data.json",
    "glaive": "non-executable-glaive-data.json",
    "sgd": "non-executable-sgd-data.json",
}
ABOUT = f"nestful[:PART], calls that use each other's results, PART one of {', '.join(PARTS)}; call exact match"
VERSION = 4


def open_task(argument: str, data: str | Path | None = None) -> Recorded:
    part = argument or "executable"
    if part not in PARTS:
        raise InputError(f"nestful has no part {part!r}", mend=f"use one of {', '.join(PARTS)}")
    name = f"nestful:{part}"
    return Recorded(name, lambda: records_of([benchmark_file(data, f"nestful/{PARTS[part]}", name)]))
