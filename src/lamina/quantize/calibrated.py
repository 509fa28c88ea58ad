"""The matrices of a model as bytes, rounded with the user's own trajectories in mind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from lamina.quantize.blocks import BLOCK_KINDS
from lamina.quantize.calibration import Calibration, walk
from lamina.quantize.compensated import ErrorSpread, compensated, error_spread
from lamina.quantize.ggml import Array, dequantized, quantized

EXACT = ("F32", "F16")


def calibrated(
    folder: Path, calibration: Calibration, kinds: Mapping[str, str], on_layer: Callable[[int], None] | None = None
) -> dict[str, Array]:
    """The bytes of the matrices named in ``kinds`` (names as in the folder, ggml types), those of the layers only.

    Types of 32 values a block are rounded with the errors made up for, the others with the importance of each
    column. What is kept whole is left out, as are matrices that are no plain linear layers (experts): these are
    rounded without either."""
    written: dict[str, Array] = {}
    last: list[tuple[Array, ErrorSpread]] = []  # matrices that are fed the same come one after the other

    def spread_of(moments: Array) -> ErrorSpread:
        if not last or last[0][0] is not moments:
            last[:] = [(moments, error_spread(moments))]
        return last[0][1]

    def visit(name: str, values: Array, moments: Array) -> Array | None:
        kind = kinds.get(name, "F16")
        if kind in EXACT:
            return None
        if kind in BLOCK_KINDS:
            written[name], rounded = compensated(values, spread_of(moments), kind)
            return rounded
        written[name] = quantized(values, kind, moments.diagonal())
        return dequantized(written[name], kind)

    walk(folder, calibration, visit, on_layer)
    return written
