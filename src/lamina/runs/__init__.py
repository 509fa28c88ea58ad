"""Run folders: effective config, append-only records, stage results, log, progress, and engines.

Rows are opaque bytes here; ``trajectories`` gives them their type.
"""

from __future__ import annotations

from lamina.runs.progress import Bar, Progress
from lamina.runs.records import RecordStore, Row, salvage
from lamina.runs.resources import Took
from lamina.runs.run import Run

__all__ = ["Bar", "Progress", "RecordStore", "Row", "Run", "Took", "salvage"]
