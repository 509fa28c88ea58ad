"""Which weights a training changes: the linear layers, a mixture's experts among them, or adapters beside them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lamina.models import usable_cores
from lamina.training.lora import keep_freed_memory, shorten
from lamina.training.packing import use_row_attention
from lamina.training.settings import TrainSettings


def trainable(model: Any, settings: TrainSettings, bf16: bool) -> tuple[Any, int]:
    """The model with what is to be trained open and all else frozen, and how many numbers that are. With ``bf16``
    frozen weights are rounded to it."""
    import torch
    from transformers import set_seed

    # torch knows of cores that compute once and show twice, and not of those that this process may not use
    torch.set_num_threads(settings.threads or min(usable_cores(), torch.get_num_threads()))
    set_seed(settings.seed)
    keep_freed_memory()
    linear, experts = chosen_weights(model, settings)
    if settings.update == "lora":
        model = _with_lora(model.to(torch.bfloat16) if bf16 else model, linear, experts, settings)
    else:
        model.requires_grad_(False)
        for name in [*(f"{layer}.weight" for layer in linear), *experts]:
            model.get_parameter(name).requires_grad_(True)
    inner = inner_model(model)
    if settings.method == "sft":  # DPO's batches are TRL's, padded
        use_row_attention(inner)
    return model, sum(p.numel() for p in model.parameters() if p.requires_grad)


def chosen_weights(model: Any, settings: TrainSettings) -> tuple[list[str], list[str]]:
    """Names of the linear layers and of the experts' weights that the settings train, or put adapters beside."""
    layers = model.config.get_text_config().num_hidden_layers
    lowest = max(0, layers - (settings.lora_layers or layers))
    linear, experts = (
        [name for name in names(model) if _layer_of(name) >= lowest] for names in (linear_layers, expert_weights)
    )
    return linear, experts


def context_of(config: Any, otherwise: int) -> int:
    """Tokens that a Transformers model reads at most."""
    return getattr(config.get_text_config(), "max_position_embeddings", None) or otherwise


def inner_model(model: Any) -> Any:
    """The Transformers model inside PEFT's wrapper, or itself."""
    return model.get_base_model() if hasattr(model, "get_base_model") else model


def linear_layers(model: Any) -> Iterator[str]:
    """Names of the linear layers but the output layer, which most small models share with the embedding."""
    import torch

    for name, module in model.named_modules():
        if isinstance(module, torch.nn.Linear) and module is not model.get_output_embeddings():
            yield name


def expert_weights(model: Any) -> Iterator[str]:
    """Names of the weights of a mixture's experts: Transformers keeps those of a layer as one (experts, out, in).
    The router is left as it is: it decides from few numbers, and rows of one kind would bend it (our choice)."""
    for name, weight in model.named_parameters():
        if weight.dim() == 3 and ".experts." in name:
            yield name


def _with_lora(model: Any, linear: list[str], experts: list[str], settings: TrainSettings) -> Any:
    from peft import LoraConfig, get_peft_model

    config = LoraConfig(
        r=settings.lora_rank,
        lora_alpha=settings.lora_alpha,
        lora_dropout=0.0,
        target_modules=linear,
        target_parameters=experts or None,
        task_type="CAUSAL_LM",
    )
    wrapped = get_peft_model(model, config)
    if settings.method == "sft":  # DPO's reference is the base, by switching the adapter off
        shorten(wrapped)
    return wrapped


def _layer_of(name: str) -> int:
    """``model.layers.12.mlp.up_proj`` is of layer 12."""
    return next((int(part) for part in name.split(".") if part.isdigit()), 0)
