"""The model a training starts from: the embedded GGUF, any other GGUF, a Transformers folder or a hub name.

A GGUF is dequantized to float32 on load. Its tokenizer is rebuilt here from the file's own vocabulary, merges
and pre-tokenizer name: the general converter of Transformers leaves the pre-tokenizer out, and then a text is cut
into other tokens in training than in llama.cpp.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lamina.errors import InputError, MissingExtraError, ModelError, ModelReferenceError, first_line
from lamina.models import embedded_path
from lamina.models.gguf_files import split_reference
from lamina.models.metadata import facts_of

QWEN2_PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
LLAMA3_PATTERN = QWEN2_PATTERN.replace(r"|\p{N}|", r"|\p{N}{1,3}|")

CONTROL, USER_DEFINED = 3, 4
"""Token types of ``tokenizer.ggml.token_type`` that are never split and never merged."""


@dataclass(frozen=True)
class Base:
    """``gguf`` is the file the weights came from, where they came from one: an export copies its tokenizer."""

    ref: str
    model: Any
    tokenizer: Any
    gguf: Path | None = None


def load_base(ref: str, *, empty: bool = False) -> Base:
    """The base in float32, trainable, on the CPU; ``empty``: its weights as shapes alone, which take no memory, for a
    process that is sent them. Raises ModelReferenceError, MissingExtraError, ModelError, and InputError where the
    vocabulary outgrew the embedding, or nothing ends a turn."""
    check_base(ref)
    gguf = gguf_of(ref)
    if gguf is not None:
        model = _empty_model(gguf.parent, gguf_file=gguf.name) if empty else _model_from_gguf(gguf)
        return Base(ref, model, with_end(ref, tokenizer_from_gguf(gguf)), gguf)
    folder = ref.removeprefix("hf:")
    from transformers import AutoModelForCausalLM, AutoTokenizer

    try:
        tokenizer = with_end(ref, AutoTokenizer.from_pretrained(folder))
        kind: Any = AutoModelForCausalLM
        model = _empty_model(folder) if empty else kind.from_pretrained(folder, dtype="float32")
    except (OSError, ValueError) as error:
        raise ModelReferenceError(f"{ref}: {first_line(error)}") from error
    embedding: Any = model.get_input_embeddings()
    known, rows = len(tokenizer), embedding.num_embeddings
    if known > rows:
        mend = "model.resize_token_embeddings(len(tokenizer)), train what is new, and save it"
        raise InputError(f"{ref}: its tokenizer has {known} tokens and its embedding only {rows} rows", mend=mend)
    return Base(ref, model, tokenizer)


def check_base(ref: str) -> None:
    """Whether ``load_base`` can find what ``ref`` names, without reading the weights. Raises as it does."""
    require_training_libraries()
    gguf = gguf_of(ref)
    if gguf is not None:
        facts_of(str(gguf))
    elif not (ref.removeprefix("hf:") if ref.startswith("hf:") else (Path(ref) / "config.json").is_file()):
        raise ModelReferenceError(
            f"{ref!r} is no base for training; give embedded, a .gguf file, a Transformers folder or hf:org/name"
        )


def tokenizer_of(ref: str) -> Any:
    """The tokenizer of a base, whose weights are not read. Raises as ``load_base`` does."""
    require_training_libraries()
    if gguf := gguf_of(ref):
        return with_end(ref, tokenizer_from_gguf(gguf))
    from transformers import AutoTokenizer

    folder = ref.removeprefix("hf:")
    try:
        return with_end(ref, AutoTokenizer.from_pretrained(folder, local_files_only=not ref.startswith("hf:")))
    except (OSError, ValueError) as error:
        raise ModelReferenceError(f"{ref}: no tokenizer to count with ({first_line(error)})") from error


def with_end(ref: str, tokenizer: Any) -> Any:
    """The tokenizer. Raises InputError where it names no token that ends a turn."""
    if tokenizer.eos_token is None:
        mend = 'set "eos_token" in its tokenizer_config.json to the token that ends an answer'
        raise InputError(f"{ref}: its tokenizer names no eos_token, which each learnt answer ends with", mend=mend)
    return tokenizer


def gguf_of(ref: str) -> Path | None:
    """The GGUF file that ``ref`` names, or None where it names something else."""
    if ref == "embedded":
        return embedded_path()
    if not ref.endswith(".gguf"):
        return None
    if len(split_reference(ref)) > 1:
        raise ModelReferenceError(f"{ref}: training starts from one model; name one with the adapter merged into it")
    if not Path(ref).is_file():
        raise ModelReferenceError(f"{ref}: no such file; check the path")
    return Path(ref)


def require_training_libraries() -> None:
    """Raises MissingExtraError for the first library of the extra ``train`` that is absent."""
    for library in ("torch", "transformers", "datasets", "accelerate", "peft", "trl"):
        if importlib.util.find_spec(library) is None:
            raise MissingExtraError(library, "train")


def require_reporter(name: str) -> None:
    """Raises InputError where the numbers of a training are to go to a library that is absent."""
    if name != "none" and importlib.util.find_spec(name) is None:
        raise InputError(f"the numbers are to go to {name}, which is not installed", mend=f"pip install {name}")


def _empty_model(folder: Path | str, **where: str) -> Any:
    """Weights as shapes, shared where the base shares them; what is computed beside them (angles of positions) is
    there."""
    from accelerate import init_empty_weights  # type: ignore[import-untyped]
    from transformers import AutoConfig, AutoModelForCausalLM

    make: Any = AutoModelForCausalLM.from_config  # untyped
    config = AutoConfig.from_pretrained(str(folder), **where)
    with init_empty_weights(include_buffers=False):
        model = make(config, dtype="float32")
    model.tie_weights()
    return model


def give_addresses(model: Any) -> None:
    """Trained weights that are shapes alone get memory, which nothing writes to and the system so never hands out.
    accelerate knows by its address which weight the optimizer means, and shapes alone are all at address 0: the
    optimizer would then train one weight and leave the others as they were."""
    import torch

    for module in model.modules():
        for name, weight in module.named_parameters(recurse=False):
            if weight.is_meta and weight.requires_grad:
                setattr(module, name, torch.nn.Parameter(torch.empty_like(weight, device="cpu")))


def _model_from_gguf(file: Path) -> Any:
    import torch
    from transformers import AutoModelForCausalLM, GgufConfig
    from transformers.utils import logging as their_logging

    logging: Any = their_logging  # untyped
    bars_were_on = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        return AutoModelForCausalLM.from_pretrained(
            str(file.parent),
            gguf_file=file.name,
            quantization_config=GgufConfig(dequantize=True),  # else the weights stay packed and cannot be trained
            dtype=torch.float32,
        )
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise ModelError(f"{file}: cannot be read as a base model: {first_line(error)}") from error
    finally:
        if bars_were_on:
            logging.enable_progress_bar()


def tokenizer_from_gguf(file: Path) -> Any:
    """A fast Transformers tokenizer that cuts text exactly as llama.cpp does with the same file."""
    from transformers import AutoTokenizer

    try:
        fields = _tokenizer_fields(file)
    except (OSError, ValueError) as error:
        raise ModelError(f"{file}: not a readable GGUF file: {first_line(error)}") from error
    pre_tokenizer = _pre_tokenizer(fields.get("pre", ""))
    if fields.get("model") == "gpt2" and pre_tokenizer is not None:
        return _byte_level_bpe(fields, pre_tokenizer)
    try:
        return AutoTokenizer.from_pretrained(str(file.parent), gguf_file=file.name)
    except (OSError, ValueError, KeyError) as error:
        kind = f"{fields.get('model')}/{fields.get('pre')}"
        raise ModelError(f"{file}: tokenizer {kind} cannot be read: {first_line(error)}") from error


def _tokenizer_fields(file: Path) -> dict[str, Any]:
    from gguf import GGUFReader

    reader = GGUFReader(file)
    prefix = "tokenizer.ggml."
    fields = {k.removeprefix(prefix): f.contents() for k, f in reader.fields.items() if k.startswith(prefix)}
    template = reader.fields.get("tokenizer.chat_template")
    return fields | ({"chat_template": template.contents()} if template else {})


def _pre_tokenizer(name: str) -> Any | None:
    """The cut before merging, by llama.cpp's name for it; None for a name not known here."""
    from tokenizers import Regex
    from tokenizers.pre_tokenizers import ByteLevel, Digits, Sequence, Split

    plain = ByteLevel(add_prefix_space=False, use_regex=True)
    if name == "smollm":
        return Sequence([Digits(individual_digits=True), plain])
    if name in ("gpt-2", "default"):
        return plain
    patterns = {"qwen2": QWEN2_PATTERN, "llama-bpe": LLAMA3_PATTERN}
    if name in patterns:
        split = Split(Regex(patterns[name]), behavior="isolated")
        return Sequence([split, ByteLevel(add_prefix_space=False, use_regex=False)])
    return None


