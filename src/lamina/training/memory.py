"""How much memory a training takes, computed before it: of the device that trains, and main memory.

Of the device: weights (in float32 also those with adapters added), gradients, Adam's two moments, what one batch keeps
for the backward pass, and the scores of its learnt tokens; the libraries themselves and what the allocator wastes come
on top.

Main memory: whatever device trains, every process reads the whole base into main memory in float32 and hands it on from
there (with FSDP the first alone, which sends the others their parts), and the first one writes the model. Not counted
are the libraries, the pages of a weights file that is being read (the system takes them back), and a bf16 copy of one
weight at a time.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from lamina.training.settings import TrainSettings
from lamina.training.sharding import Sharding
from lamina.training.weights import chosen_weights, expert_weights

GIB = 2**30
FILE_BYTES = 50e9
"""Transformers writes a model in files of at most that; one at a time is copied from the device that trained."""
TOKEN_BYTES = 64
"""Of a row's token and its label (our estimate): CPython's number of 32 bytes, its places in two lists, and two columns
of the table that batches are taken from, at 8 bytes each."""


@dataclass(frozen=True)
class Weights:
    """How many numbers the model has, how many work on a token (a mixture uses some of its experts), how many are
    trained, and how many have adapters beside them."""

    all: int
    active: int
    trained: int
    adapted: int = 0


def count_weights(model: Any, settings: TrainSettings) -> Weights:
    linear, experts = chosen_weights(model, settings)
    total = sum(p.numel() for p in model.parameters())
    config = model.config.get_text_config()
    idle = 0.0
    if per_token := getattr(config, "num_experts_per_tok", None):
        every = (
            model.get_parameter(name) for name in expert_weights(model)
        )  # configurations name their number variously
        idle = sum(weight.numel() * (1 - per_token / weight.shape[0]) for weight in every)
    shapes = [model.get_submodule(name).weight.shape for name in linear]
    shapes3 = [model.get_parameter(name).shape for name in experts]
    if settings.update == "lora":
        trained = sum(settings.lora_rank * (a + b) for a, b in shapes)
        trained += sum(settings.lora_rank * n * (a + b) for n, a, b in shapes3)
    else:
        trained = sum(math.prod(shape) for shape in (*shapes, *shapes3))
    adapted = sum(math.prod(shape) for shape in shapes) if settings.update == "lora" else 0
    return Weights(total, round(total - idle), trained, adapted)


def memory(config: Any, weights: Weights, settings: TrainSettings, tokens: int, learnt: int) -> dict[str, float]:
    """GiB by what it is for; ``tokens`` and ``learnt`` are those of the largest batch. Precision ``auto`` is counted as
    float32: what it comes to hangs on the machine. DPO reads two answers a row and keeps no second model: the base is
    the same weights without the adapter."""
    config = config.get_text_config()
    batches = 2 if settings.method == "dpo" else 1
    small = settings.precision in ("bf16", "mixed")
    width = 2 if small else 4
    hidden, inner = config.hidden_size, config.intermediate_size * (getattr(config, "num_experts_per_tok", None) or 1)
    head = getattr(config, "head_dim", None) or hidden // config.num_attention_heads
    queries, keys = head * config.num_attention_heads, head * config.num_key_value_heads
    layer = (6 * hidden + 3 * queries + 4 * keys + 4 * inner) * width  # a token, in one layer
    kept = config.num_hidden_layers * (hidden * width) + layer if settings.gradient_checkpointing else None
    adapters = weights.trained * 4 if settings.update == "lora" else 0
    short = settings.method == "sft" and not small  # ``lora.shorten`` keeps each weight with its adapter added
    layers_kept = 1 if settings.gradient_checkpointing else config.num_hidden_layers
    copied = weights.trained + weights.adapted * layers_kept / config.num_hidden_layers
    bytes_of = {
        "weights": weights.all * (2 if settings.precision == "bf16" else 4) + adapters,
        "adapted": weights.adapted * 4 * layers_kept / config.num_hidden_layers if short else 0,
        "rounded": weights.trained * 4 if settings.qat != "none" else 0,  # beside the exact ones
        "copies": copied * 2 if settings.precision == "mixed" else 0,  # autocast keeps bf16 ones of a batch
        "gradients": weights.trained * 4,
        "optimizer": weights.trained * 8,
        "activations": batches * tokens * (kept or layer * config.num_hidden_layers),
        "scores": batches * learnt * config.vocab_size * 12,  # scores, their float32 copy, their gradient
    }
    parts = {name: size / GIB for name, size in bytes_of.items()}
    return {**parts, "total": sum(parts.values())}


@dataclass(frozen=True)
class Machine:
    """What trains: the processor itself, or GPUs beside it; ``sharding`` as ``--sharding``."""

    device: Literal["cpu", "gpu"] = "gpu"
    sharding: Sharding | Literal["none"] = "none"
    processes: int = 1

    @property
    def said(self) -> str:
        what = "trained there too, on processors" if self.device == "cpu" else "trained on the GPU beside it"
        many = f", by {self.processes} processes together" if self.processes > 1 else ""
        return f"computed: base read, model written, {what}{many}"


def main_memory(
    weights: Weights, settings: TrainSettings, machine: Machine, taken: Mapping[str, float], row_tokens: int = 0
) -> dict[str, float]:
    """GiB of all processes together, at each stage, ``total`` at the one that takes most. ``taken``: of the device
    that trains (``memory``); ``row_tokens``: of all rows, each once, which every process keeps."""
    whole = weights.all * 4 / GIB
    adapters = weights.trained * 4 / GIB if settings.update == "lora" else 0.0
    rows = machine.processes * row_tokens * TOKEN_BYTES / GIB
    there = machine.processes if machine.device == "cpu" else 0
    stages = {
        "loading": whole * (1 if machine.sharding == "fsdp" else machine.processes),
        "training": there * taken["total"],
        "writing": there * (taken["total"] - taken["activations"] - taken["copies"] - taken["scores"])
        + _written(whole, adapters, settings, machine),
    }
    return {**stages, "rows": rows, "total": max(stages.values()) + rows}


def _written(whole: float, adapters: float, settings: TrainSettings, machine: Machine) -> float:
    """What the first process holds beside what trained, GiB (``saving``): the base again where adapters were trained
    beside one that was rounded; what was cut, gathered, and the model it is put into; else what is being written."""
    rounded = settings.precision == "bf16"
    if machine.sharding in ("fsdp", "deepspeed"):
        return whole + adapters + (whole / 2 if rounded else whole)
    if rounded:
        return whole + adapters
    return min(whole, FILE_BYTES / GIB) if machine.device == "gpu" else 0.0
