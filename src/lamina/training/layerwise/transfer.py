"""The transfer term of one training step: which layers, which samples, how often, and what it costs to know less.

Derivatives are the expensive part (measured: docs/results/layerwise.md), so first and second order look at
``samples`` of each batch and at one layer a step, in turn. The estimate stays unbiased for the mean over layers and
samples. Attention maps come out of the forward pass that is made anyway: all layers, all samples.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from lamina.errors import InputError, WorkFailedError
from lamina.training.layerwise.curvature import hessian_diagonal, hessian_loss, sign_probes
from lamina.training.layerwise.losses import (
    Features,
    attention_loss,
    attention_map,
    jacobian_loss,
    jensen_shannon_loss,
    labels_loss,
    logit_loss,
    map_gradient,
    map_peak,
)
from lamina.training.layerwise.matching import LayerPair, layer_outputs
from lamina.training.layerwise.precision import in_float32
from lamina.training.layerwise.recomputing import recomputed

if TYPE_CHECKING:
    from torch import Generator, Tensor

KINDS = ("none", "logits", "attention", "jacobian", "hessian")
FORMS = ("code", "paper", "squared", "jensen-shannon")
ORDERS = {"jacobian": 1, "hessian": 2}

WEIGHTS = {"none": 0.0, "logits": 1.0, "attention": 1.0, "jacobian": 1.0, "hessian": 1.0}
"""Beside a cross entropy of weight 1. Attention: of the ``squared`` form, the mean over layers."""
SAMPLES = {"jacobian": 16, "hessian": 8}
EVERY = {"jacobian": 1, "hessian": 2}
"""So that a step costs at most twice and three times one of logit distillation (benchmarks/distillation_steps.py)."""


@dataclass(frozen=True)
class TransferSettings:
    """``weight``, ``samples`` and ``every`` 0 take the usual ones of the kind. ``form``: of attention transfer.
    ``samples`` of a batch and every ``every``-th step, with ``every`` times the weight, count for Jacobians and
    Hessians; ``in_turn``: one layer a step, else all. ``probes``: of
    Hutchinson's estimator. ``temperature``: of the logits. ``recompute``: for Jacobians, the teacher's layers keep
    their inputs alone and are computed again (less memory, more time). ``several``: a sample may have several labels.
    """

    kind: str = "attention"
    weight: float = 0.0
    form: str = "squared"
    temperature: float = 4.0
    samples: int = 0
    every: int = 0
    in_turn: bool = True
    probes: int = 4
    antithetic: bool = True
    recompute: bool = False
    several: bool = False

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise InputError(f"no transfer {self.kind!r}", mend=f"it is one of {', '.join(KINDS)}")
        if self.form not in FORMS:
            raise InputError(f"no form {self.form!r} of attention transfer", mend=f"it is one of {', '.join(FORMS)}")
        for name, usual in (("weight", WEIGHTS), ("samples", SAMPLES), ("every", EVERY)):
            if getattr(self, name) == 0:
                object.__setattr__(self, name, usual.get(self.kind, 0))
            if getattr(self, name) < 0:
                raise InputError(f"{name} must not be below 0, got {getattr(self, name)}")
        if self.probes < 1:
            raise InputError(f"probes must be at least 1, got {self.probes}")
        if self.temperature <= 0:
            raise InputError(f"temperature must be above 0, got {self.temperature}")


@dataclass(frozen=True)
class Knowledge:
    """What a teacher says about some samples: ``logits`` (N, classes), ``maps`` (N, P) of each pair's layer, and, of
    the layers asked for, ``derivatives`` of the input's shape ({layer's place: (N, …)})."""

    logits: Tensor
    maps: Sequence[Tensor]
    derivatives: Mapping[int, Tensor]


class Teacher(Protocol):
    def know(self, x: Tensor, rows: Tensor, layers: Sequence[int], probes: Tensor | None) -> Knowledge:
        """``rows`` (numbers of the samples) are for teachers that remember. ``layers``: of the derivatives, which
        are made for the first ``samples`` of x."""


class LiveTeacher:
    """A teacher that is asked anew at every step. It is put into evaluation mode and its weights are frozen."""

    def __init__(self, model: Any, pairs: Sequence[LayerPair], settings: TransferSettings):
        self.model = model.eval().requires_grad_(False)
        self.paths = [pair.teacher for pair in pairs]
        self.settings = settings

    def know(self, x: Tensor, rows: Tensor, layers: Sequence[int], probes: Tensor | None) -> Knowledge:
        import torch

        with torch.no_grad():
            logits, outputs = layer_outputs(self.model, self.paths, x)
            maps = [attention_map(output) for output in outputs]
        n = self.settings.samples
        with frugal(self.settings, self.model, self.paths):
            made = {j: derivative(features_of(self.model, self.paths[j]), x[:n], maps[j][:n], probes) for j in layers}
        return Knowledge(logits, maps, made)


def frugal(settings: TransferSettings, teacher: Any, paths: Sequence[str]) -> AbstractContextManager[None]:
    """Around a teacher's derivatives: its modules at ``paths`` are recomputed where the settings say so."""
    return recomputed(teacher, paths) if settings.recompute and settings.kind == "jacobian" else nullcontext()


def derivative(features: Features, x: Tensor, maps: Tensor, probes: Tensor | None) -> Tensor:
    """A teacher's: the Jacobian, or, with ``probes``, the Hessian's diagonal, at the peak of its ``maps``."""
    import torch

    if probes is None:
        return map_gradient(features, x, map_peak(maps))
    with torch.no_grad():
        return hessian_diagonal(features, x, map_peak(maps), probes)


