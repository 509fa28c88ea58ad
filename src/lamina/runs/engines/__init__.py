"""Where work runs. Workers are pure, the driver commits: execution is at least once, output exactly once."""

from __future__ import annotations

from lamina.runs.engines.local import map_ordered

__all__ = ["map_ordered"]
