"""Each architecture that can be exported computes in llama.cpp what it computes in Transformers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

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
    "qwen2": ("qwen2", {}),
    "qwen3": ("qwen3", {"head_dim": 32, "tie_word_embeddings": True}),
}


@pytest.mark.parametrize("kind", KINDS)
def test_an_exported_model_gives_the_logits_and_the_tokens_of_the_original(kind: str, tmp_path: Path):
    architecture, more = KINDS[kind]
    folder = save_tiny(tmp_path / "model", architecture, **more)
    export_gguf(folder, tmp_path / "m.gguf", "F32")
    given = list(token_logits(tmp_path / "m.gguf", ROWS))
    for ours, expected in zip(given, logits_of(folder, ROWS), strict=True):
        # llama.cpp keeps keys and values in float16
        assert np.abs(ours - expected).max() < 0.01 * np.abs(expected).max()
    made = greedy(folder, ROWS[1], 8)
    assert len(set(made)) > 2, "a constant answer would prove little"
    (again,) = token_logits(tmp_path / "m.gguf", [ROWS[1] + made])
    assert again[len(ROWS[1]) - 1 : -1].argmax(axis=1).tolist() == made


def test_a_model_that_looks_back_only_so_far_is_said_to_read_no_longer_texts(tmp_path: Path):
    from lamina.models.metadata import facts_of

    folder = save_tiny(tmp_path / "model", "mistral", sentencepiece_tokenizer(), sliding_window=64)
    export_gguf(folder, tmp_path / "m.gguf", "F32")
    assert facts_of(str(tmp_path / "m.gguf")).context == 64
    row = [ROWS[1][:64]]
    ours, expected = next(token_logits(tmp_path / "m.gguf", row)), logits_of(folder, row)[0]
    assert np.abs(ours - expected).max() < 0.01 * np.abs(expected).max()
