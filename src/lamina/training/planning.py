"""What a training will take, computed before it: weights in memory, steps, tokens, time (``lamina train --dry-run``).

Nothing is fetched or trained. The numbers of weights are exact: the model is made of shapes alone. Memory is that of
one device that holds everything, and main memory (``memory``). Time is floating-point operations over the rate that
this machine multiplies matrices with, half of which training reaches (our estimate).
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from lamina.errors import InputError, ModelReferenceError
from lamina.tools.tool import JSON
from lamina.training.base import gguf_of, require_training_libraries, tokenizer_from_gguf, with_end
from lamina.training.call_accuracy import hold_out
from lamina.training.lengths import Length, lengths_of, tokens_read
from lamina.training.memory import Machine, Weights, count_weights, main_memory, memory
from lamina.training.precision import Precision, precision_of
from lamina.training.preferences import Answers
from lamina.training.refusing import nothing_left
from lamina.training.rows import TrainingData, learnt_template
from lamina.training.settings import TrainSettings
from lamina.training.sharding import Sharding
from lamina.training.trainer import order_of_rows
from lamina.training.weights import context_of

CHARACTERS = 3.5
REACHED = 0.5
"""Of the rate of one large matrix product, what a training step reaches."""


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
    machine: Machine | None = None,
) -> JSON:
    """The plan for a base, whose weights are not read. What is not on this machine is taken from the recipe's
    ``architecture``, and tokens are then estimated. ``wrong``: the answers to prefer the rows' over, where they are
    known before a model is asked. ``machine`` is what is to train, else what torch sees here. Raises InputError where
    no row can be trained on."""
    config, tokenizer = _known_of(ref, architecture)
    train, held = hold_out(data.train, data.held, settings)
    template = learnt_template(settings.learn, tokenizer.eos_token)
    longest = min(settings.max_length, context_of(config, settings.max_length))
    lengths, refused = lengths_of(train, wrong, data.toolbox, tokenizer, template, settings, longest)
    if not lengths:
        raise InputError(nothing_left(refused))
    counted = "estimated, 3.5 characters each" if isinstance(tokenizer, Characters) else "counted"
    if settings.method == "dpo" and wrong is None:
        counted += "; wrong answers taken to be as long as the right ones"
    planned = {"base": ref, **plan(config, lengths, settings, machine or this_machine())}
    planned |= {"tokens_are": counted, "held_rows": len(held)}
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


def this_machine(sharding: Sharding | None = None, processes: int = 0) -> Machine:
    """``processes``: 0 stands for one on each GPU that torch sees, as ``--processes``."""
    import torch

    seen = torch.cuda.device_count()
    return Machine("gpu" if seen else "cpu", sharding or "none", max(1, processes or seen) if sharding else 1)


def plan(config: Any, lengths: Sequence[Length], settings: TrainSettings, machine: Machine) -> JSON:
    """The plan for rows of these lengths; sizes in GiB, time in seconds."""
    precision = precision_of(settings, deepspeed=machine.sharding == "deepspeed")
    auto = {"precision_is": "what auto comes to on this machine"} if settings.precision == "auto" else {}
    settings = replace(settings, precision=precision)
    weights = count_weights(empty_model(config), settings)
    order = order_of_rows(len(lengths), settings.epochs, settings.seed)
    tokens = tokens_read(lengths, order, settings)
    longest = sorted((length.tokens for length in lengths), reverse=True)
    learnt = sorted((length.learnt for length in lengths), reverse=True)
    batch = sum(longest[: settings.batch]), sum(learnt[: settings.batch])
    rate = matrix_rate(precision)
    taken = memory(config, weights, settings, *batch)
    return {
        "method": settings.method,
        "update": settings.update,
        "precision": precision,
        **auto,
        "rows": len(lengths),
        "steps": math.ceil(len(order) / (settings.batch * settings.accumulate)),
        "tokens": tokens,
        "learnt_tokens": sum(lengths[i].all_learnt for i in order),
        "longest_row": longest[0],
        "parameters": weights.all,
        "trained_parameters": weights.trained,
        "memory_gib": taken,
        "main_memory_gib": main_memory(weights, settings, machine, taken, sum(length.tokens for length in lengths)),
        "main_memory_is": machine.said,
        "seconds": round(operations(weights, settings) * tokens / (REACHED * rate), 1),
        "how": f"computed; time from {rate / 1e9:.0f} GFLOP/s measured here on one matrix product in "
        f"{_multiplied_in(precision)}, half of it reached",
    }


def operations(weights: Weights, settings: TrainSettings) -> float:
    """Floating-point operations a token: two a weight forward, two back, two more for each weight's gradient, and the
    forward pass again where activations are not kept, and for preferences by the base, which they are measured
    against."""
    again = (2 if settings.gradient_checkpointing else 0) + (2 if settings.method == "dpo" else 0)
    return (4 + again) * weights.active + 2 * min(weights.trained, weights.active)


def matrix_rate(precision: Precision) -> float:
    """Operations a second of one product on the device that would train, the quickest of five, or of as many as a
    second holds: bf16 is slow where the machine does not compute in it."""
    import torch

    device = "cuda" if torch.cuda.is_available() else "cpu"
    a = torch.ones(1024, 1024, device=device, dtype=getattr(torch, _multiplied_in(precision)))
    best, started = math.inf, time.perf_counter()
    for _ in range(5):
        began = time.perf_counter()
        (a @ a)[0, 0].item()
        best = min(best, time.perf_counter() - began)
        if time.perf_counter() - started > 1:
            break
    return float(2 * 1024**3 / best)


def _multiplied_in(precision: Precision) -> str:
    return "float32" if precision == "float32" else "bfloat16"