def _byte_level_bpe(fields: dict[str, Any], pre_tokenizer: Any) -> Any:
    from tokenizers import AddedToken, Tokenizer
    from tokenizers.decoders import ByteLevel
    from tokenizers.models import BPE
    from transformers import PreTrainedTokenizerFast

    tokens: list[str] = fields["tokens"]
    merges = [tuple(m.split(" ", 1)) for m in fields["merges"]]
    vocabulary = {token: i for i, token in enumerate(tokens)}
    tokenizer = Tokenizer(BPE(vocabulary, merges, ignore_merges=fields["pre"] == "llama-bpe"))
    tokenizer.pre_tokenizer = pre_tokenizer
    tokenizer.decoder = ByteLevel()
    kinds = fields.get("token_type") or [1] * len(tokens)
    for kind in (CONTROL, USER_DEFINED):
        chosen = [t for t, k in zip(tokens, kinds, strict=True) if k == kind]
        added = [AddedToken(t, special=kind == CONTROL, normalized=False) for t in chosen]
        tokenizer.add_special_tokens(added) if kind == CONTROL else tokenizer.add_tokens(added)
    named = {"bos_token": "bos", "eos_token": "eos", "unk_token": "unknown", "pad_token": "padding"}
    special = {ours: tokens[fields[f"{key}_token_id"]] for ours, key in named.items() if f"{key}_token_id" in fields}
    special.setdefault("pad_token", special.get("eos_token", tokens[0]))
    make: Any = PreTrainedTokenizerFast  # untyped
    wrapped = make(tokenizer_object=tokenizer, clean_up_tokenization_spaces=False, **special)
    wrapped.chat_template = fields.get("chat_template")
    return wrapped
