"""llama.cpp's C functions in the xllamacpp library: for what its server does not give, such as logits of a prompt.

Parameter structures differ from one llama.cpp to the next, so they are passed on as they come, in a buffer with room
to spare, but for the first numbers of the context's (its length, the batch sizes, the number of sequences)."""

from __future__ import annotations

import ctypes
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

from lamina.errors import ModelError

_LISTENER = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p)


_ERROR = 4
_COMPLAINTS: deque[str] = deque(maxlen=8)
"""The last errors of llama.cpp's own log, which is shown nowhere."""


def _listen(level: int, text: bytes, _data: Any) -> None:
    if level >= _ERROR:
        _COMPLAINTS.append(" ".join(text.decode("utf-8", "replace").split()))


_LISTENING = _LISTENER(_listen)
"""Kept here, because C holds no reference to it."""
_OF_LOADING = "error loading model: "

_SWITCHES = bytes([0, 1, 1, 1, 1, 0])
"""The context's switches as llama.cpp sets them: embeddings, offload_kqv, no_perf, op_offload, swa_full, kv_unified."""


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


@lru_cache(maxsize=1)
def library() -> ctypes.CDLL:
    """The engine's library, with the functions of ggml and llama.cpp that it exports."""
    from importlib import import_module
    from importlib.util import find_spec

    spec = find_spec("xllamacpp")
    folder = Path(spec.origin).parent if spec and spec.origin else None
    libraries = [f for f in folder.iterdir() if f.suffix in (".so", ".pyd", ".dylib")] if folder else []
    assert libraries, "xllamacpp is a dependency and has its library beside it"
    import_module("xllamacpp")  # its library needs the symbols of Python that this loads
    return ctypes.CDLL(str(libraries[0]))


def why_not_loaded(file: Path) -> str | None:
    """What llama.cpp says of a file that its server, which gives no reason, did not load; None where the file is not
    what it failed on."""
    try:
        with loaded_model(file):
            return None
    except ModelError as error:
        return str(error).partition("cannot load it: ")[2]
    except AttributeError:  # an engine without these functions
        return "it does not say why"


def _why() -> str:
    said = next((text.rpartition(_OF_LOADING)[2] for text in _COMPLAINTS if _OF_LOADING in text), "it does not say why")
    newer = "unknown model architecture" in said
    mend = "a newer engine may know it: pip install -U xllamacpp" if newer else "get or build the file again"
    return f"{said}; {mend}"


@contextmanager
def loaded_model(file: Path) -> Iterator[Any]:
    """Raises ModelError for a file that llama.cpp does not load, with the reason that its log gives."""
    calls = functions()
    calls.llama_log_set(_LISTENING, None)  # a server that was started since has set its own
    _COMPLAINTS.clear()
    model = calls.llama_model_load_from_file(str(file).encode(), calls.llama_model_default_params())
    if not model:
        raise ModelError(f"{file}: llama.cpp cannot load it: {_why()}")
    try:
        yield model
    finally:
        calls.llama_model_free(model)


