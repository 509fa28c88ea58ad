"""A tokenizer of SentencePiece's kind (Llama 2, Mistral, Gemma) from ``tokenizer.json``, as llama.cpp reads one.

There a text is merged pair by pair into pieces by the score of what a pair makes. ``tokenizer.json`` has no scores, but
the merges in the order of them, and every pair that makes a piece: so a piece's score is where its first merge
stands."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from lamina.errors import InputError

NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE = 1, 2, 3, 4, 5, 6
"""Token types of GGUF."""
SPACE = "▁"
_BYTE = re.compile(r"<0x[0-9A-F]{2}>")
_MOST_MISSING = 0.01
"""Share of the pairs that a converted tokenizer may lack: converters leave out those with special tokens in them."""


def is_sentencepiece(tokenizer: dict[str, Any]) -> bool:
    return tokenizer["model"].get("type") == "BPE" and bool(tokenizer["model"].get("byte_fallback"))


def sentencepiece_metadata(tokenizer: dict[str, Any], folder: Path, size: int) -> dict[str, Any]:
    """Keys after ``tokenizer.ggml.``, for a vocabulary of ``size`` rows. Raises InputError for a tokenizer that
    prepares texts otherwise than llama.cpp, or whose merges no scores give."""
    model = tokenizer["model"]
    file = folder / "tokenizer.json"
    prefixed = _space_before_text(tokenizer, file)
    merges = [tuple(m.split(" ", 1)) if isinstance(m, str) else tuple(m) for m in model["merges"]]
    _refuse_other_merges(model["vocab"], set(merges), file)
    tokens, types, scores = [f"[PAD{i}]" for i in range(size)], [UNUSED] * size, [-10_000.0] * size
    ranks: dict[str, int] = {}
    for rank, (left, right) in enumerate(merges):
        ranks.setdefault(left + right, rank)
    for token, index in model["vocab"].items():
        tokens[index], scores[index] = token, -float(ranks.get(token, len(merges)))
        types[index] = BYTE if _BYTE.fullmatch(token) else NORMAL
    for added in tokenizer.get("added_tokens", []):
        index, special = added["id"], added["special"]
        if types[index] == BYTE:
            continue
        tokens[index] = added["content"] if special else added["content"].replace(SPACE, " ")
        types[index] = CONTROL if special else USER_DEFINED
    if (unknown := model["vocab"].get(model.get("unk_token"))) is not None:
        types[unknown] = UNKNOWN
    return {
        "model": "llama",
        "pre": "default",
        "add_space_prefix": prefixed,
        "tokens": tokens,
        "scores": scores,
        "token_type": types,
    }


def _space_before_text(tokenizer: dict[str, Any], file: Path) -> bool:
    normalizer, cut = tokenizer.get("normalizer"), tokenizer.get("pre_tokenizer")
    steps = normalizer.get("normalizers", [normalizer]) if normalizer else []
    kinds = [step["type"] for step in steps]
    metaspace = cut is not None and cut["type"] == "Metaspace"
    on_spaces = cut is not None and cut["type"] == "Split" and cut["pattern"] == {"String": " "}
    if set(kinds) - {"Prepend", "Replace"} or not ("Replace" in kinds or metaspace):
        raise InputError("its normalizer is not one known here", file=file, mend="Llama 2's, Mistral's and Gemma's are")
    if cut is not None and not metaspace and not on_spaces:
        raise InputError(
            "its pre-tokenizer is not one known here", file=file, mend="Llama 2's, Mistral's and Gemma's are"
        )
    if cut is not None and metaspace:
        return bool(cut.get("prepend_scheme", "always" if cut.get("add_prefix_space") else "never") != "never")
    return "Prepend" in kinds


def _refuse_other_merges(vocabulary: dict[str, int], merges: set[tuple[str, ...]], file: Path) -> None:
    possible = missing = 0
    for token in vocabulary:
        if _BYTE.fullmatch(token):
            continue
        for at in range(1, len(token)):
            if token[:at] in vocabulary and token[at:] in vocabulary:
                possible += 1
                missing += (token[:at], token[at:]) not in merges
    if missing > _MOST_MISSING * possible:
        raise InputError(
            f"{missing} of {possible} pairs of its tokens that make a token are not merged, and llama.cpp would",
            file=file, mend="tokenizers made from a SentencePiece model are supported",
        )  # fmt: skip
