"""Derivatives are computed in float32 at least, whatever a network's type: in 16 bits the second underflows to 0, and
the first nearly does."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from itertools import chain
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module


def as_float(tensor: Tensor) -> Tensor:
    """16-bit numbers as float32, float32 and float64 as they are."""
    return tensor.float() if tensor.element_size() < 4 else tensor


def unmixed(x: Tensor) -> AbstractContextManager[Any]:
    """No autocast inside."""
    import torch

    return torch.autocast(x.device.type, enabled=False)


def in_float32(module: Module) -> Callable[..., Any]:
    """The module itself or, where it has weights of 16 bits, a call of it with copies of them in float32, through which
    their gradients pass."""
    import torch

    if all(weight.element_size() >= 4 for weight in module.parameters()):
        return module

    def call(*args: Any, **kwargs: Any) -> Any:
        named = chain(module.named_parameters(), module.named_buffers())
        copies = {name: as_float(tensor) if tensor.is_floating_point() else tensor for name, tensor in named}
        return torch.func.functional_call(module, copies, args, kwargs)

    return call
