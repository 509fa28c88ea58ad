"""``api_bank[:PART]``: dialogues, each call a sample after all that was said and returned before it (Li et al. 2023,
arXiv 2304.08244; MIT). Level 1 describes the APIs, level 2 has them searched for."""

from __future__ import annotations

from pathlib import Path

from lamina.bench.tasks.files import benchmark_folder
from lamina.bench.tasks.recorded import Recorded
from lamina.data.sources import files_of, records_of
from lamina.errors import InputError

PARTS = {"level-1": "level-1-given-desc", "level-2": "level-2-toolsearcher"}
ABOUT = f"api_bank[:PART], the next call of a dialogue, PART one of {', '.join(PARTS)}; call exact match, arguments"
VERSION = 1


def open_task(argument: str, data: str | Path | None = None) -> Recorded:
    part = argument or "level-1"
    if part not in PARTS:
        raise InputError(f"api_bank has no part {part!r}", mend=f"use one of {', '.join(PARTS)}")
    name = f"api_bank:{part}"
    return Recorded(name, lambda: records_of(files_of([benchmark_folder(data, f"api-bank/{PARTS[part]}", name)])))
