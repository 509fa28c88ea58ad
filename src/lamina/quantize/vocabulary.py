"""The tokenizer of a Transformers folder as GGUF metadata: copied from the GGUF the model was tuned from, where that
is at hand and has the same tokens, else converted from ``tokenizer.json``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from lamina.errors import InputError

NORMAL, CONTROL, USER_DEFINED, UNUSED = 1, 3, 4, 5
"""Token types of GGUF."""

_PREFIX = "tokenizer.ggml."

_SPLITS = {
    "qwen2": r"\p{N}|",
    "llama-bpe": r"\p{N}{1,3}|",
}
"""What tells llama.cpp's named pre-tokenizers apart that cut with one regular expression."""


def tokenizer_metadata(folder: Path, size: int) -> dict[str, Any]:
    """``tokenizer.ggml.*`` for a vocabulary of ``size`` rows. Raises InputError for a tokenizer that has no
    counterpart in llama.cpp known here."""
    file = folder / "tokenizer.json"
    try:
        tokenizer = json.loads(file.read_text("utf-8"))
    except OSError:
        raise InputError("there is no tokenizer.json", file=folder, mend="save the tokenizer beside it") from None
    except ValueError:
        raise InputError("not JSON", file=file, mend="save the tokenizer again") from None
    converted = _converted(tokenizer, folder, size)
    copied = _of_base(folder)
    if copied and copied.get(_PREFIX + "tokens") == converted[_PREFIX + "tokens"]:
        return copied
    if converted[_PREFIX + "pre"] is None:
        raise InputError("its pre-tokenizer is not one known here", file=file, mend=f"known: {', '.join(known())}")
    return converted


def known() -> list[str]:
    return ["smollm", "gpt-2", *_SPLITS]


def _of_base(folder: Path) -> dict[str, Any] | None:
    """From the GGUF that ``lamina.json`` names as the base; None where there is none."""
    facts = folder / "lamina.json"
    base = json.loads(facts.read_text("utf-8")).get("base", "") if facts.is_file() else ""
    if base == "embedded":
        from lamina.errors import ModelReferenceError
        from lamina.models.references import embedded_path

        try:
            base = str(embedded_path())
        except ModelReferenceError:
            return None
    if not base.endswith(".gguf") or not Path(base).is_file():
        return None
    from gguf import GGUFReader

    fields = GGUFReader(base).fields.items()
    return {key: field.contents() for key, field in fields if key.startswith(_PREFIX)}


def _converted(tokenizer: dict[str, Any], folder: Path, size: int) -> dict[str, Any]:
    model = tokenizer["model"]
    if model.get("type") != "BPE" or "ByteLevel" not in json.dumps(tokenizer.get("pre_tokenizer")):
        raise InputError(
            f"a {model.get('type')} tokenizer is not supported", file=folder / "tokenizer.json",
            mend="byte-level BPE tokenizers (SmolLM, Qwen, Llama 3) are",
        )  # fmt: skip
    tokens = [f"[PAD{i}]" for i in range(size)]
    types = [UNUSED] * size
    for token, index in model["vocab"].items():
        tokens[index], types[index] = token, NORMAL
    for added in tokenizer.get("added_tokens", []):
        tokens[added["id"]] = added["content"]
        types[added["id"]] = CONTROL if added["special"] else USER_DEFINED
    merges = [m if isinstance(m, str) else " ".join(m) for m in model["merges"]]
    found: dict[str, Any] = {
        "model": "gpt2",
        "pre": _pre_name(tokenizer["pre_tokenizer"]),
        "add_bos_token": False,
        "add_space_prefix": False,
        "tokens": tokens,
        "token_type": types,
        "merges": merges,
    }
    named = json.loads((folder / "tokenizer_config.json").read_text("utf-8"))
    for ours, theirs in (("bos", "bos"), ("eos", "eos"), ("unknown", "unk"), ("padding", "pad")):
        token = named.get(f"{theirs}_token")
        token = token["content"] if isinstance(token, dict) else token
        if token in tokens:
            found[f"{ours}_token_id"] = tokens.index(token)
    return {_PREFIX + key: value for key, value in found.items()}


def _pre_name(pre_tokenizer: dict[str, Any]) -> str | None:
    parts = pre_tokenizer.get("pretokenizers", [pre_tokenizer])
    kinds = [p["type"] for p in parts]
    if kinds == ["Digits", "ByteLevel"] and parts[0]["individual_digits"]:
        return "smollm"
    if kinds == ["ByteLevel"] and parts[0]["use_regex"]:
        return "gpt-2"
    if kinds == ["Split", "ByteLevel"]:
        pattern = parts[0]["pattern"].get("Regex", "")
        return next((name for name, mark in _SPLITS.items() if mark in pattern), None)
    return None
