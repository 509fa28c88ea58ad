"""Which type each matrix of a file gets: llama.cpp's own rules, on rows that every type's blocks fit."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from lamina.quantize.precisions import PRECISIONS, Layout, kind_of, precision

LAYERS = 16
EIGHTH, LATE = {0, 1}, {14, 15}
EVERY_THIRD = {4, 7, 10, 13}
"""Of the twelve layers between the first and the last eighth."""
MORE_BITS = EIGHTH | LATE | EVERY_THIRD
PLAIN = Layout(LAYERS, tied=True)


def kinds(type: str, part: str, layout: Layout = PLAIN) -> list[str]:
    shape = (8, 256, 256) if "exps" in part else (256, 256)
    return [kind_of(f"blk.{i}.{part}.weight", shape, precision(type), layout)[0] for i in range(layout.layers)]


def mixed(most: str, better: str, where: set[int]) -> list[str]:
    return [better if i in where else most for i in range(LAYERS)]


@pytest.mark.parametrize(
    ("type", "most", "values", "down", "output"),
    [
        ("Q6_K", "Q6_K", ["Q6_K"] * LAYERS, ["Q6_K"] * LAYERS, "Q6_K"),
        ("Q5_K_M", "Q5_K", mixed("Q5_K", "Q6_K", MORE_BITS), mixed("Q5_K", "Q6_K", MORE_BITS), "Q5_K"),
        ("Q5_K_S", "Q5_K", ["Q5_K"] * LAYERS, ["Q5_K"] * LAYERS, "Q5_K"),
        ("Q4_K_M", "Q4_K", mixed("Q4_K", "Q6_K", MORE_BITS), mixed("Q4_K", "Q6_K", MORE_BITS), "Q4_K"),
        ("Q4_K_S", "Q4_K", mixed("Q4_K", "Q5_K", {0, 1, 2, 3}), mixed("Q4_K", "Q5_K", EIGHTH), "Q4_K"),
        ("IQ4_XS", "IQ4_XS", ["IQ4_XS"] * LAYERS, mixed("IQ4_XS", "Q5_K", EIGHTH), "IQ4_XS"),
        ("IQ4_NL", "IQ4_NL", ["IQ4_NL"] * LAYERS, mixed("IQ4_NL", "Q5_K", EIGHTH), "IQ4_NL"),
        ("Q3_K_M", "Q3_K", mixed("Q4_K", "Q5_K", {0, 1}), mixed("Q4_K", "Q5_K", {0}), "Q4_K"),
        ("Q3_K_S", "Q3_K", ["Q3_K"] * LAYERS, ["Q3_K"] * LAYERS, "Q3_K"),
        ("Q2_K", "Q2_K", ["Q3_K"] * LAYERS, ["Q3_K"] * LAYERS, "Q3_K"),
        ("Q4_0", "Q4_0", ["Q4_0"] * LAYERS, ["Q4_0"] * LAYERS, "Q4_0"),
        ("Q8_0", "Q8_0", ["Q8_0"] * LAYERS, ["Q8_0"] * LAYERS, "Q8_0"),
    ],
)
def test_what_matters_most_gets_more_bits(type: str, most: str, values: list[str], down: list[str], output: str):
    assert kinds(type, "attn_v") == values
    assert kinds(type, "ffn_down") == down
    assert set(kinds(type, "attn_output")) == {output}
    for part in ("attn_q", "attn_k", "ffn_gate", "ffn_up"):
        assert set(kinds(type, part)) == {most}


def test_values_that_many_queries_share_get_more_bits():
    shared = Layout(LAYERS, tied=True, queries_per_value=4)
    assert set(kinds("Q2_K", "attn_v", shared)) == {"Q4_K"}
    assert set(kinds("IQ4_XS", "attn_v", shared)) == {"Q5_K"}


def test_with_an_importance_matrix_other_rules_hold():
    weighted = Layout(LAYERS, tied=True, weighted=True)
    assert set(kinds("IQ4_XS", "ffn_down", weighted)) == {"IQ4_XS"}
    assert kinds("Q4_0", "ffn_down", weighted) == mixed("Q4_0", "Q4_1", EIGHTH)
    assert kinds("Q5_0", "ffn_down", weighted) == mixed("Q5_0", "Q5_1", EIGHTH)


def test_of_eight_experts_what_they_share_gets_more_bits_and_the_router_is_kept():
    eight = Layout(LAYERS, tied=False, queries_per_value=4, experts=8)
    for type in ("Q2_K", "Q3_K_M", "Q4_K_M", "IQ4_XS"):
        assert set(kinds(type, "attn_v", eight)) == set(kinds(type, "attn_k", eight)) == {"Q8_0"}
        assert set(kinds(type, "attn_output", eight)) == {"Q5_K"}
        assert set(kinds(type, "ffn_gate_inp", eight)) == {"F32"}
    assert kinds("Q4_K_M", "ffn_down_exps", eight) == mixed("Q4_K", "Q6_K", MORE_BITS)


@pytest.mark.parametrize("type", [name for name in PRECISIONS if name not in ("F32", "F16", "Q8_0")])
def test_the_output_layer_is_kept_fine_and_is_the_embedding_where_they_are_tied(type: str):
    def kind(name: str, tied: bool) -> str:
        return kind_of(name, (320, 256), precision(type), Layout(LAYERS, tied))[0]

    assert kind("output.weight", tied=False) == kind("token_embd.weight", tied=True) == "Q6_K"
    assert kind("token_embd.weight", tied=False) == precision(type).kind


def test_types_of_wide_blocks_are_written_as_themselves_and_load(tmp_path: Path):
    from gguf import GGUFReader

    from lamina.quantize import quantize_types
    from lamina.quantize.likelihood import token_logits
    from tiny_models import save_tiny

    folder = save_tiny(tmp_path / "model", "llama", hidden_size=256, intermediate_size=256, num_hidden_layers=3)
    types = {  # of 21 matrices, the embedding and the output layer
        "Q6_K": {"Q6_K": 23},
        "Q5_K_M": {"Q6_K": 3, "Q5_K": 20},
        "Q4_K_M": {"Q6_K": 3, "Q4_K": 20},
        "Q3_K_M": {"Q6_K": 1, "Q5_K": 2, "Q4_K": 7, "Q3_K": 13},
        "IQ4_XS": {"Q6_K": 1, "IQ4_XS": 22},
        "Q2_K": {"Q6_K": 1, "Q3_K": 9, "Q2_K": 13},
    }
    for file in quantize_types(folder, list(types), tmp_path):
        assert file["fallbacks"] == {}
        found = Counter(t.tensor_type.name for t in GGUFReader(file["path"]).tensors)
        del found["F32"]
        assert found == types[file["type"]]
        (logits,) = token_logits(Path(file["path"]), [[1, 30, 31, 40]])
        assert np.isfinite(logits).all()