@contextmanager
def open_context(model: Any, file: Path, length: int, *, sequences: int = 1, step: int = 0) -> Iterator[Any]:
    """A context of ``length`` tokens that ``sequences`` share; ``step`` tokens are computed at once, 0 for all. Raises
    ModelError where there is no room for it, or where this llama.cpp gives each sequence a part of its own."""
    calls = functions()
    parameters = calls.llama_context_default_params()
    room = -(-max(length, 32) // 256) * 256
    for i, number in enumerate((room, room, step or room, sequences)):  # n_ctx, n_batch, n_ubatch, n_seq_max
        parameters.numbers[i] = number
    if sequences > 1:
        _share_one_memory(parameters)
    context = calls.llama_init_from_model(model, parameters)
    if not context:
        raise ModelError(f"{file}: no room for a context of {length} tokens")
    try:
        if calls.llama_n_ctx_seq(context) != calls.llama_n_ctx(context) or calls.llama_n_seq_max(context) != sequences:
            raise ModelError("this xllamacpp lets no sequences share a context; pip install -U xllamacpp")
        yield context
    finally:
        calls.llama_free(context)


def add_adapter(model: Any, context: Any, adapter: Path) -> None:
    """Has the context compute with a LoRA adapter at its full strength; it is freed with the model. Raises ModelError
    for one that llama.cpp does not take beside the model."""
    calls, pointer, strengths = functions(), ctypes.c_void_p, ctypes.POINTER(ctypes.c_float)
    try:
        load, put = calls.llama_adapter_lora_init, calls.llama_set_adapters_lora
    except AttributeError:
        raise ModelError("this xllamacpp adds no LoRA adapters; pip install -U xllamacpp") from None
    load.restype, load.argtypes = pointer, [pointer, ctypes.c_char_p]
    put.restype, put.argtypes = ctypes.c_int32, [pointer, ctypes.POINTER(pointer), ctypes.c_size_t, strengths]
    loaded = load(model, str(adapter).encode())
    if not loaded or put(context, (pointer * 1)(loaded), 1, (ctypes.c_float * 1)(1.0)) != 0:
        raise ModelError(f"{adapter}: llama.cpp cannot add it to the model; is the file whole?")


def _share_one_memory(parameters: _Parameters) -> None:
    """``kv_unified`` on. Where it stands differs among versions; what stands before it does not."""
    place = bytes(parameters).find(_SWITCHES)
    if place < 0:
        raise ModelError("the parameters of this xllamacpp are not known; pip install -U xllamacpp")
    ctypes.cast(ctypes.byref(parameters), ctypes.POINTER(ctypes.c_uint8))[place + len(_SWITCHES) - 1] = 1


def decode(context: Any, tokens: Sequence[tuple[int, int, Sequence[int], bool]]) -> bool:
    """Reads tokens ``(id, position, sequences it belongs to, whether its logits are wanted)``; False where llama.cpp
    could not."""
    calls = functions()
    batch = calls.llama_batch_init(len(tokens), 0, max(len(sequences) for _, _, sequences, _ in tokens))
    try:
        batch.n_tokens = len(tokens)
        for i, (token, position, sequences, wanted) in enumerate(tokens):
            batch.token[i], batch.pos[i], batch.n_seq_id[i], batch.logits[i] = token, position, len(sequences), wanted
            for j, sequence in enumerate(sequences):
                batch.seq_id[i][j] = sequence
        return bool(calls.llama_decode(context, batch) == 0)
    finally:
        calls.llama_batch_free(batch)


def tokens_of(model: Any, text: str, *, special: bool = False) -> list[int]:
    """As the model's own tokenizer cuts the text, special tokens recognised; with ``special``, those that the model
    wants at the start of a text are added."""
    calls, raw = functions(), text.encode()
    room = len(raw) + 8  # a token is at least a byte
    buffer = (ctypes.c_int32 * room)()
    count = calls.llama_tokenize(calls.llama_model_get_vocab(model), raw, len(raw), buffer, room, special, True)
    return list(buffer[:count])


@lru_cache(maxsize=1)
def functions() -> ctypes.CDLL:
    """The functions used by Lamina, with their C types."""
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
        "llama_n_ctx": (ctypes.c_uint32, [pointer]),
        "llama_n_ctx_seq": (ctypes.c_uint32, [pointer]),
        "llama_n_seq_max": (ctypes.c_uint32, [pointer]),
        "llama_get_memory": (pointer, [pointer]),
        "llama_memory_clear": (None, [pointer, ctypes.c_bool]),
        "llama_memory_seq_rm": (ctypes.c_bool, [pointer, number, number, number]),
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
    calls.llama_log_set(_LISTENING, None)
    calls.llama_backend_init()
    return calls
