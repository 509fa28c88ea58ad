"""A Transformers folder as llama.cpp wants it: its metadata, and its tensors under llama.cpp's names.

Of a model that sees (LLaVA) this is the language part; ``vision_part`` writes the other."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

from lamina.errors import InputError
from lamina.models.metadata import chat_templates
from lamina.models.templates import without_marks
from lamina.quantize.architectures import (
    Architecture,
    architecture_of,
    model_metadata,
    paired_heads,
    rotation_factors,
    tensor_names,
)
from lamina.quantize.model_source import Given, Shifted, Source, Stacked, Stored
from lamina.quantize.safetensors_reader import stored_tensors
from lamina.quantize.vocabulary import tokenizer_metadata
from lamina.tools.tool import JSON

SEEING = ("llava",)
"""Architectures of a vision part and a language part, which is one of ``ARCHITECTURES``."""
LANGUAGE = ("language_model.model.", "model.language_model.")
"""How the names of a language part's tensors begin in the folder, then as ``model.`` alone."""
EXPERT = re.compile(r"\.experts\.(\d+)\.")
COMPUTED = "rotary_emb.inv_freq"
"""Saved by old versions of Transformers, and no weights."""


def sees(folder: Path) -> bool:
    """Whether the folder holds a model with a vision part that can be exported."""
    return (folder / "config.json").is_file() and config_of(folder).get("model_type") in SEEING


def config_of(folder: Path) -> JSON:
    """Raises InputError for a folder without a readable ``config.json``."""
    try:
        config: JSON = json.loads((folder / "config.json").read_text("utf-8"))
    except OSError:
        raise InputError("there is no config.json", file=folder, mend="give a Transformers folder") from None
    except ValueError:
        raise InputError("not JSON", file=folder / "config.json", mend="save the model again") from None
    return config


def _language_part(config: JSON, stored: Mapping[str, Stored]) -> tuple[JSON, dict[str, Stored]]:
    """The configuration and tensors of the language part of a model that sees, named as if it were alone."""
    found: dict[str, Stored] = {}
    for name, tensor in stored.items():
        if name.endswith("lm_head.weight"):
            found["lm_head.weight"] = tensor
        for start in LANGUAGE:
            if name.startswith(start):
                found[f"model.{name.removeprefix(start)}"] = tensor
    tied = config.get("tie_word_embeddings") or config["text_config"].get("tie_word_embeddings", False)
    return {**config["text_config"], "tie_word_embeddings": tied}, found


def folder_source(folder: Path) -> Source:
    """Raises InputError for what is no model folder that can be exported."""
    config = config_of(folder)
    stored: Mapping[str, Stored] = stored_tensors(folder)
    if config.get("model_type") in SEEING:
        config, stored = _language_part(config, stored)
    architecture = architecture_of(config, folder / "config.json")
    layers, heads = int(config["num_hidden_layers"]), config["num_attention_heads"]
    tensors, stored_as = _named(config, architecture, stored, folder)
    if (factors := rotation_factors(config)) is not None:
        tensors["rope_freqs.weight"] = Given(factors)
    size = tensors["token_embd.weight"].shape[0]
    metadata = model_metadata(config, architecture, size) | tokenizer_metadata(folder, size) | own_metadata(folder)
    shared_heads = config.get("num_key_value_heads") or heads
    return Source(
        path=folder,
        architecture=architecture.gguf,
        metadata=metadata,
        tensors=tensors,
        layers=layers,
        queries_per_value=heads // shared_heads,
        experts=config["num_local_experts"] if "num_local_experts" in architecture.needed else 1,
        stored_as=stored_as,
        heads=paired_heads(architecture, tensors, heads, shared_heads),
    )


def _named(
    config: JSON, architecture: Architecture, stored: Mapping[str, Stored], folder: Path
) -> tuple[dict[str, Stored], dict[str, str]]:
    """The tensors under their names in the GGUF file, and what those are called in the folder that are one there."""
    named = tensor_names(architecture, int(config["num_hidden_layers"]))
    tensors: dict[str, Stored] = {}
    stored_as: dict[str, str] = {}
    experts: dict[str, dict[int, Stored]] = {}
    for name, tensor in stored.items():
        if name.endswith(COMPUTED):
            continue
        one_of = EXPERT.search(name)
        ours = named(EXPERT.sub(".experts.", name))
        if ours is None:
            raise InputError(f"tensor {name} has no place in a GGUF file", file=folder, mend="merge adapters first")
        if one_of:
            experts.setdefault(ours, {})[int(one_of[1])] = tensor
        elif architecture.norm_shift and "norm" in ours:
            tensors[ours] = Shifted(tensor, architecture.norm_shift)
        else:
            tensors[ours], stored_as[ours] = tensor, name
    for ours, parts in experts.items():
        if sorted(parts) != list(range(config["num_local_experts"])):
            raise InputError(f"experts are missing of {ours}", file=folder, mend="fetch or save the model again")
        tensors[ours] = Stacked(tuple(parts[i] for i in sorted(parts)))
    if config.get("tie_word_embeddings"):
        tensors.pop("output.weight", None)
        stored_as.pop("output.weight", None)
    return tensors, stored_as


def own_metadata(folder: Path) -> JSON:
    """The chat templates, and what Lamina wrote beside the model."""
    found: JSON = {"general.name": folder.resolve().parent.name}
    others = []
    for name, template in chat_templates(folder).items():
        template = without_marks(template)
        if name == "default":
            found["tokenizer.chat_template"] = template
        else:
            others.append(re.sub(r"[^A-Za-z0-9]", "_", name))
            found[f"tokenizer.chat_template.{others[-1]}"] = template
    if others:
        found["tokenizer.chat_templates"] = others
    ours = folder / "lamina.json"
    if ours.is_file():
        facts = json.loads(ours.read_text("utf-8"))
        found["lamina.prompt_style"] = facts["prompt_style"]
        found["lamina.tools"] = json.dumps(facts["tools"], ensure_ascii=False)
        if facts.get("speaks"):
            found["lamina.speaks"] = True
        found["lamina.copied"] = json.dumps(facts.get("copied", []), ensure_ascii=False)
    return found
