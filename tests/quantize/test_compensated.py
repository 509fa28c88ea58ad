"""Rounding with the error made up for keeps what a layer gives, and writes blocks that ggml reads back."""

from __future__ import annotations

import numpy as np
import pytest

from lamina.quantize.blocks import BLOCK_KINDS
from lamina.quantize.compensated import compensated, error_spread
from lamina.quantize.ggml import dequantized, quantized


def layer(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Weights (48, 96) and inputs (500, 96) that are far from independent, as those of a real layer are."""
    random = np.random.default_rng(seed)
    mixing = random.normal(size=(20, 96))
    inputs = random.normal(size=(500, 20)) @ mixing + 0.05 * random.normal(size=(500, 96))
    return random.normal(size=(48, 96)).astype(np.float32), inputs.astype(np.float32)


def change(weights: np.ndarray, other: np.ndarray, inputs: np.ndarray) -> float:
    return float(np.square(inputs @ (weights - other).T).mean() / np.square(inputs @ weights.T).mean())


@pytest.mark.parametrize("kind", BLOCK_KINDS)
def test_the_outputs_change_less_than_when_each_weight_is_rounded_alone(kind: str):
    weights, inputs = layer()
    blocks, values = compensated(weights, error_spread(inputs.T @ inputs), kind)
    alone = dequantized(quantized(weights, kind), kind)
    assert change(weights, values, inputs) < 0.5 * change(weights, alone, inputs)
    assert blocks.shape == quantized(weights, kind).shape


@pytest.mark.parametrize("kind", BLOCK_KINDS)
def test_the_bytes_mean_the_values_that_were_chosen(kind: str):
    weights, inputs = layer(1)
    blocks, values = compensated(weights, error_spread(inputs.T @ inputs), kind)
    assert np.allclose(dequantized(blocks, kind), values, rtol=1e-5, atol=1e-6)


def test_inputs_that_are_never_on_are_rounded_all_the_same():
    weights, inputs = layer()
    inputs[:, 40:] = 0
    _, values = compensated(weights, error_spread(inputs.T @ inputs), "Q4_0")
    assert np.isfinite(values).all()
    assert np.abs(values - weights).max() < 1
    _, blind = compensated(weights, error_spread(np.zeros((96, 96))), "Q4_0")
    assert np.abs(blind - weights).max() < 0.5