def features_of(model: Any, path: str) -> Features:
    """The network up to the module at ``path``, computing in float32 at least."""
    run = in_float32(model)
    return lambda x: layer_outputs(model, [path], x, stop=True, run=run)[1][0]


class Transfer:
    """The term of each step and each layer's difference. ``student`` and ``pairs`` stay as they are; ``teacher`` knows
    (``LiveTeacher``, ``CachedTeacher``). ``features``: the student up to a path, if not by running it on x."""

    def __init__(
        self,
        settings: TransferSettings,
        student: Any,
        pairs: Sequence[LayerPair],
        teacher: Teacher,
        generator: Generator | None = None,
        features: Callable[[str], Features] | None = None,
    ):
        if settings.kind in ORDERS and _has_batch_norm(student):
            raise InputError(
                "batch normalisation in the student makes a sample's derivative depend on its batch",
                mend="use group or layer normalisation for Jacobian and Hessian transfer",
            )
        self.settings, self.pairs = settings, list(pairs)
        self.teacher, self.generator = teacher, generator
        self.features = features or (lambda path: features_of(student, path))

    def term(
        self, step: int, x: Tensor, rows: Tensor, logits: Tensor, outputs: Sequence[Tensor]
    ) -> tuple[Tensor | None, dict[str, float]]:
        """``step`` from 0; ``rows`` (N,) are the samples' numbers; ``logits`` and ``outputs`` (each pair's layer) of
        the student's own forward pass over x. Returns the weighted term, None where this step has none, and the
        differences of the layers that were measured, for ``LayerRates.update``."""
        settings = self.settings
        layers = self._layers(step)
        if settings.kind in ORDERS and not layers:
            return None, {}
        probes = self._probes(x) if settings.kind == "hessian" else None
        known = self.teacher.know(x, rows, layers, probes)
        ours = [attention_map(output) for output in outputs]
        for pair, mine, its in zip(self.pairs, ours, known.maps, strict=True):
            _same_positions(pair, mine, its)
        if settings.kind in ORDERS:
            return self._derivatives(step, x, known, layers, probes)
        if settings.kind == "attention" and settings.form == "jensen-shannon":
            losses = [jensen_shannon_loss(a, b) for a, b in zip(ours, known.maps, strict=True)]
        elif settings.kind == "attention":
            losses = [attention_loss(a, b, settings.form) for a, b in zip(ours, known.maps, strict=True)]
        else:
            losses = []
        found = losses if settings.form in ("squared", "jensen-shannon") and losses else self._apart(ours, known.maps)
        differences = _finite(step, self.pairs, found)
        if losses:
            return settings.weight * sum(losses[1:], losses[0]) / len(losses), differences
        if settings.kind == "logits":
            divergence = labels_loss if settings.several else logit_loss
            return settings.weight * divergence(logits, known.logits, settings.temperature), differences
        return None, differences

    def _layers(self, step: int) -> list[int]:
        if self.settings.kind not in ORDERS or step % self.settings.every:
            return []
        number = step // self.settings.every
        return [number % len(self.pairs)] if self.settings.in_turn else list(range(len(self.pairs)))

    def _probes(self, x: Tensor) -> Tensor:
        settings = self.settings
        return sign_probes(
            tuple(x.shape[1:]), settings.probes, antithetic=settings.antithetic, generator=self.generator
        )

    def _derivatives(
        self, step: int, x: Tensor, known: Knowledge, layers: Sequence[int], probes: Tensor | None
    ) -> tuple[Tensor | None, dict[str, float]]:
        few = x[: self.settings.samples]
        losses = []
        for j in layers:
            features = self.features(self.pairs[j].student)
            peak = map_peak(known.maps[j][: self.settings.samples])
            if probes is None:
                mine = map_gradient(features, few, peak, create_graph=True)
                losses.append(jacobian_loss(mine, known.derivatives[j]))
            else:
                mine = hessian_diagonal(features, few, peak, probes)
                losses.append(hessian_loss(mine, known.derivatives[j]))
        differences = _finite(step, [self.pairs[j] for j in layers], losses)
        weight = self.settings.weight * self.settings.every  # the same on average as at every step
        return weight * sum(losses[1:], losses[0]) / len(losses), differences

    @staticmethod
    def _apart(ours: Sequence[Tensor], theirs: Sequence[Tensor]) -> list[Tensor]:
        """Differences that drive rates only: of one size whatever the number of positions."""
        return [attention_loss(a.detach(), b, "squared") for a, b in zip(ours, theirs, strict=True)]


def _same_positions(pair: LayerPair, student: Tensor, teacher: Tensor) -> None:
    if student.shape != teacher.shape:
        raise InputError(
            f"layers {pair.student} and {pair.teacher}: maps of {student.shape[-1]} and {teacher.shape[-1]} positions "
            "cannot be compared",
            mend="give both networks the same input size, or name other pairs",
        )


def _finite(step: int, pairs: Sequence[LayerPair], losses: Sequence[Tensor]) -> dict[str, float]:
    found = {pair: loss.item() for pair, loss in zip(pairs, losses, strict=True)}
    if wrong := [pair for pair, value in found.items() if not math.isfinite(value)]:
        named = ", ".join(f"{pair.student} from teacher's {pair.teacher}" for pair in wrong)
        raise WorkFailedError(
            f"the difference of layer {named} is {found[wrong[0]]} at step {step + 1}; check those layers' "
            "activations in both models, or lower the learning rate"
        )
    return {pair.name: value for pair, value in found.items()}


def _has_batch_norm(model: Any) -> bool:
    import torch

    return any(isinstance(m, torch.nn.modules.batchnorm._BatchNorm) and m.training for m in model.modules())
