"""Whether what synthesis gave is enough to train on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lamina.build.mixing import STAGE as MIX
from lamina.build.settings import BuildSettings
from lamina.errors import YieldError
from lamina.runs import Progress, Run
from lamina.synth import check_yield
from lamina.tools import Toolbox

ROWS_PER_TOOL = 10
"""With fewer to train on, all tools together, a build stops: a model learns sentences, not functions (our choice)."""


def check_enough(run: Run, toolbox: Toolbox, settings: BuildSettings, progress: Progress) -> None:
    """Says where rows are missing, to learn from or to be scored on. Raises YieldError where the model wrote none, or
    there are too few to train on; a mix that is trained on in their place has said for itself whether it is empty."""
    result = run.result("synth") or {}
    if not run.is_done(MIX):
        check_yield(result, settings.synth.writer)
        _check_count(run, toolbox, result)
    if settings.queries is None and not _parts(run).get("test"):
        progress.say(
            "warning: no row is left to score the model on; put requests with their right calls into queries.jsonl "
            "beside the functions, or ask for more rows (--rows)"
        )
    if result["shortfall"]:
        progress.say(f"warning: goes on with fewer rows: {result['shortfall']}")


def _check_count(run: Run, toolbox: Toolbox, result: Mapping[str, Any]) -> None:
    """What is kept for validation or test, a copy of a scored request or surplus of the grammar trains nothing."""
    parts, least = _parts(run), ROWS_PER_TOOL * len(toolbox)
    if (count := parts.get("train", 0)) < least:
        why = f"; {result['shortfall']}" if result["shortfall"] else ""
        others = ", ".join(f"{number} {name}" for name, number in parts.items() if name != "train")
        beside = f" (beside them {others}{why})" if others or why else ""
        raise YieldError(
            f"{count} rows for {len(toolbox)} tools are too few to train on, {least} is the least{beside}; ask for "
            "more (--rows), or give examples beside the functions"
        )


def _parts(run: Run) -> Mapping[str, int]:
    """Rows in each part of the split."""
    return {name: n for name, n in (run.result("split") or {}).items() if name != "took"}
