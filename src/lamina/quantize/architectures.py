"""The architectures that can be exported: how llama.cpp names each, what it wants otherwise than Transformers saves
it, and what it cannot compute as the model does, which is refused.

Names of tensors are those of the ``gguf`` library's maps, metadata keys llama.cpp's."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lamina.errors import InputError
from lamina.quantize.ggml import Array
from lamina.tools.tool import JSON

NEEDED = (
    "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "max_position_embeddings",
    "rms_norm_eps",
)  # fmt: skip
"""What a configuration must say: that of a part often leaves out what is the default of its architecture."""
NEAR_THETA = 10_000.0
"""Of Gemma's layers with a window, where a configuration does not say it."""
ROPES = ("default", "linear", "llama3")


@dataclass(frozen=True)
class Architecture:
    """``gguf`` is llama.cpp's name. ``paired``: it wants the rows of queries and keys in pairs; ``theta``: the base of
    the rotation where a configuration does not say it; ``needed``: keys beside ``NEEDED``; ``windowed``: a
    ``sliding_window`` is in use wherever it is said; ``norm_shift``: what the model adds to the weights of its norms,
    and llama.cpp doesn't."""

    gguf: str
    paired: bool = False
    theta: float = 10_000.0
    activation: str = "silu"
    needed: tuple[str, ...] = ()
    windowed: bool = False
    norm_shift: float = 0.0


ARCHITECTURES = {
    "llama": Architecture("llama", paired=True),
    "mistral": Architecture("llama", paired=True, windowed=True),
    "mixtral": Architecture(
        "llama", paired=True, theta=1e6, needed=("num_local_experts", "num_experts_per_tok"), windowed=True
    ),
    "qwen2": Architecture("qwen2"),
    "qwen3": Architecture("qwen3", needed=("head_dim",)),
    "gemma3_text": Architecture(
        "gemma3",
        theta=1e6,
        activation="gelu_pytorch_tanh",
        norm_shift=1.0,
        needed=("head_dim", "query_pre_attn_scalar", "sliding_window"),
    ),
}
"""By the ``model_type`` of a configuration."""


def architecture_of(config: JSON, file: Path) -> Architecture:
    """Raises InputError for an architecture, or a kind of one, that llama.cpp would not compute as the model does."""
    found = ARCHITECTURES.get(str(config.get("model_type")))
    if found is None:
        raise InputError(
            f"architecture {config.get('model_type')} cannot be exported",
            file=file,
            mend=f"{', '.join(ARCHITECTURES)} can, and a llava of them",
        )
    if missing := [key for key in (*NEEDED, *found.needed) if config.get(key) is None]:
        raise InputError(
            f"does not say {', '.join(missing)}", file=file, mend="save the model with all of its settings"
        )
    rope = rope_of(config)
    if rope["rope_type"] not in ROPES:
        known = f"{', '.join(ROPES[:-1])} and {ROPES[-1]} can"
        raise InputError(f"rope type {rope['rope_type']} cannot be exported", file=file, mend=known)
    activation = config.get("hidden_activation") or config.get("hidden_act") or found.activation
    if activation != found.activation:
        raise InputError(f"activation {activation} cannot be exported", file=file, mend=f"{found.activation} can")
    if found.gguf == "gemma3" and (problem := _unlike_gemma(config)):
        raise InputError(f"{problem} cannot be exported", file=file, mend="text models as Google's Gemma 3 are can")
    return found


def _unlike_gemma(config: JSON) -> str | None:
    """What llama.cpp would not do: it has every sixth layer look back at all, and scales by the size of a head."""
    layers = range(1, config["num_hidden_layers"] + 1)
    every_sixth = ["full_attention" if n % 6 == 0 else "sliding_attention" for n in layers]
    pattern = config.get("sliding_window_pattern") or config.get("_sliding_window_pattern") or 6
    if config.get("layer_types", every_sixth) != every_sixth or pattern != 6:
        return "another order of layers that look back at all than every sixth"
    scale, size = config["query_pre_attn_scalar"], head_size(config)
    largest = config["num_hidden_layers"] == 62  # Gemma 3 27B alone scales by its width
    if scale != (config["hidden_size"] / config["num_attention_heads"] if largest else size):
        return f"query_pre_attn_scalar {scale}"
    if config.get("attn_logit_softcapping") or config.get("final_logit_softcapping"):
        return "softcapping of logits"
    if config.get("use_bidirectional_attention"):
        return "attention in both directions"
    near = rope_of(config, "sliding_attention")
    if isinstance(config.get("rope_parameters"), dict) and near["rope_type"] != "default":
        return f"rope type {near['rope_type']} of the layers that look back so far"
    return None


