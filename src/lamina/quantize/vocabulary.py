"""The tokenizer of a Transformers folder as GGUF metadata: copied from the GGUF the model was tuned from, where that
is at hand and has the same tokens, else converted from ``tokenizer.json``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from lamina.errors import InputError
from lamina.quantize.pre_tokenizers import KNOWN, pre_tokenizer_name
from lamina.quantize.sentencepiece_vocabulary import (
    CONTROL,
    NORMAL,
    UNUSED,
    USER_DEFINED,
    is_sentencepiece,
    sentencepiece_metadata,
)

_PREFIX = "tokenizer.ggml."


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
        return copied | {_PREFIX + "add_bos_token": False}  # no row was trained on with one
    if converted[_PREFIX + "pre"] is None:
        raise InputError("its pre-tokenizer is not one known here", file=file, mend=f"known: {', '.join(KNOWN)}")
    return converted


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
    _refuse_grown(tokenizer, folder, size)
    if is_sentencepiece(tokenizer):
        found = sentencepiece_metadata(tokenizer, folder, size)
    else:
        found = _byte_level_metadata(tokenizer, folder, size)
    ids = _special_ids(folder, found["tokens"])
    opened = not (folder / "lamina.json").is_file() and _opens_texts(tokenizer, folder, ids.get("bos_token_id"))
    return {_PREFIX + key: value for key, value in (found | ids | {"add_bos_token": opened}).items()}


def _opens_texts(tokenizer: dict[str, Any], folder: Path, opening: int | None) -> bool:
    """Whether the tokenizer puts the token that opens a text before each by itself."""
    said = _settings(folder, "tokenizer_config.json").get("add_bos_token")
    if opening is None or said is not None:
        return opening is not None and bool(said)
    after = tokenizer.get("post_processor") or {}
    for step in after.get("processors", [after]):
        first = (step.get("single") or [{}])[0].get("SpecialToken")
        if first is not None and opening in step["special_tokens"][first["id"]]["ids"]:
            return True
    return False


def _byte_level_metadata(tokenizer: dict[str, Any], folder: Path, size: int) -> dict[str, Any]:
    model = tokenizer["model"]
    if model.get("type") != "BPE" or "ByteLevel" not in json.dumps(tokenizer.get("pre_tokenizer")):
        raise InputError(
            f"a {model.get('type')} tokenizer of this kind is not supported", file=folder / "tokenizer.json",
            mend="byte-level BPE (SmolLM, Qwen, Llama 3) and BPE made from SentencePiece (Llama 2, Mistral, Gemma) are",
        )  # fmt: skip
    tokens = [f"[PAD{i}]" for i in range(size)]
    types = [UNUSED] * size
    for token, index in model["vocab"].items():
        tokens[index], types[index] = token, NORMAL
    for added in tokenizer.get("added_tokens", []):
        tokens[added["id"]] = added["content"]
        types[added["id"]] = CONTROL if added["special"] else USER_DEFINED
    return {
        "model": "gpt2",
        "pre": pre_tokenizer_name(tokenizer["pre_tokenizer"], tokens),
        "add_space_prefix": False,
        "tokens": tokens,
        "token_type": types,
        "merges": [m if isinstance(m, str) else " ".join(m) for m in model["merges"]],
    }


def _refuse_grown(tokenizer: dict[str, Any], folder: Path, size: int) -> None:
    added = [token["id"] for token in tokenizer.get("added_tokens", [])]
    last = max([*tokenizer["model"]["vocab"].values(), *added], default=0)
    if last >= size:
        raise InputError(
            f"its last token is number {last}, and the model has {size} rows of embeddings (counted from 0)",
            file=folder / "tokenizer.json", mend="save the model after resize_token_embeddings(len(tokenizer))",
        )  # fmt: skip


def _special_ids(folder: Path, tokens: list[str]) -> dict[str, int]:
    """Which tokens open, end and fill a text: as the tokenizer's settings name them, else as the model's number
    them."""
    named = _settings(folder, "special_tokens_map.json") | _settings(folder, "tokenizer_config.json")
    numbered = _settings(folder, "config.json") | _settings(folder, "generation_config.json")
    found: dict[str, int] = {}
    for ours, theirs in (("bos", "bos"), ("eos", "eos"), ("unknown", "unk"), ("padding", "pad")):
        token, number = named.get(f"{theirs}_token"), numbered.get(f"{theirs}_token_id")
        token = token["content"] if isinstance(token, dict) else token
        number = number[0] if isinstance(number, list) and number else number
        if token in tokens:
            found[f"{ours}_token_id"] = tokens.index(token)
        elif isinstance(number, int) and 0 <= number < len(tokens):
            found[f"{ours}_token_id"] = number
    return found


def _settings(folder: Path, name: str) -> dict[str, Any]:
    """Empty where there is no such file. Raises InputError for one that is no JSON object."""
    try:
        said = json.loads((folder / name).read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError:
        said = None
    if not isinstance(said, dict):
        raise InputError("not a JSON object", file=folder / name, mend="save the tokenizer and the model again")
    return said
