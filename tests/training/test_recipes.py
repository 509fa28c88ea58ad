"""Recipes: every one loads, states its memory and the main memory beside it, and trains a tiny model of the same
architecture, by each method."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lamina.errors import InputError
from lamina.tools import Toolbox
from lamina.training import fine_tune
from lamina.training.recipes import METHODS, load_recipe, recipe_names
from lamina.trajectories import ToolCall
from tiny_llama import split_rows, tiny_tokenizer

XLAM = ["xlam-1b-fc", "xlam-7b", "xlam-7b-fc", "xlam-8x22b", "xlam-8x7b"]
SMALL = ["gemma-3-270m", "llama-3.2-1b", "qwen2.5-0.5b", "qwen2.5-1.5b", "smollm2-135m", "smollm2-360m"]
PUBLISHED = {
    "xlam-1b-fc": 1.346e9, "xlam-7b-fc": 6.910e9, "xlam-7b": 7.242e9, "xlam-8x7b": 46.70e9, "xlam-8x22b": 140.6e9,
    "smollm2-135m": 134.5e6, "smollm2-360m": 361.8e6, "qwen2.5-0.5b": 494.0e6, "qwen2.5-1.5b": 1.544e9,
    "gemma-3-270m": 268.1e6, "llama-3.2-1b": 1.236e9,
}  # fmt: skip
"""Numbers of weights that the models' makers state."""


def tiny_like(architecture: dict[str, Any], folder: Path) -> Path:
    """A random model of two layers with everything else as in ``architecture``, many heads sharing few keys too."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    tokenizer = tiny_tokenizer()
    shared = architecture["num_attention_heads"] // architecture["num_key_value_heads"]
    small = {
        "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4, "head_dim": 8,
        "num_key_value_heads": 4 // min(shared, 4), "vocab_size": len(tokenizer), "max_position_embeddings": 400,
        "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 2,
    }  # fmt: skip
    if "sliding_window" in architecture:
        small["sliding_window"] = 16
    if "num_local_experts" in architecture:
        small["num_local_experts"] = 4
    torch.manual_seed(0)
    AutoModelForCausalLM.from_config(AutoConfig.for_model(**{**architecture, **small})).save_pretrained(str(folder))
    tokenizer.save_pretrained(str(folder))
    return folder


def test_there_is_a_recipe_for_each_xlam_model_and_for_the_small_ones():
    assert recipe_names() == sorted([*XLAM, *SMALL])


@pytest.mark.parametrize("name", [*XLAM, *SMALL])
def test_a_recipe_has_the_models_size_and_the_memory_that_is_computed_for_it(name: str):
    from lamina.training.memory import Machine, count_weights, main_memory, memory
    from lamina.training.planning import config_of, empty_model

    recipe = load_recipe(name)
    config = config_of(recipe.architecture)
    model = empty_model(config)
    assert recipe.says["paper"]
    assert recipe.says["ours"]
    assert recipe.peak_is == recipe.main_is == "computed"
    machine = Machine(**recipe.machine)
    assert (machine.device == "cpu") == ("CPU" in recipe.hardware)
    assert (machine.sharding != "none") == ("--sharding" in recipe.hardware) == (machine.processes > 1)
    for method in METHODS:
        settings = recipe.settings(method)
        assert settings.accumulate % machine.processes == 0, "a step is shared among the processes"
        weights = count_weights(model, settings)
        assert weights.all == pytest.approx(PUBLISHED[name], rel=1e-3)
        tokens = settings.batch * settings.max_length
        taken = memory(config, weights, settings, tokens, tokens // 4)
        assert recipe.peak_gib[method] == pytest.approx(taken["total"], abs=0.06)
        assert recipe.main_gib[method] == pytest.approx(
            main_memory(weights, settings, machine, taken)["total"], abs=0.06
        )


@pytest.mark.parametrize("name", XLAM)
def test_an_xlam_recipe_says_what_of_the_paper_is_not_trained(name: str):
    says = load_recipe(name).says
    left_out = " ".join(line for line in says["ours"] if line.startswith("not trained"))
    assert "general instructions" in left_out
    assert ("thought" in left_out) == (not name.endswith("-fc")), "the -fc models answer with calls alone"


@pytest.mark.parametrize("name", [*XLAM, *SMALL])
def test_a_recipe_trains_a_tiny_model_of_its_architecture_for_two_steps(name: str, tmp_path: Path, toolbox: Toolbox):
    from safetensors.torch import load_file

    recipe = load_recipe(name)
    base = tiny_like(recipe.architecture, tmp_path / "base")
    before = load_file(base / "model.safetensors")
    few = {
        "epochs": 1.0,
        "batch": 2,
        "accumulate": 2,
        "learning_rate": 1e-2,
        "warmup_steps": 0,
        "prompt_style": "baked",
    }
    for method in METHODS:
        settings = recipe.settings(method, **few)
        rows = split_rows(8)
        wrong = {row.id: [ToolCall.of("split_bill", {"total": 0, "people": 1})] for row in rows}
        out = tmp_path / method
        metrics = fine_tune(str(base), rows, [], out, settings, toolbox, wrong=wrong if method == "dpo" else None)
        assert (metrics["steps"], metrics["rows"], metrics["refused"]) == (2, 8, [])
        after = load_file(out / "model.safetensors")
        changed = {key for key in before if not before[key].equal(after[key].to(before[key].dtype))}
        assert {key.split(".")[2] for key in changed} == {"0", "1"}
        assert any("mlp" in key or "experts" in key for key in changed), "feed-forward layers are trained"
        assert not any("embed" in key or "norm" in key or "gate.weight" in key for key in changed)
        assert ("num_local_experts" in recipe.architecture) == any("experts" in key for key in changed)


def test_an_unknown_recipe_is_answered_with_the_list():
    with pytest.raises(InputError, match=r"no recipe 'xlam-2b'; recipes: gemma-3-270m, .*, or a \.toml file"):
        load_recipe("xlam-2b")


def test_a_recipe_of_ones_own_is_read_from_its_file_and_checked(tmp_path: Path):
    packaged = Path(__file__).parents[2] / "src/lamina/training/recipes/smollm2-135m.toml"
    mine = tmp_path / "mine.toml"
    mine.write_text(packaged.read_text("utf-8").replace("max_length = 4096", "max_length = 512"))
    assert load_recipe(str(mine)) == replace(
        load_recipe("smollm2-135m"), name="mine", methods=load_recipe(str(mine)).methods
    )
    assert load_recipe(str(mine)).settings().max_length == 512
    mine.write_text(packaged.read_text("utf-8").replace("max_length", "max_lenght"))
    with pytest.raises(InputError, match=r"mine\.toml: unknown key 'sft\.max_lenght'"):
        load_recipe(str(mine))
