"""Rounding with the error made up for: what a column loses, the columns after it take over.

Source: GPTQ (Frantar et al., 2023), section 3: columns are rounded one after the other, and the error of each is spread
over the columns still to come such that the layer's outputs on the calibration inputs change least. Our choice is to
ask ggml for the scales of a block of 32 columns when its turn comes, from the weights as corrected so far, weighted by
how large the inputs of those columns are; so any block type of llama.cpp can be written, and the engine needs nothing
new.

Why it matters here: fine-tuning moves a weight by a fraction of a 4-bit step. Rounded one by one, such changes vanish;
with the error carried on, they add up until a step is due."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lamina.quantize.blocks import BLOCK_KINDS, WIDTH, nearest_codes, scales, write_codes
from lamina.quantize.ggml import Array, quantized

DAMPING = 0.01
"""Share of the mean second moment that is added to every input's (GPTQ, section 3.3)."""


@dataclass(frozen=True)
class ErrorSpread:
    """How a column's error is spread: ``factor``, the upper Cholesky factor of the inverse of the damped moments
    (inputs, inputs), and ``importance``, the damped moments' diagonal."""

    factor: Array
    importance: Array


def error_spread(moments: Array) -> ErrorSpread:
    """Of the sum of ``x xᵀ`` over the calibration inputs ``x`` of a matrix (inputs, inputs). A matrix that saw no
    input at all is rounded value by value.

    With columns and rows in reverse order the moments are ``L Lᵀ``; ``L`` in reverse again is upper triangular, and
    its inverse is the factor: no inverse of the whole has to be made."""
    import torch

    damped = torch.from_numpy(moments).double()
    mean = float(damped.trace()) / len(damped) or 1.0
    damped = damped + DAMPING * mean * torch.eye(len(damped), dtype=torch.float64)
    reverse = torch.linalg.cholesky(damped.flip(0, 1)).flip(0, 1)
    factor = torch.linalg.solve_triangular(reverse, torch.eye(len(damped), dtype=torch.float64), upper=True)
    return ErrorSpread(factor.float().numpy(), damped.diagonal().float().numpy())


def compensated(weights: Array, spread: ErrorSpread, kind: str) -> tuple[Array, Array]:
    """``weights`` (outputs, inputs) as the bytes of a block type, and the values these stand for."""
    block = BLOCK_KINDS[kind]
    levels = np.asarray(block.levels, np.float32)
    factor = spread.factor
    left = np.ascontiguousarray(weights.T, dtype=np.float32)  # one row a column; what is still to be represented
    values = np.empty_like(left)
    written = []
    for start in range(0, len(left), WIDTH):
        end = start + WIDTH
        here, errors, codes = left[start:end], np.empty_like(left[start:end]), []
        packed = quantized(here.T, kind, spread.importance[start:end])
        d, m = scales(packed, block)
        for i in range(WIDTH):
            codes.append(nearest_codes(here[i], d, m, block))
            values[start + i] = d * levels[codes[-1]] + m
            errors[i] = (here[i] - values[start + i]) / factor[start + i, start + i]
            here[i + 1 :] -= factor[start + i, start + i + 1 : end, None] * errors[i]
        write_codes(packed, np.stack(codes, axis=1), block)
        written.append(packed)
        left[end:] -= factor[start:end, end:].T @ errors
    return np.concatenate(written, axis=1), np.ascontiguousarray(values.T)