def rope_of(config: JSON, layers: str = "full_attention") -> JSON:
    """The rotation of those ``layers``, with its ``rope_type``; ``rope_theta`` where the configuration says it."""
    said: JSON = config.get("rope_parameters") or config.get("rope_scaling") or {}
    rope = dict(said.get(layers, said))
    rope["rope_type"] = rope.get("rope_type") or rope.get("type") or "default"
    rope["rope_theta"] = rope.get("rope_theta") or config.get("rope_theta")
    return rope


def rotation_factors(config: JSON) -> Array | None:
    """By what llama.cpp is to divide the frequency of each pair of a head (head size / 2 values), for Llama 3's
    rotation: fast ones are kept, slow ones slowed by ``factor``, those between in steps. None for other rotations."""
    rope = rope_of(config)
    if rope["rope_type"] != "llama3":
        return None
    size = head_size(config)
    theta = float(rope["rope_theta"] or ARCHITECTURES[config["model_type"]].theta)
    turns = theta ** -(np.arange(0, size, 2, dtype=np.float64) / size) / (2 * math.pi)
    trained = float(rope.get("original_max_position_embeddings") or config["max_position_embeddings"])
    slow, fast, factor = float(rope["low_freq_factor"]), float(rope["high_freq_factor"]), float(rope["factor"])
    kept = np.clip((turns * trained - slow) / (fast - slow), 0.0, 1.0)
    return (1.0 / ((1.0 - kept) / factor + kept)).astype(np.float32)


def context_length(config: JSON, architecture: Architecture) -> int:
    """Tokens that llama.cpp reads as the model does: for the architectures here it looks back at all of them, so that
    texts end with the window within which a model looks back."""
    longest, window = int(config["max_position_embeddings"]), config.get("sliding_window")
    windowed = architecture.windowed or config.get("use_sliding_window")
    return min(longest, int(window)) if windowed and window else longest


def head_size(config: JSON) -> int:
    return int(config.get("head_dim") or config["hidden_size"] // config["num_attention_heads"])


def paired_heads(architecture: Architecture, names: Iterable[str], heads: int, shared: int) -> dict[str, int]:
    """How many heads each of the tensors (GGUF names) has whose rows llama.cpp wants in pairs; ``shared``: of keys."""
    paired = {".attn_q.": heads, ".attn_k.": shared} if architecture.paired else {}
    return {name: n for name in names for mark, n in paired.items() if mark in name}


def tensor_names(architecture: Architecture, layers: int) -> Callable[[str], str | None]:
    """From names in a folder to those in a GGUF file; None for what has no place there."""
    from gguf import MODEL_ARCH, MODEL_ARCH_NAMES, get_tensor_name_map

    arch = next(key for key, name in MODEL_ARCH_NAMES.items() if name == architecture.gguf)
    assert isinstance(arch, MODEL_ARCH)
    names = get_tensor_name_map(arch, layers)

    def named(name: str) -> str | None:
        found: str | None = names.get_name(name, try_suffixes=(".weight", ".bias"))
        return found

    return named


def model_metadata(config: JSON, architecture: Architecture, vocabulary: int) -> JSON:
    """llama.cpp's keys and their values; ``vocabulary`` is the number of embeddings."""
    heads, size, rope = config["num_attention_heads"], head_size(config), rope_of(config)
    facts: dict[str, Any] = {
        "vocab_size": vocabulary,
        "block_count": config["num_hidden_layers"],
        "context_length": context_length(config, architecture),
        "embedding_length": config["hidden_size"],
        "feed_forward_length": config["intermediate_size"],
        "attention.head_count": heads,
        "attention.head_count_kv": config.get("num_key_value_heads") or heads,
        "attention.key_length": size,
        "attention.value_length": size,
        "attention.layer_norm_rms_epsilon": float(config["rms_norm_eps"]),
        "rope.dimension_count": size,
        "rope.freq_base": float(rope["rope_theta"] or architecture.theta),
    }
    if rope["rope_type"] == "linear":
        facts |= {"rope.scaling.type": "linear", "rope.scaling.factor": float(rope["factor"])}
    if architecture.gguf == "gemma3":
        near = (config.get("rope_parameters") or {}).get("sliding_attention", {}).get("rope_theta")
        facts |= {
            "attention.sliding_window": config["sliding_window"],
            "rope.freq_base_swa": float(near or config.get("rope_local_base_freq") or NEAR_THETA),
        }
    if "num_experts_per_tok" in architecture.needed:
        facts |= {"expert_count": config["num_local_experts"], "expert_used_count": config["num_experts_per_tok"]}
    return {f"{architecture.gguf}.{key}": value for key, value in facts.items()}
