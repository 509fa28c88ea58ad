"""A GGUF llama made without torch, of random weights or of none at all (a sparse file of any size): for what must hold
of any file that the engine runs."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np


def save_tiny_gguf(
    path: Path,
    *,
    width: int = 64,
    feed_forward: int = 128,
    layers: int = 1,
    hollow: bool = False,
    context: int = 2048,
    name: str = "",
    seed: int = 0,
) -> Path:
    """``width`` is a multiple of 64; a vocabulary of bytes. ``hollow``: the weights are a hole in the file, which takes
    no space on the disk and as much memory as any. ``seed`` draws them."""
    from gguf import GGUFWriter, TokenType

    tokens = [*_bytes_as_letters(), "th", "<|end|>"]
    writer = GGUFWriter(path, "llama")
    if name:
        writer.add_name(name)
    writer.add_context_length(context)
    writer.add_embedding_length(width)
    writer.add_block_count(layers)
    writer.add_feed_forward_length(feed_forward)
    writer.add_head_count(width // 32)
    writer.add_head_count_kv(width // 32)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    writer.add_token_types([TokenType.NORMAL] * (len(tokens) - 1) + [TokenType.CONTROL])
    writer.add_token_merges(["t h"])
    writer.add_eos_token_id(len(tokens) - 1)
    chance = np.random.default_rng(seed)
    size = 0
    for name, shape in _shapes(width, feed_forward, layers, len(tokens)):
        size += int(np.prod(shape)) * 4
        if hollow:
            writer.add_tensor_info(name, shape, np.dtype(np.float32), int(np.prod(shape)) * 4)
        elif len(shape) == 1:
            writer.add_tensor(name, np.ones(shape, np.float32))
        else:
            weights = chance.standard_normal(shape, np.float32) / np.float32(shape[-1] ** 0.5)
            if name == "token_embd.weight":
                weights[-1] = 0  # so that the end is never the likeliest token
            writer.add_tensor(name, weights)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    if hollow:
        writer.write_ti_data_to_file()
    else:
        writer.write_tensors_to_file()
    writer.close()
    if hollow:
        os.truncate(path, path.stat().st_size + size + 4096)
    return path


def _shapes(width: int, feed_forward: int, layers: int, vocabulary: int) -> list[tuple[str, tuple[int, ...]]]:
    found: list[tuple[str, tuple[int, ...]]] = [
        ("token_embd.weight", (vocabulary, width)),
        ("output_norm.weight", (width,)),
    ]
    for i in range(layers):
        found += [(f"blk.{i}.{name}_norm.weight", (width,)) for name in ("attn", "ffn")]
        found += [(f"blk.{i}.attn_{name}.weight", (width, width)) for name in ("q", "k", "v", "output")]
        found += [(f"blk.{i}.ffn_{name}.weight", (feed_forward, width)) for name in ("gate", "up")]
        found.append((f"blk.{i}.ffn_down.weight", (width, feed_forward)))
    return found


def _bytes_as_letters() -> list[str]:
    """GPT-2's: a printable letter for each byte."""
    shown = [*range(33, 127), *range(161, 173), *range(174, 256)]
    hidden = [byte for byte in range(256) if byte not in shown]
    letters = {byte: chr(byte) for byte in shown} | {byte: chr(256 + i) for i, byte in enumerate(hidden)}
    return [letters[byte] for byte in range(256)]
