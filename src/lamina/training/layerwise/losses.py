"""Transfer losses of value and first order, as pure functions of tensors.

Shapes: N samples; F are a layer's output activations, (N, C, H, W) of an image network or (N, T, C) of a
transformer, whose T tokens are the positions; a map is (N, P) with P = H · W or T. Every loss is a scalar, a mean
over the N samples, and every one also gives its value per sample, (N,), with ``per_sample=True``. All maps and all
derivatives are computed in float32 at least: a squared 16-bit activation leaves its range already.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from lamina.errors import InputError
from lamina.training.layerwise.precision import as_float, unmixed

if TYPE_CHECKING:
    from torch import Tensor

Features = Callable[["Tensor"], "Tensor"]
"""A network up to a layer: input (N, …) to that layer's output activations F, in float32 at least for derivatives
(``transfer.features_of`` sees to it)."""


def attention_map(features: Tensor) -> Tensor:
    """``A = mean_c F²``: (N, C, H, W) or (N, T, C) to (N, P), not normalised.

    Source: Zagoruyko and Komodakis, arXiv 1612.03928, section 3.1 (their ``F_sum`` with p = 2, divided by C, which
    the normalisation that follows takes out again)."""
    if features.dim() == 4:
        return as_float(features).pow(2).mean(dim=1).flatten(1)
    if features.dim() == 3:
        return as_float(features).pow(2).mean(dim=2)
    raise InputError(f"activations of shape {tuple(features.shape)}", mend="a layer gives (N, C, H, W) or (N, T, C)")


def attention_loss(
    student: Tensor, teacher: Tensor, form: str = "code", mask: Tensor | None = None, *, per_sample: bool = False
) -> Tensor:
    """The distance of two layers' normalised attention maps ``Q = A / ‖A‖₂``. ``student`` and ``teacher`` are maps
    (N, P); ``mask`` (N, P) is False at positions that don't count (padding).

    ``form``: ``code``, mean over the P positions of ``(Q_S - Q_T)²``, as the authors' program computes it; ``paper``,
    ``‖Q_S - Q_T‖₂``, as their text has it; ``squared``, ``‖Q_S - Q_T‖₂²``, between 0 and 1 for maps, of the same
    size whatever P (our choice, for comparing layers). The three scale differently: a layer with four times the
    positions counts a fourth in ``code`` and the same in the others.

    Source: arXiv 1612.03928, equation 2, and its reference code. Raises InputError for maps of different sizes."""
    check_same_maps(student, teacher)
    squared = (unit(masked(student, mask)) - unit(masked(teacher, mask))).pow(2)
    total = squared.sum(dim=1)
    if form == "code":
        positions = mask.sum(dim=1).clamp(min=1) if mask is not None else squared.shape[1]
        losses = total / positions
    elif form == "paper":
        losses = (total + tiny(total)).sqrt()  # the root has no derivative at 0
    elif form == "squared":
        losses = total
    else:
        raise InputError(f"no form {form!r} of attention transfer", mend="it is code, paper or squared")
    return losses if per_sample else losses.mean()


def jensen_shannon_loss(
    student: Tensor,
    teacher: Tensor,
    student_weight: float = 0.5,
    mask: Tensor | None = None,
    *,
    per_sample: bool = False,
) -> Tensor:
    """``H(b₁ p_S + b₂ p_T) - b₁ H(p_S) - b₂ H(p_T)`` in nats, with H Shannon's entropy, ``p = A / Σ A`` the maps (N, P)
    as distributions over positions, b₁ ``student_weight`` and b₂ = 1 - b₁. Between 0 and H((b₁, b₂)), which is ln 2
    for equal weights; 0 only for equal maps.

    Source: Lin, "Divergence measures based on the Shannon entropy" (1991), equation 4.1; that layer-wise
    distillation (arXiv 2407.04871) drives its rates with it is reported second-hand."""
    import torch

    check_same_maps(student, teacher)
    if not 0 < student_weight < 1:
        raise InputError(f"student_weight {student_weight}", mend="it lies between 0 and 1")
    p, q = shares(masked(student, mask)), shares(masked(teacher, mask))
    teacher_weight = 1 - student_weight

    def entropy(share: Tensor) -> Tensor:
        found: Tensor = -torch.special.xlogy(share, share.clamp(min=tiny(share))).sum(dim=1)
        return found

    mixed = entropy(student_weight * p + teacher_weight * q)
    losses = (mixed - student_weight * entropy(p) - teacher_weight * entropy(q)).clamp(min=0)  # rounding goes below
    return losses if per_sample else losses.mean()


def logit_loss(student: Tensor, teacher: Tensor, temperature: float = 4.0, *, per_sample: bool = False) -> Tensor:
    """``τ² KL(softmax(z_T / τ) ‖ softmax(z_S / τ))`` in nats; ``student`` and ``teacher`` are logits (N, classes).

    Source: Hinton, Vinyals and Dean, arXiv 1503.02531, section 2 (τ² keeps the gradient's size when τ changes)."""
    import torch

    if student.shape != teacher.shape:
        raise InputError(f"logits of {student.shape[-1]} classes against the teacher's {teacher.shape[-1]}")
    ours = torch.log_softmax(as_float(student) / temperature, dim=-1)
    theirs = torch.log_softmax(as_float(teacher) / temperature, dim=-1)
    losses = (theirs.exp() * (theirs - ours)).sum(dim=-1) * temperature**2
    return losses if per_sample else losses.mean()


def labels_loss(student: Tensor, teacher: Tensor, temperature: float = 4.0) -> Tensor:
    """``logit_loss`` where a sample may have several labels: each class is a distribution of its own over yes and no,
    and their divergences are averaged, as binary cross entropy averages (our choice)."""
    import torch

    zero = torch.zeros_like(as_float(student)).unsqueeze(-1)
    ours, theirs = (torch.cat([as_float(x).unsqueeze(-1), zero], dim=-1).flatten(0, -2) for x in (student, teacher))
    return logit_loss(ours, theirs, temperature)


def map_peak(teacher: Tensor) -> Tensor:
    """Where the teacher's map (N, P) is largest, (N,): first and second order look at that position alone, and in
    both networks at the same."""
    return teacher.detach().argmax(dim=1)


def map_gradient(features: Features, x: Tensor, peak: Tensor, *, create_graph: bool = False) -> Tensor:
    """``∇ₓ a``, of the shape of x, with a the layer's attention map at ``peak`` (N,): one number a sample. With
    ``create_graph`` it can be differentiated in the network's weights. Samples must not depend on each other (batch
    normalisation in training mode makes them).

    Source: Srinivas and Fleuret, arXiv 1803.00443, section 4.2 (the Jacobian of the map's largest value)."""
    import torch

    with torch.enable_grad(), unmixed(x):
        x = as_float(x).detach().requires_grad_()
        value = at_peak(attention_map(features(x)), peak).sum()
        (gradient,) = torch.autograd.grad(value, x, create_graph=create_graph)
    return gradient


def jacobian_loss(student: Tensor, teacher: Tensor, *, per_sample: bool = False) -> Tensor:
    """``‖ ∇ₓa_S/‖∇ₓa_S‖ - ∇ₓa_T/‖∇ₓa_T‖ ‖²``, between 0 and 4: 2 - 2 cos of the angle between the two gradients, of
    any one shape (N, …), as ``map_gradient`` gives them.

    Source: arXiv 1803.00443, section 4.2. Raises InputError where the shapes differ: the inputs do."""
    if student.shape != teacher.shape:
        raise InputError(
            f"derivatives in inputs of different sizes, {tuple(student.shape[1:])} and {tuple(teacher.shape[1:])}",
            mend="teacher and student must read the same input",
        )
    losses = (unit(as_float(student).flatten(1)) - unit(as_float(teacher).flatten(1))).pow(2).sum(dim=1)
    return losses if per_sample else losses.mean()


def at_peak(maps: Tensor, peak: Tensor) -> Tensor:
    """(N, P) and (N,) to (N,)."""
    return maps.gather(1, peak.unsqueeze(1)).squeeze(1)


def check_same_maps(student: Tensor, teacher: Tensor) -> None:
    if student.shape != teacher.shape:
        raise InputError(
            f"maps of {student.shape[-1]} and {teacher.shape[-1]} positions cannot be compared",
            mend="match layers of the same height and width, and give both networks the same input size",
        )


def unit(rows: Tensor) -> Tensor:
    """Each row divided by its length; a row of zeros stays one, with a gradient of zero. A row is first brought to a
    largest entry of 1: squares of small derivatives leave float32's range."""
    largest = rows.detach().abs().amax(dim=1, keepdim=True)
    empty = largest == 0
    scaled = rows / largest.masked_fill(empty, 1)
    return (scaled / (scaled.pow(2).sum(dim=1, keepdim=True) + empty).sqrt()).masked_fill(empty, 0)


def shares(maps: Tensor) -> Tensor:
    """Each row divided by its sum; a row of zeros is spread evenly."""
    total = maps.sum(dim=1, keepdim=True)
    return (maps + tiny(maps)) / (total + tiny(maps) * maps.shape[1])


def masked(maps: Tensor, mask: Tensor | None) -> Tensor:
    maps = as_float(maps)
    return maps if mask is None else maps * mask


def tiny(tensor: Tensor) -> float:
    """The smallest normal number of a tensor's type, times 2¹⁰: adding it changes nothing that can be seen."""
    import torch

    return torch.finfo(tensor.dtype).tiny * 1024
