"""Second order: the diagonal of the input Hessian of a map's value, by Hutchinson's estimator.

In a network of ReLUs alone a logit's input Hessian is 0 and that of a squared map is ``2/C Σ JᵀJ``: first order once
more. True curvature needs a smooth activation or a normalisation layer between (``vision.resnet`` has both).
Everything here is computed in float32 at least (``precision``): in 16 bits a second derivative underflows to 0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lamina.errors import InputError
from lamina.training.layerwise.losses import Features, at_peak, attention_map, jacobian_loss
from lamina.training.layerwise.precision import as_float, unmixed

if TYPE_CHECKING:
    from torch import Generator, Tensor


def sign_probes(
    shape: tuple[int, ...], n: int, *, antithetic: bool = True, generator: Generator | None = None
) -> Tensor:
    """Probes (n, *shape) of random signs.

    Hutchinson's ``v ∘ Hv`` is the same for v and -v, so the usual antithetic pair gains nothing. Here the partners
    of a block (of the largest power of two that n holds) share one random draw and differ by rows of a Hadamard
    matrix: within a block, the error that two inputs put on each other cancels exactly unless their numbers are
    equal modulo the block's size. For images, (…, H, W), the numbers run along a Z curve, so that neighbours in both
    directions are told apart.

    Source: Bekas, Kokiopoulou and Saad, "An estimator for the diagonal of a matrix" (2007), section 3; the Z curve
    is our choice."""
    import torch

    if n < 1:
        raise InputError(f"{n} probes", mend="give 1 or more")
    if not antithetic or n == 1:
        return _signs((n, *shape), generator)
    block = 1 << (n.bit_length() - 1)
    numbers = _numbers(shape) % block
    rows = torch.arange(block).reshape(-1, *[1] * len(shape))
    partners = 1.0 - 2.0 * (_bits(rows & numbers) % 2)
    drawn = [_signs(shape, generator) * partners for _ in range(-(-n // block))]
    return torch.cat(drawn)[:n]


def hessian_diagonal(features: Features, x: Tensor, peak: Tensor, probes: Tensor) -> Tensor:
    """An unbiased estimate of ``diag ∇ₓ²a``, of the shape of x: the mean over probes v of ``v ∘ Hv``, with
    ``Hv = jvp(∇ₓa)(v)`` and a as in ``map_gradient``. ``probes``: (n, *x.shape[1:]), one set for all samples.

    It can be differentiated in the network's weights where gradients are on. Under them it is forward over reverse
    over the network, vectorised over the probes (``torch.func``): the plain forward pass is done once.

    Source: Hutchinson (1990); design of ``Hv`` as in Pearlmutter (1994)."""
    import torch

    def value(inputs: Tensor) -> Tensor:
        return at_peak(attention_map(features(inputs)), peak).sum()

    gradient: Any = torch.func.grad(value)
    jvp: Any = torch.func.jvp  # its type depends on a flag
    x = as_float(x).detach()
    probes = probes.to(x)

    def product(probe: Tensor) -> Tensor:
        spread = probe.expand_as(x)
        curved: Tensor = jvp(gradient, (x,), (spread,))[1]
        return spread * curved

    with unmixed(x):
        if len(probes) == 1:
            return product(probes[0])
        estimates: Tensor = torch.func.vmap(product)(probes)
    return estimates.mean(dim=0)


def hessian_loss(student: Tensor, teacher: Tensor, *, per_sample: bool = False) -> Tensor:
    """``‖ h_S/‖h_S‖ - h_T/‖h_T‖ ‖²`` of two Hessian diagonals (N, …), between 0 and 4; make both with the same
    probes, so that chance moves both alike.

    Source: arXiv 2407.04871 names the quantity; the normalisation is that of the Jacobians (our choice)."""
    return jacobian_loss(student, teacher, per_sample=per_sample)


def _signs(shape: tuple[int, ...], generator: Generator | None) -> Tensor:
    import torch

    return torch.randint(0, 2, shape, generator=generator).float() * 2 - 1


def _numbers(shape: tuple[int, ...]) -> Tensor:
    """A number of its own for each input: along a Z curve over the last two dimensions, the others counted first."""
    import torch

    *outer, height, width = (1, 1, *shape)
    rows, columns = torch.arange(height).unsqueeze(1), torch.arange(width).unsqueeze(0)
    curve = torch.zeros(height, width, dtype=torch.long)
    for bit in range(max(height, width).bit_length()):
        curve |= ((columns >> bit) & 1) << (2 * bit) | ((rows >> bit) & 1) << (2 * bit + 1)
    count = int(torch.tensor(outer).prod())
    inner = torch.arange(count).reshape(*outer, 1, 1)
    return (curve * count + inner).reshape(shape)


def _bits(numbers: Tensor) -> Tensor:
    """How many bits are set."""
    counted = numbers * 0
    while bool(numbers.any()):
        counted = counted + (numbers & 1)
        numbers = numbers >> 1
    return counted
