"""Bases that are not as expected: without a template, with weights that are shared, with another vocabulary."""

from __future__ import annotations

from pathlib import Path

import pytest

from lamina.errors import InputError
from lamina.tools import Toolbox
from lamina.training import TrainSettings, fine_tune
from lamina.training.memory import count_weights
from lamina.training.planning import config_of, empty_model, plan_training
from lamina.training.rows import TrainingData
from tiny_llama import save_tiny_llama, split_rows

FEW = TrainSettings(epochs=1, batch=4, learning_rate=2e-3, max_length=200, precision="float32")


def changed_base(folder: Path, change) -> Path:
    """The tiny llama, with ``change(model, tokenizer)`` made to it."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    save_tiny_llama(folder)
    model, tokenizer = AutoModelForCausalLM.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    change(model, tokenizer)
    model.save_pretrained(str(folder))
    tokenizer.save_pretrained(str(folder))
    return folder


def test_a_base_without_a_chat_template_is_trained_and_leaves_with_one(toolbox: Toolbox, tmp_path: Path):
    base = save_tiny_llama(tmp_path / "base")
    (base / "chat_template.jinja").unlink()
    assert fine_tune(str(base), split_rows(8), [], tmp_path / "out", FEW, toolbox)["rows"] == 8
    assert "<|im_start|>" in (tmp_path / "out" / "chat_template.jinja").read_text("utf-8")


def test_shared_embeddings_stay_shared_and_those_apart_stay_apart(toolbox: Toolbox, tmp_path: Path):
    import torch
    from safetensors.torch import load_file
    from transformers import AutoModelForCausalLM

    def set_apart(model, tokenizer) -> None:
        model.config.tie_word_embeddings = False
        model.lm_head.weight = torch.nn.Parameter(model.lm_head.weight.detach() * 2)

    bases = {"tied": save_tiny_llama(tmp_path / "tied"), "apart": changed_base(tmp_path / "apart", set_apart)}
    for name, base in bases.items():
        out = tmp_path / f"{name}-out"
        fine_tune(str(base), split_rows(8), [], out, FEW, toolbox)
        assert ("lm_head.weight" in load_file(out / "model.safetensors")) == (name == "apart")
        loaded = AutoModelForCausalLM.from_pretrained(out)
        shared = loaded.lm_head.weight.data_ptr() == loaded.get_input_embeddings().weight.data_ptr()
        assert shared == (name == "tied")


def test_an_embedding_with_rows_to_spare_keeps_them(toolbox: Toolbox, tmp_path: Path):
    from transformers import AutoModelForCausalLM

    base = changed_base(tmp_path / "base", lambda model, _: model.resize_token_embeddings(384))
    fine_tune(str(base), split_rows(8), [], tmp_path / "out", FEW, toolbox)
    assert AutoModelForCausalLM.from_pretrained(tmp_path / "out").get_input_embeddings().num_embeddings == 384


def test_a_vocabulary_that_outgrew_the_embedding_is_refused_with_both_sizes(toolbox: Toolbox, tmp_path: Path):
    base = changed_base(tmp_path / "base", lambda _, tokenizer: tokenizer.add_tokens(["<call>", "</call>"]))
    with pytest.raises(InputError, match=r"tokenizer has \d+ tokens and its embedding only \d+ rows"):
        fine_tune(str(base), split_rows(8), [], tmp_path / "out", FEW, toolbox)


def test_a_tokenizer_that_ends_nothing_is_refused_with_the_mend(toolbox: Toolbox, tmp_path: Path):
    def without_end(_, tokenizer) -> None:
        tokenizer.eos_token = None

    base = changed_base(tmp_path / "base", without_end)
    with pytest.raises(InputError, match=r"names no eos_token.*tokenizer_config\.json"):
        fine_tune(str(base), split_rows(8), [], tmp_path / "out", FEW, toolbox)
    with pytest.raises(InputError, match="names no eos_token"):
        plan_training(str(base), TrainingData(split_rows(8), [], toolbox, "x"), FEW)


@pytest.mark.parametrize("kind", ["mixtral", "qwen2_moe", "qwen3_moe"])
def test_the_experts_that_rest_are_counted_whatever_the_configuration_calls_them(kind: str):
    """Two of eight experts work on a token."""
    sizes = {"hidden_size": 32, "intermediate_size": 48, "moe_intermediate_size": 48, "num_hidden_layers": 2}
    heads = {"num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 8, "vocab_size": 99}
    number = "num_local_experts" if kind == "mixtral" else "num_experts"
    config = config_of({"model_type": kind, **sizes, **heads, number: 8, "num_experts_per_tok": 2})
    weights = count_weights(empty_model(config), FEW)
    assert weights.all - weights.active == 2 * (8 - 2) * 3 * 32 * 48
