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
from lamina.trajectories import TrajectoryStore

ROWS_PER_TOOL = 10
"""With fewer, all tools together, a build trains nothing: a model learns sentences, not functions (our choice)."""


def check_enough(run: Run, toolbox: Toolbox, settings: BuildSettings, progress: Progress) -> None:
    """Says where rows are missing. Raises YieldError where the model wrote none, or there are too few to train on; a
    mix that is trained on in their place has said for itself whether it is empty."""
    result = run.result("synth") or {}
    if not run.is_done(MIX):
        check_yield(result, settings.synth.writer)
        _check_count(run, toolbox, result)
    if result["shortfall"]:
        progress.say(f"warning: goes on with fewer rows: {result['shortfall']}")


def _check_count(run: Run, toolbox: Toolbox, result: Mapping[str, Any]) -> None:
    count, least = TrajectoryStore(run.store).count(), ROWS_PER_TOOL * len(toolbox)
    if count < least:
        why = f" ({result['shortfall']})" if result["shortfall"] else ""
        raise YieldError(
            f"{count} rows for {len(toolbox)} tools are too few to train on, {least} is the least{why}; ask for more "
            "(--rows), or give examples beside the functions"
        )
