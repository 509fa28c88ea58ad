"""``seal_tools[:PART]``: requests for one call or several over thousands of tools (Wu et al. 2024, arXiv 2405.08355;
Apache-2.0). The tools of a row are those that its calls need and its distractors."""

from __future__ import annotations

from pathlib import Path

from lamina.bench.tasks.files import benchmark_file
from lamina.bench.tasks.recorded import Recorded
from lamina.data.sources import records_of
from lamina.errors import InputError

PARTS = {"in_domain": "test_in_domain.jsonl", "out_domain": "test_out_domain.jsonl", "dev": "dev.jsonl"}
ABOUT = f"seal_tools[:PART], one call or several, PART one of {', '.join(PARTS)}; call exact match, arguments"
VERSION = 3


def open_task(argument: str, data: str | Path | None = None) -> Recorded:
    part = argument or "out_domain"
    if part not in PARTS:
        raise InputError(f"seal_tools has no part {part!r}", mend=f"use one of {', '.join(PARTS)}")
    name = f"seal_tools:{part}"
    return Recorded(name, lambda: records_of([benchmark_file(data, f"seal-tools/{PARTS[part]}", name)]))
