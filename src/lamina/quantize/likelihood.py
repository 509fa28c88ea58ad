"""How likely a GGUF file finds a text: logits of given tokens, by llama.cpp's C functions in the xllamacpp library.

The engine's server gives no logits of a prompt. Parameter structures differ from one llama.cpp to the next, so they are
passed on as they come, in a buffer with room to spare, but for the first number of the context's (its length) and the
batch sizes after it."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from lamina.errors import ModelError
from lamina.quantize.ggml import Array, library

_LISTENER = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p)


_SAY_NOTHING = _LISTENER(lambda _level, _text, _data: None)
"""Where llama.cpp's own log goes; kept here, because C holds no reference to it."""


class _Parameters(ctypes.Structure):
    """Any of llama.cpp's parameter structures: larger than any of them is today."""

    _fields_ = [("numbers", ctypes.c_uint32 * 256)]


class _Batch(ctypes.Structure):
    _fields_ = [
        ("n_tokens", ctypes.c_int32),
        ("token", ctypes.POINTER(ctypes.c_int32)),
        ("embd", ctypes.c_void_p),
        ("pos", ctypes.POINTER(ctypes.c_int32)),
        ("n_seq_id", ctypes.POINTER(ctypes.c_int32)),
        ("seq_id", ctypes.POINTER(ctypes.POINTER(ctypes.c_int32))),
        ("logits", ctypes.POINTER(ctypes.c_int8)),
    ]


def token_logits(file: Path, rows: Sequence[Sequence[int]], *, threads: int = 2) -> Iterator[Array]:
    """For each row of token ids its logits (tokens, vocabulary), float32: those at ``i`` are about token ``i + 1``.
    Raises ModelError for a file that llama.cpp does not load, or a row it cannot read."""
    with _context(Path(file), max(map(len, rows), default=1), threads) as (context, vocabulary):
        for row in rows:
            yield _logits(context, row, vocabulary, file)


def token_ids(file: Path, texts: Sequence[str]) -> list[list[int]]:
    """The texts as the file's own tokenizer cuts them, special tokens recognised, none added."""
    with _model(Path(file)) as model:
        return [_tokens(_functions().llama_model_get_vocab(model), text.encode()) for text in texts]


def _tokens(vocabulary: Any, text: bytes) -> list[int]:
    room = len(text) + 8  # a token is at least a byte
    buffer = (ctypes.c_int32 * room)()
    count = _functions().llama_tokenize(vocabulary, text, len(text), buffer, room, False, True)
    return list(buffer[:count])


@contextmanager
def _model(file: Path) -> Iterator[Any]:
    calls = _functions()
    model = calls.llama_model_load_from_file(str(file).encode(), calls.llama_model_default_params())
    if not model:
        raise ModelError(f"{file}: llama.cpp cannot load it; is the file whole?")
    try:
        yield model
    finally:
        calls.llama_model_free(model)


@contextmanager
def _context(file: Path, length: int, threads: int) -> Iterator[tuple[Any, int]]:
    calls = _functions()
    with _model(file) as model:
        parameters = calls.llama_context_default_params()
        for i in range(3):  # n_ctx, n_batch, n_ubatch: a row is read at once
            parameters.numbers[i] = -(-max(length, 32) // 256) * 256
        context = calls.llama_init_from_model(model, parameters)
        if not context:
            raise ModelError(f"{file}: no room for a context of {length} tokens")
        try:
            calls.llama_set_n_threads(context, threads, threads)
            yield context, calls.llama_vocab_n_tokens(calls.llama_model_get_vocab(model))
        finally:
            calls.llama_free(context)


def _logits(context: Any, row: Sequence[int], vocabulary: int, file: Path) -> Array:
    calls = _functions()
    calls.llama_memory_clear(calls.llama_get_memory(context), True)
    batch = calls.llama_batch_init(len(row), 0, 1)
    try:
        batch.n_tokens = len(row)
        for i, token in enumerate(row):
            batch.token[i], batch.pos[i], batch.n_seq_id[i], batch.logits[i] = token, i, 1, 1
            batch.seq_id[i][0] = 0
        if calls.llama_decode(context, batch) != 0:
            raise ModelError(f"{file}: llama.cpp could not read a row of {len(row)} tokens")
    finally:
        calls.llama_batch_free(batch)
    found = np.ctypeslib.as_array(calls.llama_get_logits(context), (len(row), vocabulary))
    return found.copy()


@lru_cache(maxsize=1)
def _functions() -> ctypes.CDLL:
    """The functions used here, with their C types."""
    calls = library()
    pointer, number = ctypes.c_void_p, ctypes.c_int32
    types: dict[str, tuple[Any, list[Any]]] = {
        "llama_backend_init": (None, []),
        "llama_log_set": (None, [_LISTENER, pointer]),
        "llama_model_default_params": (_Parameters, []),
        "llama_context_default_params": (_Parameters, []),
        "llama_model_load_from_file": (pointer, [ctypes.c_char_p, _Parameters]),
        "llama_init_from_model": (pointer, [pointer, _Parameters]),
        "llama_set_n_threads": (None, [pointer, number, number]),
        "llama_model_get_vocab": (pointer, [pointer]),
        "llama_tokenize": (
            number,
            [pointer, ctypes.c_char_p, number, ctypes.POINTER(number), number, ctypes.c_bool, ctypes.c_bool],
        ),
        "llama_vocab_n_tokens": (number, [pointer]),
        "llama_get_memory": (pointer, [pointer]),
        "llama_memory_clear": (None, [pointer, ctypes.c_bool]),
        "llama_batch_init": (_Batch, [number, number, number]),
        "llama_batch_free": (None, [_Batch]),
        "llama_decode": (number, [pointer, _Batch]),
        "llama_get_logits": (ctypes.POINTER(ctypes.c_float), [pointer]),
        "llama_free": (None, [pointer]),
        "llama_model_free": (None, [pointer]),
    }
    for name, (result, arguments) in types.items():
        getattr(calls, name).restype = result
        getattr(calls, name).argtypes = arguments
    calls.llama_log_set(_SAY_NOTHING, None)
    calls.llama_backend_init()
    return calls
