"""How likely a GGUF file finds a text: logits of given tokens, by llama.cpp's C functions in the xllamacpp library; and
those of the folder that it was made from, by Transformers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lamina.errors import ModelError, first_line
from lamina.models.llama_library import decode, functions, loaded_model, open_context, tokens_of
from lamina.models.seeing import kind_of_model
from lamina.quantize.ggml import Array


def token_logits(file: Path, rows: Sequence[Sequence[int]], *, threads: int = 2) -> Iterator[Array]:
    """For each row of token ids its logits (tokens, vocabulary), float32: those at ``i`` are about token ``i + 1``.
    Raises ModelError for a file that llama.cpp does not load, or a row it cannot read."""
    calls, file, longest = functions(), Path(file), max(map(len, rows), default=1)
    with loaded_model(file) as model, open_context(model, file, longest) as context:
        calls.llama_set_n_threads(context, threads, threads)
        vocabulary = calls.llama_vocab_n_tokens(calls.llama_model_get_vocab(model))
        for row in rows:
            yield _logits(context, row, vocabulary, file)


def folder_logits(folder: Path, rows: Sequence[Sequence[int]]) -> Iterator[Array]:
    """As ``token_logits``, of a model folder, by Transformers in float32. Raises ModelError."""
    import torch
    from transformers import AutoConfig

    try:
        kind = kind_of_model(str(folder), AutoConfig.from_pretrained(folder), False)
        model: Any = kind.from_pretrained(folder, dtype=torch.float32).eval()
    except (OSError, ValueError, KeyError) as error:
        raise ModelError(f"{folder}: Transformers cannot load it ({first_line(error)})") from None
    for row in rows:
        with torch.no_grad():
            found = model(input_ids=torch.tensor([list(row)]), use_cache=False).logits[0]
        yield np.asarray(found.float().numpy())


def token_ids(file: Path, texts: Sequence[str], *, opened: bool = False) -> list[list[int]]:
    """The texts as the file's own tokenizer cuts them, special tokens recognised; none added, or with ``opened`` those
    that it wants at the start of a text."""
    with loaded_model(Path(file)) as model:
        return [tokens_of(model, text, special=opened) for text in texts]


def _logits(context: Any, row: Sequence[int], vocabulary: int, file: Path) -> Array:
    calls = functions()
    calls.llama_memory_clear(calls.llama_get_memory(context), True)
    if not decode(context, [(token, place, (0,), True) for place, token in enumerate(row)]):
        raise ModelError(f"{file}: llama.cpp could not read a row of {len(row)} tokens")
    found = np.ctypeslib.as_array(calls.llama_get_logits(context), (len(row), vocabulary))
    return found.copy()
