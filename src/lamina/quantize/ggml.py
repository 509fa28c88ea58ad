"""ggml's tensor types: sizes, and the quantization of rows by ggml's own code in the xllamacpp library.

The library is what runs the files too, so a tensor written here is bit for bit what llama.cpp's quantizer writes
for the same values."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import lru_cache
from typing import Any, cast

import numpy as np

from lamina.models.llama_library import library

Array = np.ndarray[Any, np.dtype[Any]]


def block_size(kind: str) -> int:
    """Values in one block of a type: a row must be a multiple of it."""
    return _sizes(kind)[0]


def byte_count(kind: str, shape: tuple[int, ...]) -> int:
    block, size = _sizes(kind)
    return int(np.prod(shape)) // block * size


def quantized(values: Array, kind: str, importance: Array | None = None) -> Array:
    """``values`` (float32, last axis in rows) as the bytes of a ggml type, or as float16/float32. ``importance`` has
    one weight for each column, or one row of them for each matrix of a stack (experts)."""
    if kind == "F32":
        return np.ascontiguousarray(values, np.float32)
    if kind == "F16":
        return np.ascontiguousarray(values.astype(np.float16))
    values = np.ascontiguousarray(values, np.float32)
    if values.ndim == 3:
        weights = importance if importance is not None else [None] * len(values)
        return np.stack([quantized(v, kind, w) for v, w in zip(values, weights, strict=True)])
    return _quantized_rows(values, kind, importance)


def _quantized_rows(values: Array, kind: str, importance: Array | None) -> Array:
    from gguf.constants import GGMLQuantizationType

    width = values.shape[-1]
    out = np.empty(byte_count(kind, values.shape), np.uint8)
    weights = None if importance is None else np.ascontiguousarray(importance, np.float32)
    assert weights is None or weights.shape == (width,), "one weight a column"
    written = _quantize_chunk()(
        GGMLQuantizationType[kind].value,
        values.ctypes.data_as(ctypes.POINTER(ctypes.c_float)),
        out.ctypes.data,
        0,
        values.size // width,
        width,
        None if weights is None else weights.ctypes.data,
    )
    assert written == out.nbytes, f"ggml wrote {written} bytes of {kind}, expected {out.nbytes}"
    return out.reshape(*values.shape[:-1], -1)


def dequantized(blocks: Array, kind: str) -> Array:
    """The values that the bytes of a type stand for, float32; float16 and float32 come as they are."""
    from gguf.constants import GGMLQuantizationType
    from gguf.quants import dequantize

    return np.asarray(dequantize(blocks, GGMLQuantizationType[kind]), np.float32)


def _sizes(kind: str) -> tuple[int, int]:
    from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType

    return GGML_QUANT_SIZES[GGMLQuantizationType[kind]]


@lru_cache(maxsize=1)
def _quantize_chunk() -> Callable[..., int]:
    """``ggml_quantize_chunk(type, src, dst, start, rows, row_width, importance)``; ctypes lets go of Python's lock
    while it works."""
    function = library().ggml_quantize_chunk
    number = ctypes.c_int64
    function.argtypes = [
        ctypes.c_int, ctypes.POINTER(ctypes.c_float), ctypes.c_void_p, number, number, number, ctypes.c_void_p
    ]  # fmt: skip
    function.restype = ctypes.c_size_t
    return cast(Callable[..., int], function)
