"""Blocks of 8 bits that hold their values exactly, where that can be.

A quantization-aware training leaves weights on a grid of 16 or 32 levels (``training.rounding``). ggml's quantizer puts
the largest value of a block at 127, which is no multiple of 8 or 16, and so moves the others by half a percent. With
the largest at 16 every level of such a grid is a whole number of steps, and the 8-bit file computes with the trained
weights themselves (our choice; measured: docs/results/more-examples.md). A larger number would do, too, but scales are
float16, and the smaller they are the sooner they lose bits."""

from __future__ import annotations

import numpy as np

from lamina.quantize.blocks import BLOCK_KINDS, WIDTH, write_codes
from lamina.quantize.ggml import Array

LARGEST = 16
KIND = BLOCK_KINDS["Q8_0"]
LOOKED_AT = 64
"""Blocks of a tensor that are tried first: where none of them is on a grid, none is taken to be."""
CHUNK = 1 << 15
"""Blocks at a time, for what is made on the way is several times their size."""


def with_exact_blocks(values: Array, quantized: Array) -> Array:
    """``quantized`` (rows, bytes of Q8_0) of ``values`` (rows, columns; float32), with each block made exact that can
    be. Weights that no grid was laid over come back as they were."""
    blocks, written = values.reshape(-1, WIDTH), quantized.reshape(-1, 2 + WIDTH)
    every = max(1, len(blocks) // LOOKED_AT)
    if not _exact(blocks[::every])[0].any():
        return quantized
    written = written.copy()
    for start in range(0, len(blocks), CHUNK):
        found, scale, codes = _exact(blocks[start : start + CHUNK])
        part = written[start : start + CHUNK]
        mended = part[found]
        mended[:, :2] = scale[found].view(np.uint8).reshape(-1, 2)
        write_codes(mended, codes[found] - KIND.levels[0], KIND)
        part[found] = mended
    return written.reshape(quantized.shape)


def _exact(blocks: Array) -> tuple[Array, Array, Array]:
    """Which blocks can be exact, and every block's scale (float16) and steps. Values that no float16 scales are in none
    that can."""
    with np.errstate(all="ignore"):
        scale = (np.abs(blocks).max(1) / LARGEST).astype(np.float16)
        wide = scale.astype(np.float32)[:, None]
        codes = np.rint(blocks / np.where(wide == 0, 1, wide))
        found = (wide[:, 0] > 0) & (np.abs(codes) <= LARGEST).all(1) & (codes * wide == blocks).all(1)
    return found, scale, np.where(found[:, None], codes, 0).astype(np.int32)
