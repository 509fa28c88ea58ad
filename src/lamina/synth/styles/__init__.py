"""The styles of rows that a model writes, one file for each kind. A new one is a file here and a line in
``STYLES``."""

from __future__ import annotations

from lamina.synth.styles import conversation, irrelevant, joint, missing_argument, single
from lamina.synth.styles.style import Style

STYLES: dict[str, Style] = {
    "simple": single.SIMPLE,
    "multiple": single.MULTIPLE,
    "parallel": joint.PARALLEL,
    "parallel-multiple": joint.PARALLEL_MULTIPLE,
    "irrelevant": irrelevant.IRRELEVANT,
    "missing-argument": missing_argument.MISSING_ARGUMENT,
    "multi-turn": conversation.MULTI_TURN,
}

__all__ = ["STYLES", "Style"]
