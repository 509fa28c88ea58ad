"""When a file type takes a training back out again.

A base that was stored in Q4_1 has every weight on the grid of its block: 16 steps between the block's smallest and
largest value. Fine-tuning moves a weight by far less than half a step (median 1.1 % of its size, measured). Rounding to
a grid of the same kind puts it back where it was: what is exported is the base again. Other types have other grids;
there the rounding errors of many weights cancel, and the training survives (measured: docs/results/first-build.md)."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

SAME_GRID = {"Q4_1": ("Q4_1", "Q5_1"), "Q5_1": ("Q5_1",)}
"""Type of the base's weights: types that must not follow it. Q5_1 was measured after Q4_1 and loses as well."""


def training_lost(model_folder: Path, type: str) -> str | None:
    """A sentence for the user where ``type`` would undo the training of the model in the folder, else None."""
    base = _told(model_folder).get("base_gguf")
    if not base or not Path(base).is_file():
        return None
    kind = weight_type(base)
    if type not in SAME_GRID.get(kind, ()):
        return None
    return f"{type} rounds the training away, because the base came in {kind}; take Q4_0, IQ4_NL or Q8_0"


def trained_for(model_folder: Path) -> str | None:
    """The type that the training of the model in the folder rounded its weights for, if any: they are on its grid
    already, and a calibration would move them off it."""
    kind = _told(model_folder).get("settings", {}).get("qat", "none")
    return None if kind == "none" else str(kind)


def base_type(model_folder: Path) -> str | None:
    """The type of the GGUF file that the model in the folder was trained from; None where it does not say, or the file
    is gone."""
    base = _told(model_folder).get("base_gguf")
    return weight_type(base) if base and Path(base).is_file() else None


def _told(model_folder: Path) -> dict[str, Any]:
    try:
        found = json.loads((model_folder / "lamina.json").read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


@lru_cache(maxsize=8)
def weight_type(file: str) -> str:
    """The type of most matrices of a GGUF file, the embedding not counted."""
    from collections import Counter

    from gguf import GGUFReader

    kinds = Counter(
        t.tensor_type.name for t in GGUFReader(file).tensors if t.name.startswith("blk.") and len(t.shape) > 1
    )
    return kinds.most_common(1)[0][0] if kinds else ""
