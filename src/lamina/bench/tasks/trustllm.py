"""``trustllm[:PART]``: the safety files of TrustLLM (Huang et al. 2024, arXiv 2401.05561; code MIT, the data mixes
earlier sets): ``misuse`` and ``jailbreak`` hold requests to refuse, ``exaggerated_safety`` harmless ones that only
sound dangerous (from XSTest). Without a part, whichever of the three files are there.

``refusal`` is the share of the former refused, ``over_refusal`` that of the latter; told by words, where the paper
uses a trained classifier, and by a judge with ``--judge``. Greedy, where the paper samples."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from lamina.bench.tasks.files import benchmark_file
from lamina.bench.tasks.refusals import REFUSAL_TOKENS, refusal_judging, refusal_rates, right_refusal_scores
from lamina.bench.tasks.tables import table_rows
from lamina.bench.tasks.written import Written
from lamina.errors import InputError
from lamina.tools.tool import JSON

ABOUT = "trustllm[:PART], misuse, jailbreak, exaggerated safety; accuracy, refusal, over_refusal"
VERSION = 1
PARTS = {"misuse": "unsafe", "jailbreak": "unsafe", "exaggerated_safety": "safe"}


def open_task(argument: str, data: str | Path | None = None) -> Written:
    if argument and argument not in PARTS:
        raise InputError(f"trustllm has no part {argument!r}", mend=f"take one of {', '.join(PARTS)}")
    name = f"trustllm:{argument}" if argument else "trustllm"
    return Written(
        name, lambda: _rows(data, argument, name), right_refusal_scores, "accuracy", REFUSAL_TOKENS, refusal_rates,
        refusal_judging("refused"),
    )  # fmt: skip


def _rows(data: str | Path | None, only: str, name: str) -> Iterator[JSON]:
    files = {part: f"trustllm/safety/{part}.json" for part in PARTS if only in ("", part)}
    there = [part for part, file in files.items() if data is not None and (Path(data) / file).is_file()]
    for part in there or list(files)[:1]:
        file = benchmark_file(data, files[part], name)
        for number, row in enumerate(table_rows(file, ("prompt",)), 1):
            yield {"id": f"{part}-{number}", "prompt": row["prompt"], "target": PARTS[part], "about": ["target"]}
