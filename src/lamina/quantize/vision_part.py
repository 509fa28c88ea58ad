"""The vision part of a model that sees as llama.cpp wants it: a GGUF file of its own (``mmproj``), the image encoder
and the projector into the language part's embeddings.

LLaVA as Transformers saves it: a SigLIP encoder and a projector of two layers. Names and metadata keys are those that
llama.cpp's ``clip`` reads for the projector type ``mlp``. Its weights are few: they are kept at 16 bits.

A CLIP encoder, as LLaVA-1.5 has it, is refused: it has a class token in front, and with one llama.cpp answered about
other images than the model does (docs/results/mobile.md; why was not proven). SigLIP has none, and answers agree."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np

from lamina.errors import InputError
from lamina.quantize.folder_source import SEEING, config_of
from lamina.quantize.ggml import Array
from lamina.quantize.safetensors_reader import StoredTensor, stored_tensors
from lamina.runs.files import storage_error
from lamina.tools.tool import JSON

TYPES = {"F16": 1, "F32": 0}
"""Types on offer, with llama.cpp's number for such a file."""
FILE = "mmproj-model-{type}.gguf"
"""Beside the language part, under the name by which it is found there."""
_SIGLIP: JSON = {
    "hidden_size": 768, "intermediate_size": 3072, "num_hidden_layers": 12, "num_attention_heads": 12,
    "image_size": 224, "patch_size": 16, "layer_norm_eps": 1e-6, "hidden_act": "gelu_pytorch_tanh",
}  # fmt: skip
"""SigLIP's defaults, for what a configuration leaves out."""
_ACTIVATIONS = ("gelu_pytorch_tanh", "gelu")
"""Both are llama.cpp's one ``gelu``, the approximation."""
_NAMES = {
    "embeddings.patch_embedding.weight": "v.patch_embd.weight",
    "embeddings.patch_embedding.bias": "v.patch_embd.bias",
    "embeddings.position_embedding.weight": "v.position_embd.weight",
    "layer_norm1": "ln1",
    "layer_norm2": "ln2",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.out_proj": "attn_out",
    "mlp.fc1": "ffn_up",
    "mlp.fc2": "ffn_down",
    "linear_1": "mm.0",
    "linear_2": "mm.2",
}


def export_vision_part(folder: Path, out_folder: Path, type: str = "F16") -> JSON:
    """Writes ``mmproj-model-TYPE.gguf`` and returns ``{"path", "type", "bytes"}``. Raises InputError for a folder
    whose vision part is of another build, StorageError."""
    config = config_of(folder)
    if config.get("model_type") not in SEEING:
        raise InputError("has no vision part that can be exported", file=folder, mend=f"{', '.join(SEEING)} has one")
    if type.upper() not in TYPES:
        raise InputError(f"{type} is no type for a vision part", mend=f"choose from {', '.join(TYPES)}")
    vision = {**_SIGLIP, **config["vision_config"]}
    _refuse_unsupported(config, vision, folder)
    stored = stored_tensors(folder)
    last = feature_layer(config, vision)
    tensors = {
        name: tensor for stored_as, tensor in stored.items() if (name := _gguf_name(stored_as, last)) is not None
    }
    out_file = Path(out_folder) / FILE.format(type=type.upper())
    temporary = out_file.with_name(out_file.name + ".tmp")
    try:
        Path(out_folder).mkdir(parents=True, exist_ok=True)
        _write(temporary, type.upper(), _metadata(config, vision, folder), tensors)
        temporary.replace(out_file)
        return {"path": str(out_file), "type": type.upper(), "bytes": out_file.stat().st_size}
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise storage_error(out_file, error) from error


def feature_layer(config: JSON, vision: JSON) -> int:
    """After how many layers of the encoder the features are taken: the -2 of LLaVA leaves the last one out."""
    layers, said = vision["num_hidden_layers"], config.get("vision_feature_layer", -2)
    return int(said if said >= 0 else layers + 1 + said)


