"""xLAM's data half: many sources become one clean data set (arXiv 2409.03215, sections 3 and 4)."""

from __future__ import annotations

from lamina.data.checking import Checker, Verdict, check_sources
from lamina.data.exporting import Exported, export
from lamina.data.fixing import difference, fix
from lamina.data.importing import import_sources
from lamina.data.shape import shape_of
from lamina.data.showing import shown
from lamina.data.sources import files_of

__all__ = [
    "Checker",
    "Exported",
    "Verdict",
    "check_sources",
    "difference",
    "export",
    "files_of",
    "fix",
    "import_sources",
    "shape_of",
    "shown",
]
