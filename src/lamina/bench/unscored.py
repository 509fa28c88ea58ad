"""Why samples have no score. A figure of the others says how many there are, not what to do about it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from lamina.bench.crashes import has_crashed
from lamina.tools.tool import JSON


def unscored_rows(records: Iterable[JSON]) -> list[JSON]:
    """``{"model", "precision", "task", "n", "of", "why"}``, a row a task and kind of reason: ``n`` of the task's ``of``
    samples have no score for it. Reasons that differ in numbers alone are of one kind, the first of them told. Samples
    that crashed have rows of their own (``crashes``)."""
    asked: Counter[str] = Counter()
    found: dict[tuple[str, str], JSON] = {}
    for record in records:
        task = record["task"]
        asked[task] += 1
        if not record["scores"].get("unscored") or has_crashed(record):
            continue
        why = " ".join(str(record["reasons"][0] if record["reasons"] else "no reason is kept").split())
        row = {**{name: record[name] for name in ("model", "precision", "task")}, "n": 0, "why": why}
        found.setdefault((task, re.sub(r"\d+", "0", why)), row)["n"] += 1
    return [{**row, "of": asked[row["task"]]} for row in found.values()]
