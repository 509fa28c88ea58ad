"""What a GGUF file is made from: a Transformers folder, or another GGUF file. Both give the same four things: metadata,
tensors under llama.cpp's names, the facts that its mixed types go by, and the order of rows it wants.

Names and metadata keys are llama.cpp's for the architectures ``llama`` and ``qwen2``. Of a model that sees (LLaVA) this
is the language part; ``vision_part`` writes the other."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from lamina.errors import InputError
from lamina.models.templates import without_marks
from lamina.quantize.ggml import Array, dequantized
from lamina.quantize.precisions import Layout
from lamina.quantize.safetensors_reader import stored_tensors
from lamina.quantize.vocabulary import tokenizer_metadata
from lamina.tools.tool import JSON

ARCHITECTURES = ("llama", "qwen2")
SEEING = ("llava",)
"""Architectures of a vision part and a language part, which is one of ``ARCHITECTURES``."""
LANGUAGE = ("language_model.model.", "model.language_model.")
"""How the names of a language part's tensors begin in the folder, then as ``model.`` alone."""

NEEDED = (
    "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "max_position_embeddings",
    "rms_norm_eps",
)  # fmt: skip
"""What a configuration must say: that of a part often leaves out what is the default of its architecture."""

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


class Stored(Protocol):
    @property
    def shape(self) -> tuple[int, ...]: ...

    def read(self) -> Array:
        """The values in float32."""
        ...


@dataclass(frozen=True)
class Source:
    """A model, read once for all types. ``tensors`` has GGUF names; ``stored_as`` says what each is called in the
    folder, and ``heads`` how many heads each matrix has whose rows llama.cpp wants in pairs."""

    path: Path
    architecture: str
    metadata: JSON
    tensors: dict[str, Stored]
    layers: int
    queries_per_value: int = 1
    experts: int = 1
    stored_as: dict[str, str] = field(default_factory=dict)
    heads: dict[str, int] = field(default_factory=dict)

    def layout(self, weighted: bool) -> Layout:
        tied = "output.weight" not in self.tensors
        return Layout(self.layers, tied, self.queries_per_value, self.experts, weighted)

    def ordered(self, rows: Array, name: str) -> Array:
        """Values or bytes of a tensor with its rows in the order that llama.cpp wants: those of each head in pairs
        instead of halves (its rotation for ``llama``)."""
        if name not in self.heads:
            return rows
        half = rows.shape[0] // self.heads[name] // 2
        parts = rows.reshape(self.heads[name], 2, half, *rows.shape[1:])
        return np.ascontiguousarray(parts.swapaxes(1, 2).reshape(rows.shape))


def source_of(path: Path) -> Source:
    """Raises InputError for what is neither a model folder that can be exported nor a whole GGUF file."""
    return _of_file(path) if path.suffix == ".gguf" else _of_folder(path)


@dataclass(frozen=True)
class _GgufTensor:
    """``data`` is a map of the file; ggml writes the fastest axis first, numpy last."""

    data: Array
    kind: str
    shape: tuple[int, ...]

    def read(self) -> Array:
        return dequantized(self.data, self.kind).reshape(self.shape)


def _of_file(path: Path) -> Source:
    from gguf import GGUFReader

    try:
        reader = GGUFReader(path)
    except (OSError, ValueError, KeyError, IndexError) as error:
        raise InputError(f"not a readable GGUF file ({error})", file=path, mend="download it again") from None
    metadata: JSON = {}
    for key, found in reader.fields.items():
        if not key.startswith(("GGUF.", "general.file_type", "general.quantization_version", "general.architecture")):
            member = found.types[-1] if len(found.types) > 1 else None
            metadata[key] = Typed(found.contents(), found.types[0], member)
    architecture = str(reader.fields["general.architecture"].contents())

    def number(key: str, otherwise: int) -> int:
        typed = metadata.get(f"{architecture}.{key}")
        return int(typed.value) if typed else otherwise

    tensors: dict[str, Stored] = {
        t.name: _GgufTensor(t.data, t.tensor_type.name, tuple(int(n) for n in reversed(t.shape)))
        for t in reader.tensors
    }
    heads = number("attention.head_count", 1)
    shared = heads // number("attention.head_count_kv", heads)
    layers, experts = number("block_count", 0), max(1, number("expert_count", 1))
    return Source(path, architecture, metadata, tensors, layers, shared, experts)


