"""An 8-bit file of weights that a training left on a grid of 4 or 5 bits holds those weights, to the last bit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lamina.quantize import export_gguf
from lamina.quantize.exact_blocks import with_exact_blocks
from lamina.quantize.ggml import Array, byte_count, dequantized, quantized

GRIDS = ("Q4_0", "Q5_0")


def on_grid(kind: str, values: Array) -> Array:
    return dequantized(quantized(values, kind), kind)


def eight_bits(values: Array) -> Array:
    return with_exact_blocks(values, quantized(values, "Q8_0"))


@pytest.mark.parametrize("kind", GRIDS)
@given(seed=st.integers(0, 10_000), size=st.sampled_from([0.001, 0.02, 1.0, 30.0]))
def test_weights_on_a_coarse_grid_come_back_from_8_bits_as_they_are(kind: str, seed: int, size: float):
    weights = on_grid(kind, np.random.default_rng(seed).normal(scale=size, size=(3, 96)).astype(np.float32))
    assert (dequantized(eight_bits(weights), "Q8_0") == weights).all()


def test_ggmls_own_8_bits_move_them_by_half_a_percent():
    weights = on_grid("Q4_0", np.random.default_rng(0).normal(size=(8, 64)).astype(np.float32))
    moved = np.abs(dequantized(quantized(weights, "Q8_0"), "Q8_0") - weights)
    assert 0.001 < moved.max() / np.abs(weights).max() < 0.01


@given(seed=st.integers(0, 10_000))
def test_weights_of_no_grid_are_what_ggml_writes(seed: int):
    weights = np.random.default_rng(seed).normal(size=(4, 64)).astype(np.float32)
    assert eight_bits(weights).tobytes() == quantized(weights, "Q8_0").tobytes()


@given(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=32, max_size=32))
def test_no_block_is_further_off_than_ggmls(values: list[float]):
    weights = np.clip(np.array([values], np.float32), -1e4, 1e4)  # larger ones have no scale in float16
    ours, theirs = (
        np.abs(dequantized(q, "Q8_0") - weights).max() for q in (eight_bits(weights), quantized(weights, "Q8_0"))
    )
    assert ours <= theirs


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("odd", [float("nan"), float("inf"), 1e7])
def test_what_no_scale_holds_is_left_to_ggml_in_silence(odd: float):
    weights = on_grid("Q4_0", np.random.default_rng(0).normal(size=(2, 64)).astype(np.float32))
    weights[0, 3] = odd
    ours, theirs = eight_bits(weights), quantized(weights, "Q8_0")
    assert (ours[0, :34] == theirs[0, :34]).all()
    assert (dequantized(ours[1:], "Q8_0") == weights[1:]).all()


def test_a_block_of_zeros_and_one_beside_the_grid_stay_ggmls():
    rng = np.random.default_rng(0)
    weights = np.concatenate(
        [on_grid("Q4_0", rng.normal(size=(1, 64)).astype(np.float32)), np.zeros((1, 64), np.float32)]
    )
    weights = np.concatenate([weights, rng.normal(size=(1, 64)).astype(np.float32)])
    ours, theirs = eight_bits(weights), quantized(weights, "Q8_0")
    assert (dequantized(ours, "Q8_0")[:2] == weights[:2]).all()
    assert (ours[1:] == theirs[1:]).all()
    assert ours.nbytes == theirs.nbytes == byte_count("Q8_0", weights.shape)


def test_the_exported_file_of_a_model_on_the_grid_holds_its_very_weights(tiny: Path, tmp_path: Path):
    import torch
    from gguf import GGUFReader
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model = AutoModelForCausalLM.from_pretrained(tiny, dtype=torch.float32)
    up = model.model.layers[1].mlp.up_proj.weight
    with torch.no_grad():
        up.copy_(torch.from_numpy(on_grid("Q4_0", up.numpy())))
    model.save_pretrained(tmp_path / "model")
    AutoTokenizer.from_pretrained(tiny).save_pretrained(tmp_path / "model")
    export_gguf(tmp_path / "model", tmp_path / "m.gguf", "Q8_0")
    tensors = {t.name: t for t in GGUFReader(tmp_path / "m.gguf").tensors}
    assert (dequantized(tensors["blk.1.ffn_up.weight"].data, "Q8_0") == up.detach().numpy()).all()
    beside = model.model.layers[0].mlp.up_proj.weight.detach().numpy()
    assert not (dequantized(tensors["blk.0.ffn_up.weight"].data, "Q8_0") == beside).all()
