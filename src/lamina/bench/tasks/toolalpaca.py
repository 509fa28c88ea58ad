"""``toolalpaca[:PART]``: requests for one or several calls of a public API (Tang et al. 2023, arXiv 2306.05301;
Apache-2.0), of APIs that really answer or of simulated ones."""

from __future__ import annotations

from pathlib import Path

from lamina.bench.tasks.files import benchmark_file
from lamina.bench.tasks.recorded import Recorded
from lamina.data.sources import records_of
from lamina.errors import InputError

PARTS = {"simulated": "eval_simulated.json", "real": "eval_real.json"}
ABOUT = f"toolalpaca[:PART], calls of public APIs, PART one of {', '.join(PARTS)}; call exact match, arguments"
VERSION = 2


def open_task(argument: str, data: str | Path | None = None) -> Recorded:
    part = argument or "simulated"
    if part not in PARTS:
        raise InputError(f"toolalpaca has no part {part!r}", mend=f"use one of {', '.join(PARTS)}")
    name = f"toolalpaca:{part}"
    return Recorded(name, lambda: records_of([benchmark_file(data, f"toolalpaca/{PARTS[part]}", name)]))
