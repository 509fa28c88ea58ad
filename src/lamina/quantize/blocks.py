"""Blocks of 32 values as ggml stores them: a scale (and an offset), and one small number for each value.

Layout: ggml's ``block_q4_0`` and its kin. A block holds ``d`` and, in the ``_1`` types, ``m`` as float16; the fifth
bits of all values; the low four bits, value ``i`` and value ``i + 16`` sharing a byte."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lamina.quantize.ggml import Array

WIDTH = 32
"""Values in a block of every kind here."""

_IQ4_NL = (-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113)


@dataclass(frozen=True)
class BlockKind:
    """A value is ``d * levels[code] + m``; ``levels`` rise."""

    levels: tuple[int, ...]
    has_offset: bool = False
    fifth_bits: bool = False
    bytes_each: bool = False

    @property
    def even(self) -> bool:
        """Whether the levels are evenly spaced, so that the nearest one is found by rounding."""
        return self.levels[-1] - self.levels[0] == len(self.levels) - 1


BLOCK_KINDS = {
    "Q4_0": BlockKind(tuple(range(-8, 8))),
    "Q4_1": BlockKind(tuple(range(16)), has_offset=True),
    "Q5_0": BlockKind(tuple(range(-16, 16)), fifth_bits=True),
    "Q5_1": BlockKind(tuple(range(32)), has_offset=True, fifth_bits=True),
    "IQ4_NL": BlockKind(_IQ4_NL),
    "Q8_0": BlockKind(tuple(range(-127, 128)), bytes_each=True),
}


def scales(blocks: Array, kind: BlockKind) -> tuple[Array, Array]:
    """``d`` and ``m`` (0 where the kind has none) of one block in each row, float32."""
    d = blocks[:, 0:2].copy().view(np.float16)[:, 0].astype(np.float32)
    if not kind.has_offset:
        return d, np.zeros_like(d)
    return d, blocks[:, 2:4].copy().view(np.float16)[:, 0].astype(np.float32)


def nearest_codes(values: Array, d: Array, m: Array, kind: BlockKind) -> Array:
    """The index of the level that is nearest to each value; one value for each ``d`` and ``m``."""
    steps = (values - m) / np.where(d == 0, 1, d)
    if kind.even:
        low = kind.levels[0]
        return (np.clip(np.rint(steps), low, kind.levels[-1]) - low).astype(np.int32)
    levels = np.asarray(kind.levels, np.float32)
    return np.searchsorted((levels[1:] + levels[:-1]) / 2, steps).astype(np.int32)


def write_codes(blocks: Array, codes: Array, kind: BlockKind) -> None:
    """Puts ``codes`` (rows, 32) into ``blocks`` (rows, bytes), whose scales stay."""
    at = 4 if kind.has_offset else 2
    if kind.bytes_each:
        blocks[:, at:] = (codes + kind.levels[0]).astype(np.int8).view(np.uint8)
        return
    if kind.fifth_bits:
        fifth = (codes >> 4).astype(np.uint8)
        blocks[:, at : at + 4] = np.packbits(fifth, axis=1, bitorder="little")
        at += 4
    low = (codes & 15).astype(np.uint8)
    blocks[:, at:] = low[:, :16] | (low[:, 16:] << 4)
