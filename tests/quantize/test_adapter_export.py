"""A LoRA adapter beside its base computes what the merged model computes, and what it cannot carry is refused."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lamina.errors import InputError, ModelReferenceError
from lamina.models import Request, check_reference, open_model
from lamina.models.gguf_header import gguf_metadata, gguf_shapes
from lamina.models.llama_library import add_adapter, decode, functions, loaded_model, open_context
from lamina.models.metadata import facts_of
from lamina.quantize import export_adapter, export_gguf
from lamina.trajectories import Message
from tiny_adapters import LINEAR, save_adapter
from tiny_llama import desk_toolbox
from tiny_models import save_tiny, sentencepiece_tokenizer

GEMMA = {"head_dim": 16, "query_pre_attn_scalar": 16, "sliding_window": 32, "initializer_range": 0.1}
ROW = [1, 30, 31, 40, 41, 52, 60, 7, 99, 98, 97]


def logits(file: Path, adapter: Path | None = None) -> np.ndarray:
    calls = functions()
    with loaded_model(file) as model, open_context(model, file, len(ROW)) as context:
        if adapter is not None:
            add_adapter(model, context, adapter)
        assert decode(context, [(token, place, (0,), True) for place, token in enumerate(ROW)])
        size = calls.llama_vocab_n_tokens(calls.llama_model_get_vocab(model))
        return np.ctypeslib.as_array(calls.llama_get_logits(context), (len(ROW), size)).copy()


@pytest.mark.parametrize(
    ("architecture", "base", "lora"),
    [
        ("llama", {}, {"target_modules": [*LINEAR, "lm_head"]}),
        ("qwen2", {}, {}),
        ("qwen3", {"head_dim": 16}, {}),
        ("gemma3_text", GEMMA, {}),
        ("mixtral", {"num_local_experts": 4, "num_experts_per_tok": 4}, {"target_modules": LINEAR[:4]}),
        ("llama", {}, {"use_rslora": True}),
        ("llama", {}, {"rank_pattern": {"q_proj": 2, "layers.1.mlp.up_proj": 8}}),
    ],
)
def test_a_base_with_its_adapter_gives_the_logits_and_the_tokens_of_the_merged_model(
    architecture: str, base: dict, lora: dict, tmp_path: Path
):
    model = save_tiny(tmp_path / "base", architecture, **base)
    adapter = save_adapter(model, tmp_path / "adapter", tmp_path / "merged", **lora)
    whole, alone, rounded = (tmp_path / f"{name}.gguf" for name in ("merged", "base", "rounded"))
    export_gguf(tmp_path / "merged", whole, "F32")
    export_gguf(model, alone, "F32")
    exact, short = (Path(file["path"]) for file in export_adapter(adapter, ["F32", "F16"], tmp_path / "gguf"))
    wanted = logits(whole)
    most = np.abs(wanted).max()
    unlike = np.abs(logits(alone) - wanted).max()
    assert unlike > 0.2 * most, "an adapter that changes little would prove little"
    assert np.abs(logits(alone, exact) - wanted).max() < 0.01 * most
    assert np.abs(logits(alone, short) - wanted).max() < 0.01 * most
    export_gguf(model, rounded, "Q8_0")
    assert np.abs(logits(rounded, short) - wanted).max() < 0.3 * unlike
    (text, likely), (same, as_likely), (bare, less_so) = map(_answer, (str(whole), f"{alone}+{exact}", str(alone)))
    assert text == same != bare
    assert as_likely == pytest.approx(likely, rel=0.01)
    assert np.abs(np.subtract(as_likely, likely)).max() < 0.3 * np.abs(np.subtract(less_so, likely)).max()


def _answer(ref: str) -> tuple[str, list[float]]:
    """What is written, and how likely two texts are found, which is another way through llama.cpp."""
    asked = Request([Message(role="user", content="Split 84 between four")], style="plain", max_tokens=12)
    chosen = Request([], raw_prompt="Split 84 ", continuations=["between", "people please"])
    model = open_model(ref, threads=1, slots=1)
    try:
        (reply,), (found,) = model.generate([asked]), model.score([chosen])
    finally:
        model.close()
    assert reply.problem is None
    return reply.text, found.likelihoods


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny(tmp_path_factory.mktemp("base") / "base", "llama")


@pytest.fixture(scope="module")
def kept(base: Path) -> Path:
    return save_adapter(base, base.parent / "adapter")


@pytest.fixture
def adapter(kept: Path, tmp_path: Path) -> Path:
    return shutil.copytree(kept, tmp_path / "adapter")


def test_the_file_says_what_llama_cpp_asks_of_an_adapter_and_is_small(base: Path, adapter: Path, tmp_path: Path):
    (file,) = export_adapter(adapter, ["f16"], tmp_path)
    assert (file["ranks"], file["alpha"], file["modules"]) == ([4], 12.0, 14)
    facts, shapes = gguf_metadata(Path(file["path"])), gguf_shapes(Path(file["path"]))
    assert facts["general.type"] == "adapter"
    assert facts["general.architecture"] == "llama"
    assert facts["adapter.type"] == "lora"
    assert facts["adapter.lora.alpha"] == 12
    assert facts["general.base_model.0.name"] == "base"
    assert shapes["blk.1.ffn_down.weight.lora_a"] == (4, 128)
    assert shapes["blk.1.ffn_down.weight.lora_b"] == (64, 4)
    assert len(shapes) == 28
    assert file["bytes"] == Path(file["path"]).stat().st_size < (base / "model.safetensors").stat().st_size / 10


def test_a_gguf_file_of_the_base_serves_as_well_as_its_folder(base: Path, adapter: Path, tmp_path: Path):
    export_gguf(base, tmp_path / "base.gguf", "Q8_0")
    (one,) = export_adapter(adapter, ["F32"], tmp_path / "a")
    (other,) = export_adapter(adapter, ["F32"], tmp_path / "b", base=tmp_path / "base.gguf")
    assert _tensors(one["path"]) == _tensors(other["path"])


def _tensors(file: str) -> dict[str, bytes]:
    from gguf import GGUFReader

    return {t.name: t.data.tobytes() for t in GGUFReader(file).tensors}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"alpha_pattern": {"q_proj": 8}}, "alpha of their own"),
        ({"modules_to_save": ["lm_head"]}, "whole modules beside the adapters"),
        ({"target_parameters": ["mlp.experts.down_proj"]}, "a mixture's experts"),
        ({"bias": "lora_only"}, "trained biases"),
        ({"peft_type": "IA3"}, "an adapter of type IA3"),
        ({"init_lora_weights": "pissa_niter_4"}, "begun as pissa_niter_4, which changes the base"),
        ({"lora_alpha": 0}, "lora_alpha is 0"),
        ({"use_rslora": True, "r": 8}, "rsLoRA with a rank of its own for model.layers.0"),
        ({"lora_alpha": None}, "no configuration of a LoRA adapter"),
    ],
)
def test_what_a_gguf_adapter_cannot_say_is_refused(change: dict, said: str, adapter: Path, tmp_path: Path):
    file = adapter / "adapter_config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | change))
    with pytest.raises(InputError, match=said):
        export_adapter(adapter, ["F16"], tmp_path / "gguf")
    assert not (tmp_path / "gguf").exists()


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"use_dora": True}, r"cannot carry DoRA \(use_dora\); merge it into its base"),
        ({"target_modules": ["q_proj", "embed_tokens"]}, "embed_tokens.lora_embedding_A, which is no part of a linear"),
    ],
)
def test_an_adapter_that_peft_computes_otherwise_is_refused(config: dict, said: str, base: Path, tmp_path: Path):
    with pytest.raises(InputError, match=said):
        export_adapter(save_adapter(base, tmp_path / "adapter", **config), ["F16"], tmp_path)


def test_an_adapter_of_the_output_layer_is_refused_where_that_is_the_embedding(tmp_path: Path):
    tied = save_tiny(tmp_path / "tied", "llama", tie_word_embeddings=True)
    with pytest.raises(InputError, match=r"lm_head\.weight is adapted, and in the base .*tied it is the embedding too"):
        export_adapter(save_adapter(tied, tmp_path / "a", target_modules=["q_proj", "lm_head"]), ["F16"], tmp_path)


def test_a_damaged_folder_is_refused(adapter: Path, tmp_path: Path):
    weights = adapter / "adapter_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    with pytest.raises(InputError, match="not a whole safetensors file"):
        export_adapter(adapter, ["F16"], tmp_path)
    weights.unlink()
    with pytest.raises(InputError, match=r"there is no adapter_model\.safetensors"):
        export_adapter(adapter, ["F16"], tmp_path)


@pytest.mark.parametrize(
    ("another", "says_export", "says_use"),
    [
        (
            lambda folder: save_tiny(folder, "llama", hidden_size=128),
            r"down_proj\.weight is 64 × 128, and in the base .* 128 × 128; name the base that it was trained on",
            r"blk\.0\.attn_k\.weight is 64 × 128 there and 32 × 64 in the adapter",
        ),
        (
            lambda folder: save_tiny(folder, "llama", num_hidden_layers=1),
            r"model\.layers\.1\.\S+ (is adapted, and the base .* has none|has no place in a GGUF file of llama)",
            r"there is no blk\.1\.attn_k\.weight",
        ),
        (lambda folder: save_tiny(folder, "qwen2"), None, "it is for the architecture llama, and that is qwen2"),
    ],
)
def test_an_adapter_of_another_base_is_refused_where_it_is_made_and_where_it_is_used(
    another: Callable[[Path], Path], says_export: str | None, says_use: str, adapter: Path, tmp_path: Path
):
    other = another(tmp_path / "other")
    if says_export is not None:
        with pytest.raises(InputError, match=says_export):
            export_adapter(adapter, ["F16"], tmp_path, base=other)
    (file,) = export_adapter(adapter, ["F16"], tmp_path)
    export_gguf(other, tmp_path / "other.gguf", "F16")
    for use in (check_reference, open_model):
        with pytest.raises(ModelReferenceError, match=says_use):
            use(f"{tmp_path / 'other.gguf'}+{file['path']}")


def test_a_base_that_is_not_here_is_asked_for(adapter: Path, tmp_path: Path):
    file = adapter / "adapter_config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"base_model_name_or_path": "org/small"}))
    with pytest.raises(InputError, match="its base org/small is not here; name the base's folder or GGUF file with"):
        export_adapter(adapter, ["F16"], tmp_path)


def test_an_adapter_is_written_in_no_other_type_than_f16_and_f32(adapter: Path, tmp_path: Path):
    with pytest.raises(InputError, match="an adapter is not written as Q4_0; choose from F32, F16"):
        export_adapter(adapter, ["F16", "Q4_0"], tmp_path / "gguf")
    assert not (tmp_path / "gguf").exists()


def test_an_adapter_trained_here_is_asked_in_its_own_way_and_without_an_opening_token(tmp_path: Path):
    tokenizer = sentencepiece_tokenizer()
    tokenizer.chat_template = "{% for m in messages %}base {{ m.content }}{% endfor %}"
    base = save_tiny(tmp_path / "base", "llama", tokenizer)
    adapter = save_adapter(base, tmp_path / "adapter", tmp_path / "merged")
    told = {"prompt_style": "compact", "tools": desk_toolbox().as_openai(), "copied": ["split_bill.note"]}
    told |= {"speaks": True}
    template = "{% for m in messages %}tuned {{ m.content }}{% endfor %}"
    for folder in (adapter, tmp_path / "merged"):
        (folder / "lamina.json").write_text(json.dumps(told | {"base": str(base)}))
        (folder / "chat_template.jinja").write_text(template)
    export_gguf(base, tmp_path / "base.gguf", "F32")
    export_gguf(tmp_path / "merged", tmp_path / "merged.gguf", "F32")
    (file,) = export_adapter(adapter, ["F32"], tmp_path)
    assert gguf_metadata(tmp_path / "base.gguf")["tokenizer.ggml.add_bos_token"] is True
    ref = f"{tmp_path / 'base.gguf'}+{file['path']}"
    ours, merged = facts_of(ref), facts_of(str(tmp_path / "merged.gguf"))
    assert replace(ours, toolbox=None) == replace(merged, toolbox=None)
    assert ours.toolbox is not None
    assert ours.toolbox.names == desk_toolbox().names
    assert ours.speaks
    asked = Request([Message(role="user", content="Split the total")], style="plain", max_tokens=8)
    found = []
    for model in (open_model(ref, threads=1, slots=1), open_model(str(tmp_path / "merged.gguf"), threads=1, slots=1)):
        (reply,) = model.generate([asked])
        found.append((model.prompt_style, model.prompt_for(asked), reply.prompt_tokens, reply.text))
        model.close()
    assert found[0] == found[1]
    assert found[0][1].startswith("tuned")
