"""LoRA layers computed the short way.

PEFT adds the adapter's output to the layer's: two more products, a scaling and an addition over the whole
activation, forward and back. Here the adapter is added to the frozen weight first, once a step, so a layer is one
product, and only its small matrices get gradients. Same numbers up to rounding; measured on two Zen 3 cores with
batches of 16 rows of 50 tokens: 193 tokens/s against 161.
"""

from __future__ import annotations

from typing import Any

ADAPTER = "default"


def shorten(model: Any) -> int:
    """Changes the plain LoRA layers of a PEFT model in place and returns how many. Layers that PEFT computes in
    another way (dropout, DoRA, another type than float32, several adapters) stay as they are."""
    from peft.tuners.lora import Linear

    changed = 0
    layer: Any
    for layer in model.modules():
        if isinstance(layer, Linear) and _is_plain(layer):
            layer.forward = _forward_of(layer)  # type: ignore[method-assign]
            changed += 1
    return changed


def restore(model: Any) -> None:
    """Gives the layers PEFT's own computation back, for merging and saving."""
    from peft.tuners.lora import Linear

    for layer in model.modules():
        if isinstance(layer, Linear):
            layer.__dict__.pop("forward", None)


def _is_plain(layer: Any) -> bool:
    import torch

    return (
        list(layer.lora_A) == [ADAPTER]
        and isinstance(layer.lora_dropout[ADAPTER], torch.nn.Identity)
        and ADAPTER not in layer.lora_variant
        and layer.base_layer.weight.dtype == torch.float32
        and layer.lora_A[ADAPTER].weight.dtype == torch.float32
    )


def _forward_of(layer: Any) -> Any:
    base, scale = layer.base_layer, layer.scaling[ADAPTER]
    down, up = layer.lora_A[ADAPTER], layer.lora_B[ADAPTER]
    product = _adapted_product()

    def forward(x: Any) -> Any:
        # looked up each time: whoever shards the model gives its modules other tensors
        y = product.apply(x, base.weight, down.weight, up.weight, scale)
        return y if base.bias is None else y + base.bias

    return forward


def _adapted_product() -> Any:
    """``x (W + scale · up down)ᵀ`` with gradients for x, down (rank × in) and up (out × rank); W has none."""
    import torch

    class AdaptedProduct(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any, weight: Any, down: Any, up: Any, scale: float) -> Any:
            flat = x.reshape(-1, x.shape[-1])
            adapted = torch.addmm(weight, up, down, alpha=scale)
            ctx.save_for_backward(flat, adapted, down, up)
            ctx.scale = scale
            return (flat @ adapted.t()).view(*x.shape[:-1], -1)

        @staticmethod
        def backward(ctx: Any, grad: Any) -> Any:
            x, adapted, down, up = ctx.saved_tensors
            flat = grad.reshape(-1, grad.shape[-1])
            for_down = (flat @ up).mul_(ctx.scale).t() @ x
            for_up = (flat.t() @ (x @ down.t())).mul_(ctx.scale)
            for_x = (flat @ adapted).view(*grad.shape[:-1], -1) if ctx.needs_input_grad[0] else None
            return for_x, None, for_down, for_up, None

    return AdaptedProduct


def keep_freed_memory() -> None:
    """Asks the C library to reuse freed memory rather than give it back: every step needs the same again, and
    fetching fresh pages took up to a tenth of a step. Does nothing where the library has no such setting."""
    import ctypes

    arenas, map_above, trim_above, top_pad = -8, -3, -1, -2
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError, TypeError):
        return
    for option, value in ((arenas, 1), (map_above, 32 << 20), (trim_above, (1 << 31) - 1), (top_pad, 64 << 20)):
        mallopt(option, value)
