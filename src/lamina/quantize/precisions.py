"""The precisions on offer and the quantization of one tensor, by ggml's own code in the xllamacpp library.

For the types of 4 and 5 bits the embedding stays at 8: in a small model with tied embeddings it is also the output
layer, and the files that the base models come in do the same.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

import numpy as np

from lamina.errors import InputError

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Precision:
    """``file_type`` is llama.cpp's number for a file mostly of this kind, ``better`` the type of the tensors that
    llama.cpp's ``_M`` mixes keep at more bits, ``embedding`` that of the embedding and the output layer."""

    name: str
    kind: str
    file_type: int
    embedding: str
    better: str | None = None


PRECISIONS = {
    p.name: p
    for p in (
        Precision("F32", "F32", 0, "F32"),
        Precision("F16", "F16", 1, "F16"),
        Precision("Q8_0", "Q8_0", 7, "Q8_0"),
        Precision("Q6_K", "Q6_K", 18, "Q8_0"),
        Precision("Q5_1", "Q5_1", 9, "Q8_0"),
        Precision("Q5_0", "Q5_0", 8, "Q8_0"),
        Precision("Q5_K_M", "Q5_K", 17, "Q8_0", better="Q6_K"),
        Precision("Q5_K_S", "Q5_K", 16, "Q8_0"),
        Precision("Q4_1", "Q4_1", 3, "Q8_0"),
        Precision("Q4_0", "Q4_0", 2, "Q8_0"),
        Precision("IQ4_NL", "IQ4_NL", 25, "Q8_0"),
        Precision("Q4_K_M", "Q4_K", 15, "Q8_0", better="Q6_K"),
        Precision("Q4_K_S", "Q4_K", 14, "Q8_0"),
    )
}

FALLBACKS = {"Q6_K": "Q8_0", "Q5_K": "Q5_1", "Q4_K": "Q5_0"}
"""llama.cpp's own: K types need rows of a multiple of 256 values, these of 32."""


def precision(name: str) -> Precision:
    """Raises InputError for a name that is not on offer."""
    found = PRECISIONS.get(name.upper())
    if found is None:
        raise InputError(f"{name} is no type for a GGUF file", mend=f"choose from {', '.join(PRECISIONS)}")
    return found


def kind_of(name: str, shape: tuple[int, ...], chosen: Precision, layers: int) -> tuple[str, str | None]:
    """The ggml type of one tensor (GGUF name, numpy shape), and the type it would have had where its rows are too
    narrow for that one."""
    if len(shape) == 1:
        return "F32", None
    if name in ("token_embd.weight", "output.weight"):
        wanted = chosen.embedding
    elif chosen.better and ("attn_v" in name or "ffn_down" in name) and _more_bits(_layer_of(name), layers):
        wanted = chosen.better
    else:
        wanted = chosen.kind
    kind = wanted
    while shape[-1] % block_size(kind):
        kind = FALLBACKS.get(kind, "F16")
    return kind, wanted if kind != wanted else None


def _more_bits(layer: int, layers: int) -> bool:
    """llama.cpp's ``use_more_bits``: the first and last eighth, and every third in between."""
    return layer < layers // 8 or layer >= 7 * layers // 8 or (layer - layers // 8) % 3 == 2


def _layer_of(name: str) -> int:
    return int(name.split(".")[1])


def block_size(kind: str) -> int:
    from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType

    return GGML_QUANT_SIZES[GGMLQuantizationType[kind]][0]


def byte_count(kind: str, shape: tuple[int, ...]) -> int:
    from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType

    block, size = GGML_QUANT_SIZES[GGMLQuantizationType[kind]]
    return int(np.prod(shape)) // block * size


def quantized(values: Array, kind: str) -> Array:
    """``values`` (float32, last axis in rows) as the bytes of a ggml type, or as float16/float32."""
    if kind == "F32":
        return np.ascontiguousarray(values, np.float32)
    if kind == "F16":
        return np.ascontiguousarray(values.astype(np.float16))
    from gguf.constants import GGMLQuantizationType

    values = np.ascontiguousarray(values, np.float32)
    width = values.shape[-1]
    rows = values.size // width
    out = np.empty(byte_count(kind, values.shape), np.uint8)
    address = ctypes.POINTER(ctypes.c_float)
    written = _quantize_chunk()(
        GGMLQuantizationType[kind].value, values.ctypes.data_as(address), out.ctypes.data, 0, rows, width, None
    )
    assert written == out.nbytes, f"ggml wrote {written} bytes of {kind}, expected {out.nbytes}"
    return out.reshape(*values.shape[:-1], -1)


@lru_cache(maxsize=1)
def _quantize_chunk() -> Callable[..., int]:
    """``ggml_quantize_chunk(type, src, dst, start, rows, row_width, importance)``, which the xllamacpp library
    exports; ctypes lets go of Python's lock while it works."""
    from importlib import import_module
    from importlib.util import find_spec
    from pathlib import Path

    spec = find_spec("xllamacpp")
    folder = Path(spec.origin).parent if spec and spec.origin else None
    libraries = [f for f in folder.iterdir() if f.suffix in (".so", ".pyd", ".dylib")] if folder else []
    assert libraries, "xllamacpp is a dependency and has its library beside it"
    import_module("xllamacpp")  # its library needs the symbols of Python that this loads

    function = ctypes.CDLL(str(libraries[0])).ggml_quantize_chunk
    number = ctypes.c_int64
    function.argtypes = [
        ctypes.c_int, ctypes.POINTER(ctypes.c_float), ctypes.c_void_p, number, number, number, ctypes.c_void_p
    ]  # fmt: skip
    function.restype = ctypes.c_size_t
    return cast(Callable[..., int], function)
