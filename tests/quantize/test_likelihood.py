"""The logits that a GGUF file gives are those of the model it was made from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lamina.errors import ModelError
from lamina.quantize import export_gguf
from lamina.quantize.likelihood import token_logits
from tiny_llama import save_tiny_llama

ROWS = [[1, 30, 31, 40, 41, 52, 60, 7], [1, 99, 98, 97], [5] * 300]


@pytest.mark.parametrize("architecture", ["llama", "qwen2"])
def test_logits_are_those_of_the_original(architecture: str, tmp_path: Path):
    import torch
    from transformers import AutoModelForCausalLM

    folder = save_tiny_llama(tmp_path / architecture, architecture, seed=3)
    export_gguf(folder, tmp_path / "m.gguf", "F32")
    model = AutoModelForCausalLM.from_pretrained(folder)
    given = list(token_logits(tmp_path / "m.gguf", ROWS))
    assert len(given) == len(ROWS)
    for row, logits in zip(ROWS, given, strict=True):
        with torch.no_grad():
            expected = model(torch.tensor([row])).logits[0].numpy()
        assert logits.shape == expected.shape
        # llama.cpp keeps keys and values in float16
        assert np.abs(logits - expected).max() < 0.02 * np.abs(expected).max()


def test_a_file_that_is_no_model_is_refused(tmp_path: Path):
    (tmp_path / "m.gguf").write_bytes(b"GGUF and nothing else")
    with pytest.raises(ModelError, match="cannot load it"):
        next(token_logits(tmp_path / "m.gguf", ROWS))
