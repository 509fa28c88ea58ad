"""A Transformers folder to GGUF files that llama.cpp runs, one for each precision asked for.

Format: the GGUF specification, version 3; names and metadata keys are llama.cpp's for the architectures ``llama`` and
``qwen2``.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lamina.errors import InputError
from lamina.quantize.calibrated import calibrated
from lamina.quantize.calibration import Calibration
from lamina.quantize.ggml import Array, byte_count, quantized
from lamina.quantize.grids import training_lost
from lamina.quantize.precisions import Layout, Precision, kind_of, precision
from lamina.quantize.safetensors_reader import StoredTensor, stored_tensors
from lamina.quantize.vocabulary import tokenizer_metadata
from lamina.runs.files import storage_error
from lamina.tools.tool import JSON

ARCHITECTURES = ("llama", "qwen2")

UNCALIBRATED = ("F32", "F16", "Q8_0")
"""Types that a calibration does not make better."""

_NAMES = {
    "model.embed_tokens": "token_embd",
    "model.norm": "output_norm",
    "lm_head": "output",
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}


@dataclass(frozen=True)
class Source:
    """A model folder, read once for all precisions. ``tensors`` has GGUF names, ``stored_as`` says what each of
    them is called in the folder."""

    folder: Path
    config: JSON
    metadata: JSON
    tensors: dict[str, StoredTensor]
    stored_as: dict[str, str]

    def layout(self, weighted: bool) -> Layout:
        heads = self.config["num_attention_heads"]
        return Layout(
            layers=int(self.config["num_hidden_layers"]),
            tied="output.weight" not in self.tensors,
            queries_per_value=heads // self.config.get("num_key_value_heads", heads),
            experts=self.config.get("num_local_experts", 1),
            weighted=weighted,
        )


def export_gguf(
    model_folder: Path, out_file: Path, type: str = "F16", calibration: Calibration | None = None
) -> JSON:
    """Writes one GGUF file and returns ``{"path", "type", "bytes", "bits_per_weight", "calibrated", "fallbacks"}``;
    ``bits_per_weight`` counts all tensors, ``fallbacks`` those whose rows do not fit the type, by ``"wanted -> taken"``.

    Raises InputError for a folder that is no supported model or a type not on offer, StorageError."""
    return _write(_source(Path(model_folder)), Path(out_file), precision(type), calibration)


def quantize_types(
    model_folder: Path,
    types: Sequence[str],
    out_folder: Path,
    on_file: Callable[[JSON], None] | None = None,
    calibration: Calibration | None = None,
) -> list[JSON]:
    """One ``NAME-TYPE.gguf`` in ``out_folder`` for each type; results as of ``export_gguf``, in order, and with them
    ``warning``, a sentence where the type undoes the training; each is also given to ``on_file`` as it is done. All
    types are checked before the first is written. With a ``calibration`` the types under 8 bits are rounded with it."""
    chosen = [precision(name) for name in types]
    source = _source(Path(model_folder))
    try:
        Path(out_folder).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise storage_error(out_folder, error) from error
    files = []
    for one in chosen:
        written = _write(source, Path(out_folder) / f"model-{one.name}.gguf", one, calibration)
        warning = None if written["calibrated"] else training_lost(Path(model_folder), one.name)
        files.append({**written, "warning": warning})
        if on_file is not None:
            on_file(files[-1])
    return files


def _source(folder: Path) -> Source:
    try:
        config: JSON = json.loads((folder / "config.json").read_text("utf-8"))
    except OSError:
        raise InputError("there is no config.json", file=folder, mend="give a Transformers folder") from None
    except ValueError:
        raise InputError("not JSON", file=folder / "config.json", mend="save the model again") from None
    _refuse_unsupported(config, folder)
    stored = stored_tensors(folder)
    stored_as = {_gguf_name(name, folder): name for name in stored}
    tensors = {ours: stored[name] for ours, name in stored_as.items()}
    if config.get("tie_word_embeddings"):
        tensors.pop("output.weight", None)
    size = tensors["token_embd.weight"].shape[0]
    metadata = _model_metadata(config, folder, size) | tokenizer_metadata(folder, size) | _own_metadata(folder)
    return Source(folder, config, metadata, tensors, stored_as)


def _refuse_unsupported(config: JSON, folder: Path) -> None:
    file = folder / "config.json"
    if config.get("model_type") not in ARCHITECTURES:
        supported = " and ".join(ARCHITECTURES)
        raise InputError(
            f"architecture {config.get('model_type')} cannot be exported", file=file, mend=f"{supported} can"
        )
    rope = config.get("rope_parameters") or config.get("rope_scaling") or {}
    kind = rope.get("rope_type", "default")
    if kind not in ("default", "linear"):
        raise InputError(f"rope type {kind} cannot be exported", file=file, mend="default and linear can")
    if config.get("hidden_act", "silu") != "silu":
        raise InputError(f"activation {config['hidden_act']} cannot be exported", file=file, mend="silu can")


def _gguf_name(name: str, folder: Path) -> str:
    """``model.layers.3.mlp.up_proj.weight`` is ``blk.3.ffn_up.weight``."""
    stem, kind = name.rsplit(".", 1)
    if stem in _NAMES:
        return f"{_NAMES[stem]}.{kind}"
    parts = stem.split(".", 3)
    if parts[:2] == ["model", "layers"] and len(parts) == 4 and parts[3] in _NAMES:
        return f"blk.{parts[2]}.{_NAMES[parts[3]]}.{kind}"
    raise InputError(f"tensor {name} has no place in a GGUF file", file=folder, mend="merge adapters first")


def _model_metadata(config: JSON, folder: Path, vocabulary: int) -> JSON:
    arch, heads = config["model_type"], config["num_attention_heads"]
    head_size = config.get("head_dim") or config["hidden_size"] // heads
    rope = config.get("rope_parameters") or config.get("rope_scaling") or {}
    facts: JSON = {
        "vocab_size": vocabulary,
        "block_count": config["num_hidden_layers"],
        "context_length": config["max_position_embeddings"],
        "embedding_length": config["hidden_size"],
        "feed_forward_length": config["intermediate_size"],
        "attention.head_count": heads,
        "attention.head_count_kv": config.get("num_key_value_heads", heads),
        "attention.key_length": head_size,
        "attention.value_length": head_size,
        "attention.layer_norm_rms_epsilon": float(config["rms_norm_eps"]),
        "rope.dimension_count": head_size,
        "rope.freq_base": float(rope.get("rope_theta") or config.get("rope_theta", 10000.0)),
    }
    if rope.get("rope_type") == "linear":
        facts |= {"rope.scaling.type": "linear", "rope.scaling.factor": float(rope["factor"])}
    return {"general.name": folder.resolve().parent.name} | {f"{arch}.{key}": value for key, value in facts.items()}


def _own_metadata(folder: Path) -> JSON:
    """The chat template, and what Lamina wrote beside the model."""
    found: JSON = {}
    template = folder / "chat_template.jinja"
    if template.is_file():
        found["tokenizer.chat_template"] = template.read_text("utf-8")
    ours = folder / "lamina.json"
    if ours.is_file():
        facts = json.loads(ours.read_text("utf-8"))
        found["lamina.prompt_style"] = facts["prompt_style"]
        found["lamina.tools"] = json.dumps(facts["tools"], ensure_ascii=False)
    return found


def _write(source: Source, out_file: Path, chosen: Precision, calibration: Calibration | None) -> JSON:
    if chosen.name in UNCALIBRATED:
        calibration = None
    layout = source.layout(weighted=calibration is not None)
    kinds: dict[str, str] = {}
    fallbacks: dict[str, int] = {}
    for name, tensor in source.tensors.items():
        kinds[name], wanted = kind_of(name, tensor.shape, chosen, layout)
        if wanted:
            told = f"{wanted} -> {kinds[name]}"
            fallbacks[told] = fallbacks.get(told, 0) + 1
    ready = _calibrated(source, kinds, calibration) if calibration else {}
    weighed = bool(ready)
    temporary = out_file.with_name(out_file.name + ".tmp")
    try:
        _write_tensors(source, temporary, chosen, kinds, ready)
        temporary.replace(out_file)
        size = out_file.stat().st_size
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise storage_error(out_file, error) from error
    return {
        "path": str(out_file),
        "type": chosen.name,
        "bytes": size,
        "bits_per_weight": _bits_per_weight(source, kinds),
        "calibrated": weighed,
        "fallbacks": fallbacks,
    }


def _calibrated(source: Source, kinds: dict[str, str], calibration: Calibration) -> dict[str, Array]:
    by_folder = {source.stored_as[name]: kind for name, kind in kinds.items()}
    made = calibrated(source.folder, calibration, by_folder)
    return {name: made[stored] for name, stored in source.stored_as.items() if stored in made}


def _bits_per_weight(source: Source, kinds: dict[str, str]) -> float:
    weights = sum(math.prod(tensor.shape) for tensor in source.tensors.values())
    size = sum(byte_count(kinds[name], tensor.shape) for name, tensor in source.tensors.items())
    return round(size * 8 / weights, 2)


def _write_tensors(
    source: Source, file: Path, chosen: Precision, kinds: dict[str, str], ready: dict[str, Array]
) -> None:
    from gguf import GGUFWriter
    from gguf.constants import GGMLQuantizationType

    writer = GGUFWriter(file, source.config["model_type"])
    writer.add_type("model")
    writer.add_file_type(chosen.file_type)
    writer.add_quantization_version(2)
    for key, value in source.metadata.items():
        _add(writer, key, value)
    for name, tensor in source.tensors.items():
        size = byte_count(kinds[name], tensor.shape)
        plain = np.dtype(np.float32)  # shapes are given in values, not in bytes
        writer.add_tensor_info(name, tensor.shape, plain, size, GGMLQuantizationType[kinds[name]])

    def made(name: str) -> Array:
        if name in ready:
            return np.ascontiguousarray(_ordered(ready.pop(name), name, source))
        return quantized(_ordered(source.tensors[name].read(), name, source), kinds[name])

    try:
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_ti_data_to_file()
        with ThreadPoolExecutor(2) as pool:
            for values in pool.map(made, source.tensors):
                writer.write_tensor_data(values)
    finally:
        writer.close()


def _ordered(rows: Array, name: str, source: Source) -> Array:
    """Values or bytes of a tensor with its rows in the order that llama.cpp wants."""
    if source.config["model_type"] == "llama" and (".attn_q." in name or ".attn_k." in name):
        key = "num_attention_heads" if ".attn_q." in name else "num_key_value_heads"
        return _interleaved(rows, source.config.get(key) or source.config["num_attention_heads"])
    return rows


def _interleaved(values: Array, heads: int) -> Array:
    """Rows of each head reordered from halves (Transformers) to pairs (llama.cpp's rotation for ``llama``)."""
    half = values.shape[0] // heads // 2
    return values.reshape(heads, 2, half, *values.shape[1:]).swapaxes(1, 2).reshape(values.shape)


def _add(writer: Any, key: str, value: Any) -> None:
    if isinstance(value, bool):
        writer.add_bool(key, value)
    elif isinstance(value, int):
        writer.add_uint32(key, value)
    elif isinstance(value, float):
        writer.add_float32(key, value)
    elif isinstance(value, str):
        writer.add_string(key, value)
    else:
        writer.add_array(key, value)
