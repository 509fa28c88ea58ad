"""A file type whose grid is the base's own rounds a fine-tuning away; another one does not."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from lamina.quantize.ggml import quantized
from lamina.quantize.grids import training_lost


def dequantized(rows: np.ndarray, kind: str) -> np.ndarray:
    from gguf import GGMLQuantizationType
    from gguf.quants import dequantize

    return dequantize(quantized(rows, kind), GGMLQuantizationType[kind]).reshape(rows.shape)


def share_that_survives(kind: str) -> float:
    """Slope of what is left of a small change, on weights that came out of Q4_1."""
    rng = np.random.default_rng(0)
    base = dequantized(rng.normal(size=(64, 576)).astype(np.float32), "Q4_1")
    change = (0.011 * rng.normal(size=base.shape)).astype(np.float32)
    left = dequantized(base + change, kind) - dequantized(base, kind)
    return float((left * change).sum() / (change * change).sum())


def test_what_was_tuned_is_gone_where_the_base_came_in_the_same_type():
    assert share_that_survives("Q4_1") < 0.6 < 0.85 < share_that_survives("Q4_0")


@pytest.mark.slow
def test_the_user_is_told_before_it_costs_a_model(tmp_path: Path):
    from lamina.models import embedded_path

    (tmp_path / "lamina.json").write_text(json.dumps({"base_gguf": str(embedded_path())}))
    assert "Q4_0" in (training_lost(tmp_path, "Q4_1") or "")
    assert training_lost(tmp_path, "Q8_0") is None


def test_a_model_without_a_gguf_base_is_not_warned_about(tmp_path: Path):
    assert training_lost(tmp_path, "Q4_1") is None
    (tmp_path / "lamina.json").write_text(json.dumps({"base_gguf": None}))
    assert training_lost(tmp_path, "Q4_1") is None
