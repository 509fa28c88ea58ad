"""Each architecture that can be exported computes in llama.cpp what it computes in Transformers."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from lamina.errors import InputError
from lamina.quantize import export_gguf
from lamina.quantize.likelihood import token_logits
from tiny_models import greedy, logits_of, save_tiny, sentencepiece_tokenizer

ROWS = [[1, 30, 31, 40, 41, 52, 60, 7], [3 + (7 * i * i) % 250 for i in range(300)]]
LLAMA3 = {
    "rope_type": "llama3", "rope_theta": 10_000.0, "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
    "original_max_position_embeddings": 128,
}  # fmt: skip

KINDS = {
    "llama with the rotation of Llama 3": ("llama", {"rope_parameters": LLAMA3, "tie_word_embeddings": True}),
    "llama with a rotation slowed evenly": ("llama", {"rope_scaling": {"type": "linear", "factor": 4.0}}),
    "llama with biases and wide heads": ("llama", {"attention_bias": True, "head_dim": 32}),
    "mistral": ("mistral", {"head_dim": 32, "sliding_window": None}),
    "mixtral": ("mixtral", {"num_local_experts": 4, "num_experts_per_tok": 2, "num_hidden_layers": 3}),
    "qwen2": ("qwen2", {}),
    "gemma 3": (
        "gemma3_text",
        {
            "head_dim": 32,
            "query_pre_attn_scalar": 32,
            "sliding_window": 32,
            "num_hidden_layers": 7,
            "initializer_range": 0.1,
            "rope_parameters": {
                "full_attention": {"rope_type": "linear", "factor": 4.0, "rope_theta": 500_000.0},
                "sliding_attention": {"rope_type": "default", "rope_theta": 5_000.0},
            },
        },
    ),
    "qwen3": ("qwen3", {"head_dim": 32, "tie_word_embeddings": True}),
}


@pytest.mark.parametrize("kind", KINDS)
def test_an_exported_model_gives_the_logits_and_the_tokens_of_the_original(kind: str, tmp_path: Path):
    architecture, more = KINDS[kind]
    folder = save_tiny(tmp_path / "model", architecture, **more)
    export_gguf(folder, tmp_path / "m.gguf", "F32")
    given = list(token_logits(tmp_path / "m.gguf", ROWS))
    # a token whose experts are nearly even goes to another one for the least difference
    whole, row = (0.9, ROWS[0]) if architecture == "mixtral" else (1.0, ROWS[1])
    for ours, expected in zip(given, logits_of(folder, ROWS), strict=True):
        near = np.abs(ours - expected).max(axis=1) < 0.01 * np.abs(expected).max()  # keys and values are in float16
        assert near.mean() >= whole
    made = greedy(folder, row, 8)
    assert len(set(made)) > 2, "a constant answer would prove little"
    (again,) = token_logits(tmp_path / "m.gguf", [row + made])
    assert again[len(row) - 1 : -1].argmax(axis=1).tolist() == made


def test_a_model_that_looks_back_only_so_far_is_said_to_read_no_longer_texts(tmp_path: Path):
    from lamina.models.metadata import facts_of

    folder = save_tiny(tmp_path / "model", "mistral", sentencepiece_tokenizer(), sliding_window=64)
    export_gguf(folder, tmp_path / "m.gguf", "F32")
    assert facts_of(str(tmp_path / "m.gguf")).context == 64
    row = [ROWS[1][:64]]
    ours, expected = next(token_logits(tmp_path / "m.gguf", row)), logits_of(folder, row)[0]
    assert np.abs(ours - expected).max() < 0.01 * np.abs(expected).max()


def test_experts_are_one_tensor_and_rounded_expert_by_expert(tmp_path: Path):
    from gguf import GGUFReader
    from gguf.quants import dequantize
    from safetensors.numpy import load_file

    folder = save_tiny(tmp_path / "model", "mixtral", num_local_experts=4)
    export_gguf(folder, tmp_path / "m.gguf", "Q8_0")
    tensors = {t.name: t for t in GGUFReader(tmp_path / "m.gguf").tensors}
    assert tensors["blk.0.ffn_gate_inp.weight"].tensor_type.name == "F32"
    written, stored = tensors["blk.1.ffn_down_exps.weight"], load_file(folder / "model.safetensors")
    given = dequantize(written.data, written.tensor_type)
    assert given.shape == (4, 64, 128)
    for expert, values in enumerate(given):
        expected = stored[f"model.layers.1.block_sparse_moe.experts.{expert}.w2.weight"]
        assert np.abs(values - expected).max() < 0.01 * np.abs(expected).max()


def test_a_mixture_with_an_expert_missing_is_refused(tmp_path: Path):
    from safetensors.numpy import load_file, save_file

    folder = save_tiny(tmp_path / "model", "mixtral", num_local_experts=4)
    stored = load_file(folder / "model.safetensors")
    del stored["model.layers.1.block_sparse_moe.experts.2.w2.weight"]
    save_file(stored, folder / "model.safetensors")
    with pytest.raises(InputError, match=r"experts are missing of blk\.1\.ffn_down_exps"):
        export_gguf(folder, tmp_path / "m.gguf")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"query_pre_attn_scalar": 256}, "query_pre_attn_scalar 256"),
        ({"sliding_window_pattern": 2}, "another order of layers"),
        ({"final_logit_softcapping": 30.0}, "softcapping"),
        ({"use_bidirectional_attention": True}, "both directions"),
        ({"hidden_activation": "gelu"}, "activation gelu"),
        ({"head_dim": None}, "does not say head_dim"),
    ],
)
def test_a_gemma_that_llama_cpp_would_compute_otherwise_is_refused(change: dict, said: str, tmp_path: Path):
    folder = save_tiny(tmp_path / "model", *KINDS["gemma 3"][:1], **KINDS["gemma 3"][1])
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | change))
    with pytest.raises(InputError, match=said):
        export_gguf(folder, tmp_path / "m.gguf")
