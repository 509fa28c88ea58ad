"""The file types on offer, and which tensor of a file gets which ggml type.

The rules are llama.cpp's (``llama_tensor_get_type``): a ``_M`` type keeps the tensors that matter most (values of the
attention, the second matrix of the feed-forward, the output layer) at more bits, and a type whose blocks do not fit
a row falls back to one of 32 values a block."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lamina.errors import InputError
from lamina.quantize.ggml import block_size


@dataclass(frozen=True)
class Precision:
    """``kind`` is the ggml type of most tensors, ``file_type`` llama.cpp's number for such a file."""

    name: str
    kind: str
    file_type: int


PRECISIONS = {
    p.name: p
    for p in (
        Precision("F32", "F32", 0),
        Precision("F16", "F16", 1),
        Precision("Q8_0", "Q8_0", 7),
        Precision("Q6_K", "Q6_K", 18),
        Precision("Q5_1", "Q5_1", 9),
        Precision("Q5_0", "Q5_0", 8),
        Precision("Q5_K_M", "Q5_K", 17),
        Precision("Q5_K_S", "Q5_K", 16),
        Precision("Q4_1", "Q4_1", 3),
        Precision("Q4_0", "Q4_0", 2),
        Precision("IQ4_NL", "IQ4_NL", 25),
        Precision("IQ4_XS", "IQ4_XS", 30),
        Precision("Q4_K_M", "Q4_K", 15),
        Precision("Q4_K_S", "Q4_K", 14),
        Precision("Q3_K_M", "Q3_K", 12),
        Precision("Q3_K_S", "Q3_K", 11),
        Precision("Q2_K", "Q2_K", 10),
    )
}

FALLBACKS = {
    "Q6_K": "Q8_0", "Q5_K": "Q5_1", "Q4_K": "Q5_0", "IQ4_XS": "IQ4_NL", "Q3_K": "IQ4_NL", "Q2_K": "IQ4_NL"
}  # fmt: skip
"""K types need rows of a multiple of 256 values, these of 32."""

PLAIN = ("F32", "F16")


@dataclass(frozen=True)
class Layout:
    """What the rules ask of a model. ``queries_per_value`` is the number of query heads that share a value head;
    ``tied`` means that the embedding is the output layer too."""

    layers: int
    tied: bool
    queries_per_value: int = 1
    experts: int = 1
    weighted: bool = False
    """Whether an importance matrix is used: some rules are there for its absence."""


def precision(name: str) -> Precision:
    """Raises InputError for a name that is not on offer."""
    found = PRECISIONS.get(name.upper())
    if found is None:
        raise InputError(f"{name} is no type for a GGUF file", mend=f"choose from {', '.join(PRECISIONS)}")
    return found


def precisions(names: Sequence[str]) -> list[Precision]:
    """Raises InputError for a name that is not on offer, and where there is none."""
    if not names:
        raise InputError("no type for a GGUF file is named", mend=f"choose from {', '.join(PRECISIONS)}")
    return [precision(name) for name in names]


def kind_of(name: str, shape: tuple[int, ...], chosen: Precision, layout: Layout) -> tuple[str, str | None]:
    """The ggml type of one tensor (GGUF name, numpy shape), and the type it would have had where its rows do not
    fit that one's blocks."""
    if len(shape) == 1 or "ffn_gate_inp" in name:  # norms, biases, the router of a mixture of experts
        return "F32", None
    wanted = _wanted(name, chosen, layout)
    kind = wanted
    while shape[-1] % block_size(kind):
        kind = FALLBACKS.get(kind, "F16")
    return kind, wanted if kind != wanted else None


def _wanted(name: str, chosen: Precision, layout: Layout) -> str:
    if chosen.kind in PLAIN:
        return chosen.kind
    if name == "output.weight" or (layout.tied and name == "token_embd.weight"):
        return "Q8_0" if chosen.kind == "Q8_0" else "Q6_K"
    if not name.startswith("blk."):
        return chosen.kind
    part, layer = name.split(".")[2], int(name.split(".")[1])
    if part == "attn_v":
        return _value_matrix(chosen, layer, layout)
    if layout.experts == 8 and part == "attn_k":
        return "Q8_0"
    if part == "attn_output":
        return _output_matrix(chosen, layout)
    if part.startswith("ffn_down"):
        return _down_matrix(chosen, layer, layout)
    return chosen.kind


def _value_matrix(chosen: Precision, layer: int, layout: Layout) -> str:
    if layout.experts == 8:
        return "Q8_0"
    shared = layout.queries_per_value >= 4
    if chosen.name == "Q2_K":
        return "Q4_K" if shared else "Q3_K"
    if chosen.name == "Q3_K_M":
        return "Q5_K" if layer < 2 else "Q4_K"
    if chosen.name in ("IQ4_NL", "IQ4_XS") and shared:
        return "Q5_K"
    if chosen.name in ("Q4_K_M", "Q5_K_M") and more_bits(layer, layout.layers):
        return "Q6_K"
    return "Q5_K" if chosen.name == "Q4_K_S" and layer < 4 else chosen.kind


def _output_matrix(chosen: Precision, layout: Layout) -> str:
    if layout.experts == 8:
        better = ("Q2_K", "Q3_K_S", "Q3_K_M", "Q4_K_S", "Q4_K_M", "IQ4_NL", "IQ4_XS")
        return "Q5_K" if chosen.name in better else chosen.kind
    return {"Q2_K": "Q3_K", "Q3_K_M": "Q4_K"}.get(chosen.name, chosen.kind)


def _down_matrix(chosen: Precision, layer: int, layout: Layout) -> str:
    first_eighth = layer < layout.layers // 8
    if chosen.name == "Q2_K":
        return "Q3_K"
    if chosen.name == "Q3_K_M":
        return "Q5_K" if layer < layout.layers // 16 else "Q4_K"
    if chosen.name in ("Q4_K_M", "Q5_K_M") and more_bits(layer, layout.layers):
        return "Q6_K"
    if first_eighth and (chosen.name == "Q4_K_S" or (chosen.name in ("IQ4_NL", "IQ4_XS") and not layout.weighted)):
        return "Q5_K"
    if first_eighth and layout.weighted and chosen.name in ("Q4_0", "Q5_0"):
        return {"Q4_0": "Q4_1", "Q5_0": "Q5_1"}[chosen.name]
    return chosen.kind


def more_bits(layer: int, layers: int) -> bool:
    """llama.cpp's ``use_more_bits``: the first and last eighth, and every third in between."""
    return layer < layers // 8 or layer >= 7 * layers // 8 or (layer - layers // 8) % 3 == 2