@dataclass(frozen=True)
class Typed:
    """A value of a GGUF file with the type it has there (and that of its members)."""

    value: Any
    kind: Any
    member: Any = None


def sees(folder: Path) -> bool:
    """Whether the folder holds a model with a vision part that can be exported."""
    return (folder / "config.json").is_file() and config_of(folder).get("model_type") in SEEING


def config_of(folder: Path) -> JSON:
    """Raises InputError for a folder without a readable ``config.json``."""
    try:
        config: JSON = json.loads((folder / "config.json").read_text("utf-8"))
    except OSError:
        raise InputError("there is no config.json", file=folder, mend="give a Transformers folder") from None
    except ValueError:
        raise InputError("not JSON", file=folder / "config.json", mend="save the model again") from None
    return config


def _language_part(config: JSON, stored: Mapping[str, Stored]) -> tuple[JSON, dict[str, Stored]]:
    """The configuration and tensors of the language part of a model that sees, named as if it were alone."""
    found: dict[str, Stored] = {}
    for name, tensor in stored.items():
        if name.endswith("lm_head.weight"):
            found["lm_head.weight"] = tensor
        for start in LANGUAGE:
            if name.startswith(start):
                found[f"model.{name.removeprefix(start)}"] = tensor
    tied = config.get("tie_word_embeddings") or config["text_config"].get("tie_word_embeddings", False)
    return {**config["text_config"], "tie_word_embeddings": tied}, found


def _of_folder(folder: Path) -> Source:
    config = config_of(folder)
    stored: Mapping[str, Stored] = stored_tensors(folder)
    if config.get("model_type") in SEEING:
        config, stored = _language_part(config, stored)
    _refuse_unsupported(config, folder)
    stored_as = {_gguf_name(name, folder): name for name in stored}
    if config.get("tie_word_embeddings"):
        stored_as.pop("output.weight", None)
    tensors: dict[str, Stored] = {ours: stored[name] for ours, name in stored_as.items()}
    size = tensors["token_embd.weight"].shape[0]
    metadata = _model_metadata(config, folder, size) | tokenizer_metadata(folder, size) | _own_metadata(folder)
    heads = config["num_attention_heads"]
    shared_heads = config.get("num_key_value_heads") or heads
    paired = {".attn_q.": heads, ".attn_k.": shared_heads} if config["model_type"] == "llama" else {}
    return Source(
        path=folder,
        architecture=config["model_type"],
        metadata=metadata,
        tensors=tensors,
        layers=int(config["num_hidden_layers"]),
        queries_per_value=heads // shared_heads,
        experts=config.get("num_local_experts", 1),
        stored_as=stored_as,
        heads={name: n for name in tensors for mark, n in paired.items() if mark in name},
    )


def _refuse_unsupported(config: JSON, folder: Path) -> None:
    file = folder / "config.json"
    if config.get("model_type") not in ARCHITECTURES:
        supported = " and ".join(ARCHITECTURES)
        raise InputError(
            f"architecture {config.get('model_type')} cannot be exported",
            file=file,
            mend=f"{supported} can, and {' and '.join(SEEING)} of them",
        )
    if missing := [key for key in NEEDED if key not in config]:
        raise InputError(
            f"does not say {', '.join(missing)}", file=file, mend="save the model with all of its settings"
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
        found["tokenizer.chat_template"] = without_marks(template.read_text("utf-8"))
    ours = folder / "lamina.json"
    if ours.is_file():
        facts = json.loads(ours.read_text("utf-8"))
        found["lamina.prompt_style"] = facts["prompt_style"]
        found["lamina.tools"] = json.dumps(facts["tools"], ensure_ascii=False)
        found["lamina.copied"] = json.dumps(facts.get("copied", []), ensure_ascii=False)
    return found
