"""Quantization-aware training: the last part of a training computes with weights rounded as the file will round them.

Forward and backward see the rounded weights, the step is taken on the exact ones (the straight-through estimator; Jacob
et al., 2018, section 3). So what rounding takes away is learnt back while there is still training to do. Why it matters
here: a fine-tuning moves a weight by a fraction of a 4-bit step, and rounding a finished model loses much of it
(docs/results/quantization.md). The model that is kept is the rounded one. The exact weights were never asked for an
answer and are worth little (measured, same page), and a file of the type then holds the model to the last bit.

Types are ggml's blocks of 32 values with one scale (``block_q4_0`` and its kin): the value of the largest size is the
lowest level, and the scale is kept as float16."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from lamina.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

WIDTH = 32
LEVELS = {"Q4_0": 16, "Q5_0": 32}
"""Levels of a type, as many below zero as from zero up."""
CHUNK = 1 << 20
"""Values rounded at a time: what is made on the way stays in the processor's cache, not in memory."""


def rounded(weight: Tensor, type: str) -> Tensor:
    """``weight`` (outputs, inputs; inputs a multiple of 32) with each value as a file of ``type`` would give it back.
    The same values, bit for bit, as ggml's own quantizer writes without an importance matrix."""
    import torch

    half = LEVELS[type] // 2
    out = torch.empty_like(weight, dtype=torch.float32)
    flat, into = weight.detach().reshape(-1), out.view(-1)
    for start in range(0, flat.numel(), CHUNK):
        blocks = flat[start : start + CHUNK].float().view(-1, WIDTH)
        scale = _largest(blocks) / -half
        steps = blocks * torch.where(scale == 0, 0.0, 1.0 / scale)
        steps = (steps + (half + 0.5)).floor_().clamp_(0, 2 * half - 1).sub_(half)
        into[start : start + CHUNK] = (steps * scale.half().float()).view(-1)
    return out.to(weight.dtype)


def _largest(blocks: Tensor) -> Tensor:
    """The value of the largest size in each row, the first of several, as (rows, 1)."""
    import torch

    low, high = torch.aminmax(blocks, dim=1, keepdim=True)  # half the time of a search for where it stands
    largest = torch.where(high > -low, high, low)
    if (tie := (high == -low)[:, 0]).any():
        found = blocks[tie]
        largest[tie] = found.gather(1, found.abs().argmax(1, keepdim=True))
    return largest


class Rounding:
    """Rounds the trained matrices of ``model`` for ``type`` in the last ``share`` of ``steps``. Raises InputError for
    a matrix whose rows are no multiple of 32 values: the file could not hold it in that type either."""

    def __init__(self, model: Any, type: str, share: float, steps: int):
        self.type, self.first = type, round((1 - share) * steps)
        self.weights = [(n, p) for n, p in model.named_parameters() if p.requires_grad and p.dim() > 1]
        uneven = [name for name, weight in self.weights if weight.shape[-1] % WIDTH]
        if uneven:
            what = f"{uneven[0]}: its rows are no multiple of {WIDTH} values, which {type} needs"
            raise InputError(what, mend="train without qat")

    def settle(self) -> None:
        """Leaves the rounded weights in the model, for good."""
        for _, weight in self.weights:
            weight.data = rounded(weight.data, self.type)

    @contextmanager
    def at(self, step: int) -> Iterator[None]:
        """Within it the model computes with rounded weights, if it is time; gradients are kept, weights come back."""
        if step < self.first:
            yield
            return
        exact = []
        for _, weight in self.weights:
            exact.append(weight.data)
            weight.data = rounded(weight.data, self.type)
        try:
            yield
        finally:
            for (_, weight), value in zip(self.weights, exact, strict=True):
                weight.data = value
