"""What a training will take, computed before it: weights in memory, steps, tokens, time (``lamina train --dry-run``).

Nothing is fetched or trained. The numbers of weights are exact: the model is made of shapes alone. Memory is that of
one device that holds everything: weights (in float32 also those with adapters added), gradients, Adam's two moments,
what one batch keeps for the backward pass, and the scores of its learnt tokens; the libraries themselves and what the
allocator wastes come on top. Time is floating-point operations over the rate that this machine multiplies matrices
with, half of which training reaches (our estimate).
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lamina.errors import InputError, ModelReferenceError
from lamina.models.templates import LAMINA_TEMPLATE, with_end_mark
from lamina.tools.tool import JSON
from lamina.training.base import gguf_of, require_training_libraries, tokenizer_from_gguf, with_end
from lamina.training.call_accuracy import hold_out
from lamina.training.lengths import Length, lengths_of, tokens_read
from lamina.training.preferences import Answers
from lamina.training.rows import TrainingData
from lamina.training.settings import TrainSettings
from lamina.training.trainer import order_of_rows
from lamina.training.weights import chosen_weights, context_of, expert_weights

GIB = 2**30
CHARACTERS = 3.5
REACHED = 0.5
"""Of the rate of one large matrix product, what a training step reaches."""


@dataclass(frozen=True)
class Weights:
    """How many numbers the model has, how many work on a token (a mixture uses some of its experts), how many are
    trained, and how many have adapters beside them."""

    all: int
    active: int
    trained: int
    adapted: int = 0


def empty_model(config: Any) -> Any:
    """The model of a Transformers configuration as shapes, without memory."""
    import torch
    from transformers import AutoModelForCausalLM

    make: Any = AutoModelForCausalLM.from_config  # untyped
    with torch.device("meta"):
        return make(config)


def config_of(architecture: JSON) -> Any:
    from transformers import AutoConfig

    return AutoConfig.for_model(**architecture)


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
    """GiB by what it is for; ``tokens`` and ``learnt`` are those of the largest batch. DPO reads two answers a row and
    keeps no second model: the base is the same weights without the adapter."""
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
    bytes_of = {
        "weights": weights.all * (2 if settings.precision == "bf16" else 4) + adapters,
        "adapted": weights.adapted * 4 * layers_kept / config.num_hidden_layers if short else 0,
        "rounded": weights.trained * 4 if settings.qat != "none" else 0,  # beside the exact ones
        "gradients": weights.trained * 4,
        "optimizer": weights.trained * 8,
        "activations": batches * tokens * (kept or layer * config.num_hidden_layers),
        "scores": batches * learnt * config.vocab_size * 12,  # scores, their float32 copy, their gradient
    }
    parts = {name: size / GIB for name, size in bytes_of.items()}
    return {**parts, "total": sum(parts.values())}


class Characters:
    """Stands for a tokenizer that is not on this machine: a token every 3.5 characters (our estimate)."""

    eos_token, eos_token_id = "<|im_end|>", 1

    def encode(self, text: str, **_: Any) -> list[int]:
        return [1] * math.ceil(len(text) / CHARACTERS)


def plan_training(
    ref: str,
    data: TrainingData,
    settings: TrainSettings,
    architecture: JSON | None = None,
    wrong: Answers | None = None,
) -> JSON:
    """The plan for a base, whose weights are not read. What is not on this machine is taken from the recipe's
    ``architecture``, and tokens are then estimated. ``wrong``: the answers to prefer the rows' over, where they are
    known before a model is asked. Raises InputError where no row can be trained on."""
    config, tokenizer = _known_of(ref, architecture)
    train, held = hold_out(data.train, data.held, settings)
    template = with_end_mark(LAMINA_TEMPLATE, tokenizer.eos_token)
    longest = min(settings.max_length, context_of(config, settings.max_length))
    lengths, refused = lengths_of(train, wrong, data.toolbox, tokenizer, template, settings, longest)
    if not lengths:
        raise InputError(f"nothing to train on: {refused[0]['reason']}")
    counted = "estimated, 3.5 characters each" if isinstance(tokenizer, Characters) else "counted"
    if settings.method == "dpo" and wrong is None:
        counted += "; wrong answers taken to be as long as the right ones"
    planned = {"base": ref, **plan(config, lengths, settings), "tokens_are": counted, "held_rows": len(held)}
    if settings.patience:
        planned["looks"] = "at held-out requests: their time is not counted"
    return {**planned, "refused": refused}


def _known_of(ref: str, architecture: JSON | None) -> tuple[Any, Any]:
    """Configuration and tokenizer of a base, from this machine alone where a recipe knows the architecture."""
    from transformers import AutoConfig, AutoTokenizer

    require_training_libraries()
    gguf = gguf_of(ref)
    if gguf is not None:
        return AutoConfig.from_pretrained(str(gguf.parent), gguf_file=gguf.name), with_end(
            ref, tokenizer_from_gguf(gguf)
        )
    folder = ref.removeprefix("hf:")
    here = {"local_files_only": architecture is not None or not ref.startswith("hf:")}
    try:
        return AutoConfig.from_pretrained(folder, **here), with_end(ref, AutoTokenizer.from_pretrained(folder, **here))
    except (OSError, ValueError) as error:
        if architecture is None or not ref.startswith("hf:"):
            raise ModelReferenceError(f"{ref}: no base whose configuration can be read; check the reference") from error
        return config_of(architecture), Characters()


def plan(config: Any, lengths: Sequence[Length], settings: TrainSettings) -> JSON:
    """The plan for rows of these lengths; sizes in GiB, time in seconds."""
    weights = count_weights(empty_model(config), settings)
    order = order_of_rows(len(lengths), settings.epochs, settings.seed)
    tokens = tokens_read(lengths, order, settings)
    longest = sorted((length.tokens for length in lengths), reverse=True)
    learnt = sorted((length.learnt for length in lengths), reverse=True)
    batch = sum(longest[: settings.batch]), sum(learnt[: settings.batch])
    rate = matrix_rate()
    return {
        "method": settings.method,
        "update": settings.update,
        "rows": len(lengths),
        "steps": math.ceil(len(order) / (settings.batch * settings.accumulate)),
        "tokens": tokens,
        "learnt_tokens": sum(lengths[i].all_learnt for i in order),
        "longest_row": longest[0],
        "parameters": weights.all,
        "trained_parameters": weights.trained,
        "memory_gib": memory(config, weights, settings, *batch),
        "seconds": round(operations(weights, settings) * tokens / (REACHED * rate), 1),
        "how": f"computed; time from {rate / 1e9:.0f} GFLOP/s measured here on one matrix product, half of it reached",
    }


def operations(weights: Weights, settings: TrainSettings) -> float:
    """Floating-point operations a token: two a weight forward, two back, two more for each weight's gradient, and the
    forward pass again where activations are not kept, and for preferences by the base, which they are measured
    against."""
    again = (2 if settings.gradient_checkpointing else 0) + (2 if settings.method == "dpo" else 0)
    return (4 + again) * weights.active + 2 * min(weights.trained, weights.active)


def matrix_rate() -> float:
    """Operations a second of one float32 product on the device that would train, the quickest of five."""
    import torch

    device = "cuda" if torch.cuda.is_available() else "cpu"
    a = torch.ones(1024, 1024, device=device)
    best = math.inf
    for _ in range(5):
        began = time.perf_counter()
        (a @ a)[0, 0].item()
        best = min(best, time.perf_counter() - began)
    return float(2 * 1024**3 / best)
