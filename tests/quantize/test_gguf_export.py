"""A model exported to GGUF is the same model: same tokens, same greedy answers, known sizes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from lamina.errors import InputError, StorageError
from lamina.quantize import export_gguf, quantize_types
from tiny_llama import desk_toolbox, save_tiny_llama

PROMPT = "<|im_start|>user\nSplit 84 between four people,  please 3.5<|im_end|>\n<|im_start|>assistant\n"


def engine(file: Path):
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(file)
    params.n_ctx = 256
    params.n_parallel = 1
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 2
    params.verbosity = 0
    params.warmup = False
    return xllamacpp.Server(params)


def posted(server, path: str, body: dict):
    import httpx

    return httpx.post(server.listening_address + path, json=body, trust_env=False, timeout=60).json()


def greedy_tokens(folder: Path, n: int) -> list[int]:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModelForCausalLM.from_pretrained(folder)
    ids = torch.tensor([tokenizer.encode(PROMPT, add_special_tokens=False)])
    made = model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=n, do_sample=False)
    return made[0, ids.shape[1] :].tolist()


@pytest.mark.parametrize("architecture", ["llama", "qwen2"])
def test_the_export_answers_with_the_tokens_of_the_original(architecture: str, tmp_path: Path):
    folder = save_tiny_llama(tmp_path / architecture, architecture, seed=3)
    file = tmp_path / "m.gguf"
    export_gguf(folder, file, "F32")
    server = engine(file)
    body = {"prompt": PROMPT, "n_predict": 16, "temperature": 0, "return_tokens": True, "cache_prompt": False}
    answer = posted(server, "/completion", body)
    expected = greedy_tokens(folder, 16)
    assert len(set(expected)) > 3, "a constant answer would prove little"
    assert answer["tokens"] == expected[: len(answer["tokens"])]
    assert len(answer["tokens"]) >= 15 or 2 in expected


def test_text_is_cut_into_the_same_tokens(tiny: Path, tmp_path: Path):
    from transformers import AutoTokenizer

    export_gguf(tiny, tmp_path / "m.gguf", "F16")
    server, tokenizer = engine(tmp_path / "m.gguf"), AutoTokenizer.from_pretrained(tiny)
    for text in (PROMPT, "  12  ½ x² don't \n\n\t日本 é", "<|im_end|><|im_start|>"):
        body = {"content": text, "add_special": False, "parse_special": True}
        assert posted(server, "/tokenize", body)["tokens"] == tokenizer.encode(text, add_special_tokens=False)


def test_files_have_the_bits_their_type_promises(tiny: Path, tmp_path: Path):
    from gguf import GGUFReader

    bits = {"F16": 16, "Q8_0": 8.5, "Q5_1": 6, "Q5_0": 5.5, "Q4_1": 5, "Q4_0": 4.5, "IQ4_NL": 4.5}
    for file in quantize_types(tiny, list(bits), tmp_path / "gguf"):
        assert Path(file["path"]).stat().st_size == file["bytes"]
        tensors = {t.name: t for t in GGUFReader(file["path"]).tensors}
        layer = tensors["blk.1.ffn_up.weight"]
        assert layer.n_bytes * 8 / layer.n_elements == bits[file["type"]]
        assert tensors["token_embd.weight"].tensor_type.name == ("F16" if file["type"] == "F16" else "Q8_0")
        assert tensors["blk.1.ffn_norm.weight"].tensor_type.name == "F32"
        # llama.cpp wants the output layer in Q6_K, which rows of 64 do not fit
        assert file["fallbacks"] == ({} if file["type"] in ("F16", "Q8_0") else {"Q6_K -> Q8_0": 1})


def test_quantized_values_are_near_the_originals(tiny: Path, tmp_path: Path):
    from gguf import GGUFReader
    from gguf.quants import dequantize

    files = quantize_types(tiny, ["F32", "Q8_0", "Q4_0"], tmp_path)
    values = []
    for file in files:
        tensor = next(t for t in GGUFReader(file["path"]).tensors if t.name == "blk.0.attn_q.weight")
        values.append(dequantize(tensor.data, tensor.tensor_type))
    errors = [float(np.sqrt(((v - values[0]) ** 2).mean()) / values[0].std()) for v in values]
    assert 0 < errors[1] < 0.01 < errors[2] < 0.12


def test_every_type_loads_and_answers(tiny: Path, tmp_path: Path):
    for file in quantize_types(tiny, ["Q8_0", "Q4_0", "IQ4_NL"], tmp_path):
        answer = posted(engine(Path(file["path"])), "/completion", {"prompt": PROMPT, "n_predict": 4})
        assert isinstance(answer["content"], str), answer


def test_rows_too_narrow_for_a_type_fall_back_and_it_is_said(tiny: Path, tmp_path: Path):
    file = export_gguf(tiny, tmp_path / "m.gguf", "Q4_K_M")
    assert file["fallbacks"] == {"Q4_K -> Q5_0": 12, "Q6_K -> Q8_0": 3}


def test_the_file_says_how_its_model_is_to_be_asked(tiny: Path, tmp_path: Path):
    from lamina.models.metadata import facts_of

    folder = Path(shutil.copytree(tiny, tmp_path / "model"))
    facts = {"prompt_style": "baked", "tools": desk_toolbox().as_openai(), "base": "gone.gguf"}
    (folder / "lamina.json").write_text(json.dumps(facts))
    export_gguf(folder, tmp_path / "m.gguf")
    said = facts_of(str(tmp_path / "m.gguf"))
    assert said.prompt_style == "baked"
    assert said.toolbox is not None
    assert said.toolbox.fingerprint() == desk_toolbox().fingerprint()
    assert said.chat_template == (folder / "chat_template.jinja").read_text()


def test_bf16_weights_are_read(tiny: Path, tmp_path: Path):
    import torch
    from safetensors.torch import load_file, save_file

    from lamina.quantize.safetensors_reader import stored_tensors

    values = {k: v.to(torch.bfloat16) for k, v in load_file(tiny / "model.safetensors").items()}
    save_file(values, tmp_path / "model.safetensors")
    for name, stored in stored_tensors(tmp_path).items():
        assert np.array_equal(stored.read(), values[name].float().numpy())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"model_type": "mamba"}, "llama, mistral, .*qwen2, .* can"),
        ({"rope_parameters": {"rope_type": "yarn"}}, "rope type yarn"),
        ({"rope_parameters": None, "rope_scaling": {"type": "dynamic"}}, "rope type dynamic"),
    ],
)
def test_a_model_that_cannot_be_exported_is_refused(tiny: Path, tmp_path: Path, change: dict, said: str):
    folder = Path(shutil.copytree(tiny, tmp_path / "model"))
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | change))
    with pytest.raises(InputError, match=said):
        export_gguf(folder, tmp_path / "m.gguf")


def test_a_folder_that_is_no_model_or_is_damaged_is_refused(tiny: Path, tmp_path: Path):
    with pytest.raises(InputError, match=r"no config\.json"):
        export_gguf(tmp_path, tmp_path / "m.gguf")
    folder = Path(shutil.copytree(tiny, tmp_path / "model"))
    whole = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(whole[:-100])
    with pytest.raises(InputError, match="not a whole safetensors file"):
        export_gguf(folder, tmp_path / "m.gguf")
    (folder / "model.safetensors").write_bytes(b"garbage")
    with pytest.raises(InputError, match="not a whole safetensors file"):
        export_gguf(folder, tmp_path / "m.gguf")


def test_a_tokenizer_with_more_tokens_than_the_model_has_rows_is_refused(tiny: Path, tmp_path: Path):
    folder = Path(shutil.copytree(tiny, tmp_path / "model"))
    said = json.loads((folder / "tokenizer.json").read_text())
    size = json.loads((folder / "config.json").read_text())["vocab_size"]
    said["added_tokens"].append({**said["added_tokens"][0], "id": size, "content": "<call>"})
    (folder / "tokenizer.json").write_text(json.dumps(said))
    with pytest.raises(InputError, match=rf"last token is number {size}.*{size} rows.*resize_token_embeddings"):
        export_gguf(folder, tmp_path / "m.gguf")


def test_a_folder_without_settings_of_its_tokenizer_takes_the_marks_of_its_model(tiny: Path, tmp_path: Path):
    from gguf import GGUFReader

    folder = Path(shutil.copytree(tiny, tmp_path / "model"))
    (folder / "tokenizer_config.json").unlink()
    export_gguf(folder, tmp_path / "m.gguf")
    fields = GGUFReader(tmp_path / "m.gguf").fields
    assert [fields[f"tokenizer.ggml.{name}_token_id"].contents() for name in ("bos", "eos", "padding")] == [1, 2, 2]
    (folder / "tokenizer_config.json").write_text("[]")
    with pytest.raises(InputError, match=r"tokenizer_config\.json: not a JSON object"):
        export_gguf(folder, tmp_path / "m.gguf")


def test_heads_that_share_no_values_may_be_left_unsaid(tiny: Path, tmp_path: Path):
    from lamina.quantize.sources import source_of

    folder = Path(shutil.copytree(tiny, tmp_path / "model"))
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"num_key_value_heads": None}))
    assert source_of(folder).metadata["llama.attention.head_count_kv"] == config["num_attention_heads"]


def test_a_rotation_slowed_in_the_older_form_of_a_configuration_is_kept(tiny: Path, tmp_path: Path):
    from lamina.quantize.sources import source_of

    folder = Path(shutil.copytree(tiny, tmp_path / "model"))
    config = json.loads((folder / "config.json").read_text()) | {"rope_theta": 100_000.0}
    del config["rope_parameters"]
    (folder / "config.json").write_text(json.dumps(config | {"rope_scaling": {"type": "linear", "factor": 4.0}}))
    metadata = source_of(folder).metadata
    assert (metadata["llama.rope.scaling.type"], metadata["llama.rope.scaling.factor"]) == ("linear", 4.0)
    assert metadata["llama.rope.freq_base"] == 100_000.0


def test_an_unknown_type_is_refused_before_anything_is_written(tiny: Path, tmp_path: Path):
    with pytest.raises(InputError, match=r"Q3_X is no type.*Q8_0"):
        quantize_types(tiny, ["Q8_0", "Q3_X"], tmp_path / "gguf")
    assert not (tmp_path / "gguf").exists()


def test_a_full_disk_is_a_storage_error_and_leaves_no_half_file(tiny: Path, tmp_path: Path):
    import resource

    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, old[1]))
    try:
        with pytest.raises(StorageError, match=r"m\.gguf"):
            export_gguf(tiny, tmp_path / "m.gguf", "F32")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
    assert list(tmp_path.iterdir()) == []