def _refuse_unsupported(config: JSON, vision: JSON, folder: Path) -> None:
    file = folder / "config.json"
    said = config.get("vision_feature_layer", -2)
    problem = None
    if vision.get("model_type") != "siglip_vision_model":
        problem = f"image encoder {vision.get('model_type')} cannot be exported", "siglip_vision_model can"
    elif vision["hidden_act"] not in _ACTIVATIONS:
        problem = f"activation {vision['hidden_act']} of the image encoder cannot be exported", "gelu can"
    elif config.get("projector_hidden_act", "gelu") != "gelu":
        problem = f"activation {config['projector_hidden_act']} of the projector cannot be exported", "gelu can"
    elif config.get("vision_feature_select_strategy", "default") != "full":
        problem = "a part of the patches cannot be exported", "vision_feature_select_strategy 'full' can"
    elif not isinstance(said, int) or not 1 <= feature_layer(config, vision) < vision["num_hidden_layers"]:
        problem = f"features of layer {said} cannot be exported", "one layer before the last can"
    if problem is not None:
        raise InputError(problem[0], file=file, mend=problem[1])


def _metadata(config: JSON, vision: JSON, folder: Path) -> JSON:
    mean, deviation = _pixel_scale(folder)
    facts = {
        "image_size": vision["image_size"],
        "patch_size": vision["patch_size"],
        "embedding_length": vision["hidden_size"],
        "feed_forward_length": vision["intermediate_size"],
        "projection_dim": config["text_config"]["hidden_size"],
        "block_count": feature_layer(config, vision),
        "attention.head_count": vision["num_attention_heads"],
        "attention.layer_norm_epsilon": float(vision["layer_norm_eps"]),
        "image_mean": mean,
        "image_std": deviation,
        "feature_layer": [feature_layer(config, vision)],
    }
    return {
        "general.name": folder.resolve().name,
        "clip.has_vision_encoder": True,
        "clip.projector_type": "mlp",
        "clip.use_gelu": True,
        **{f"clip.vision.{key}": value for key, value in facts.items()},
    }


def _pixel_scale(folder: Path) -> tuple[list[float], list[float]]:
    """Mean and deviation of each colour, which the folder's processor takes off its pixels."""
    for name in ("processor_config.json", "preprocessor_config.json"):
        file = folder / name
        if not file.is_file():
            continue
        try:
            said: JSON = json.loads(file.read_text("utf-8"))
        except ValueError:
            raise InputError("not JSON", file=file, mend="save the processor again") from None
        said = said.get("image_processor", said)
        if "image_mean" in said and "image_std" in said:
            return [float(x) for x in said["image_mean"]], [float(x) for x in said["image_std"]]
    raise InputError("no processor of images in it", file=folder, mend="save the model's processor beside it")


def _gguf_name(name: str, layers: int) -> str | None:
    """None for what llama.cpp has no use for: the language part, and the encoder beyond its features."""
    for start in ("model.", "vision_tower.", "vision_model.", "multi_modal_projector."):
        name = name.removeprefix(start)
    if name in _NAMES:
        return _NAMES[name]
    stem, _, kind = name.rpartition(".")
    if stem in _NAMES:
        return f"{_NAMES[stem]}.{kind}"
    parts = stem.split(".", 3)
    if parts[:2] == ["encoder", "layers"] and len(parts) == 4 and int(parts[2]) < layers:
        return f"v.blk.{parts[2]}.{_NAMES[parts[3]]}.{kind}"
    return None


def _write(file: Path, type: str, metadata: JSON, tensors: dict[str, StoredTensor]) -> None:
    from gguf import GGUFWriter

    from lamina.quantize.gguf_export import add_metadata, write_small_file

    writer = GGUFWriter(file, "clip")
    writer.add_type("mmproj")
    writer.add_file_type(TYPES[type])
    writer.add_quantization_version(2)
    for key, value in metadata.items():
        add_metadata(writer, key, value)
    for name, tensor in tensors.items():
        writer.add_tensor(name, _values(name, tensor, type))
    write_small_file(writer)


def _values(name: str, tensor: StoredTensor, type: str) -> Array:
    """Vectors stay at 32 bits, and so do position embeddings, which llama.cpp looks up row by row."""
    values = tensor.read()
    plain = type == "F32" or math.prod(tensor.shape) == tensor.shape[-1] or name == "v.position_embd.weight"
    return values if plain else values.astype(np.float16)
