"""Learning rates per layer that follow how far each layer is from its teacher.

``LayerRates`` multiplies what the optimizer's groups and its scheduler say, for the length of one step: it works with
any optimizer of torch and any scheduler, made before or after it, and neither's state (nor a checkpoint of it) knows
of it.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from lamina.errors import InputError, WorkFailedError

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Parameter
    from torch.optim import Optimizer

RULES = ("uniform", "layerwise", "static-decay", "random")


@dataclass(frozen=True)
class RateRule:
    """How differences become rates.

    ``uniform``: 1 for every layer. ``layerwise``: ``D_j`` is the layer's bias-corrected moving average difference
    (weight ``ema`` on the past), ``r_j = clip((D_j / mean D)^exponent, low, high)``, and the rate moves towards it,
    ``s_j ← momentum · s_j + (1 - momentum) · r_j``, from 1. A negative exponent makes far layers slow.
    ``relative``: each D_j is divided by the layer's own first value, so that what counts is how much of the way is
    left. ``warmup``: steps at the start in which the differences are averaged and all rates stay 1.
    ``static-decay``: ``decay^k`` for the k-th layer from the top, divided by their mean; no teacher asked.
    ``random``, a control: the layer-wise rates, each given to another layer (a permutation without a fixed point,
    drawn by ``seed``): same sizes, same course, wrong place.

    Source: our reading of arXiv 2407.04871, which does not give its equation; static decay as in Howard and Ruder,
    arXiv 1801.06146, section 3.2."""

    name: str = "layerwise"
    exponent: float = 1.0
    low: float = 0.1
    high: float = 10.0
    ema: float = 0.9
    momentum: float = 0.9
    relative: bool = False
    decay: float = 0.8
    seed: int = 0
    warmup: int = 0

    def __post_init__(self) -> None:
        if self.name not in RULES:
            raise InputError(f"no rule {self.name!r} for rates", mend=f"it is one of {', '.join(RULES)}")
        if not 0 < self.low <= 1 <= self.high:
            raise InputError(f"rates from {self.low} to {self.high}", mend="the range holds 1 and lies above 0")
        for name in ("ema", "momentum"):
            if not 0 <= getattr(self, name) < 1:
                raise InputError(f"{name} is a share from 0 to below 1, got {getattr(self, name)}")
        if self.decay <= 0:
            raise InputError(f"decay must be more than 0, got {self.decay}")
        if self.warmup < 0:
            raise InputError(f"a warm-up of {self.warmup} steps", mend="0 for none")

    @property
    def needs_differences(self) -> bool:
        return self.name in ("layerwise", "random")

    def config(self) -> dict[str, Any]:
        """As a run's configuration has it: without what runs begun before there was a warm-up could not say."""
        return {k: v for k, v in asdict(self).items() if k != "warmup" or v}


class LayerRates:
    """``groups``: {layer: its parameters}, in the order of the layers; parameters of the optimizer that stand in no
    group keep the uniform rate. ``LayerRates(optimizer, groups)`` hooks into ``optimizer.step``; ``update`` takes the
    differences. Layers without a trainable parameter are left out and named in ``frozen``.

    Raises InputError for a parameter in two groups or in none of the optimizer's, for layers that are all frozen,
    for LBFGS, which has one rate, and for Rprop, which reads it once."""

    def __init__(
        self, optimizer: Optimizer, groups: Mapping[str, Sequence[Parameter]], rule: RateRule | None = None
    ) -> None:
        self.rule = rule or RateRule()
        self.frozen = [name for name, parameters in groups.items() if not any(p.requires_grad for p in parameters)]
        self.layers = [name for name in groups if name not in self.frozen]
        if not self.layers:
            listed = ", ".join(groups) or "no layer was given"
            raise InputError(f"no layer can learn ({listed})", mend="unfreeze at least one (requires_grad)")
        self.layer_of = _layer_of_parameter(groups, self.layers)
        _check_optimizer(optimizer, groups, self.layers)
        self.step = 0
        self.scales: dict[str, float] = _static(self.layers, self.rule)
        self._averages = dict.fromkeys(self.layers, 0.0)
        self._seen = dict.fromkeys(self.layers, 0)
        self._first: dict[str, float] = {}
        self._partner = _derangement(self.layers, self.rule.seed)
        self._whole: list[dict[str, Any]] | None = None
        self._handles = [
            optimizer.register_step_pre_hook(self._apart),
            optimizer.register_step_post_hook(self._together),
        ]

    def update(self, differences: Mapping[str, float | Tensor]) -> dict[str, float]:
        """Takes each layer's difference from its teacher at this step (layers that were not measured are left out)
        and returns the rates, as factors. Before every layer was measured once, and in a warm-up, all are 1. Raises
        WorkFailedError, naming the layer, for a difference that is no finite number from 0 up, and InputError for an
        unknown layer."""
        self.step += 1
        for name, found in differences.items():
            if name in self.frozen:
                continue
            if name not in self._averages:
                raise InputError(f"no layer {name!r} among {', '.join(self.layers)}")
            self._measure(name, float(found))
        if self.rule.needs_differences and self.step > self.rule.warmup and all(self._seen.values()):
            wanted = self._wanted()
            for name in self.layers:
                source = self._partner[name] if self.rule.name == "random" else name
                kept = self.rule.momentum * self.scales[name]
                self.scales[name] = kept + (1 - self.rule.momentum) * wanted[source]
        return dict(self.scales)

    @property
    def differences(self) -> dict[str, float]:
        """Each measured layer's bias-corrected moving average."""
        return {
            name: self._averages[name] / (1 - self.rule.ema ** self._seen[name])
            for name in self.layers
            if self._seen[name]
        }

    def state_dict(self) -> dict[str, Any]:
        return {
            "step": self.step,
            "scales": dict(self.scales),
            "averages": dict(self._averages),
            "seen": dict(self._seen),
            "first": dict(self._first),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Raises InputError where the state is of other layers."""
        if list(state["scales"]) != self.layers:
            raise InputError(f"rates of layers {', '.join(state['scales'])}, not of {', '.join(self.layers)}")
        self.step, self.scales = state["step"], dict(state["scales"])
        self._averages, self._seen = dict(state["averages"]), dict(state["seen"])
        self._first = dict(state["first"])

    def detach(self) -> None:
        """Leaves the optimizer as it was."""
        for handle in self._handles:
            handle.remove()

    def _measure(self, name: str, found: float) -> None:
        if not math.isfinite(found) or found < 0:
            raise WorkFailedError(
                f"the difference of layer {name} from its teacher is {found} at step {self.step}; lower the learning "
                "rate, or check that layer's activations"
            )
        self._averages[name] = self.rule.ema * self._averages[name] + (1 - self.rule.ema) * found
        self._seen[name] += 1
        self._first.setdefault(name, found)

    def _wanted(self) -> dict[str, float]:
        found = self.differences
        if self.rule.relative:
            found = {name: value / first if (first := self._first[name]) else 1.0 for name, value in found.items()}
        mean = sum(found.values()) / len(found)
        if mean == 0:  # every layer is where its teacher is
            return dict.fromkeys(self.layers, 1.0)
        return {name: self._clipped(value / mean) for name, value in found.items()}

    def _clipped(self, ratio: float) -> float:
        if ratio == 0 and self.rule.exponent < 0:
            return self.rule.high
        return min(self.rule.high, max(self.rule.low, float(ratio**self.rule.exponent)))

    def _apart(self, optimizer: Optimizer, args: Any, kwargs: Any) -> None:
        """Before a step: each group is split by layer, each part with its own rate."""
        self._together(optimizer, args, kwargs)  # a step that raised left them apart
        self._whole = optimizer.param_groups
        split: list[dict[str, Any]] = []
        for group in self._whole:
            parts: dict[str | None, list[Parameter]] = {}
            for parameter in group["params"]:
                parts.setdefault(self.layer_of.get(id(parameter)), []).append(parameter)
            for layer, parameters in parts.items():
                scale = self.scales[layer] if layer is not None else 1.0
                split.append({**group, "params": parameters, "lr": group["lr"] * scale, "_whole": group})
        optimizer.param_groups = split

    def _together(self, optimizer: Optimizer, args: Any, kwargs: Any) -> None:
        """After it: the groups are whole again, with what the optimizer wrote into them (some keep counters there)."""
        if self._whole is None:
            return
        for part in optimizer.param_groups:
            whole = part.pop("_whole")
            whole.update({k: v for k, v in part.items() if k not in ("params", "lr")})
        optimizer.param_groups, self._whole = self._whole, None


def _layer_of_parameter(groups: Mapping[str, Sequence[Parameter]], layers: Sequence[str]) -> dict[int, str]:
    found: dict[int, str] = {}
    for name in layers:
        for parameter in groups[name]:
            if found.setdefault(id(parameter), name) != name:
                raise InputError(
                    f"layers {found[id(parameter)]} and {name} share a weight of shape {tuple(parameter.shape)}, so no "
                    "two rates can move it",
                    mend="leave it out of one of them",
                )
    return found


def _check_optimizer(optimizer: Optimizer, groups: Mapping[str, Sequence[Parameter]], layers: Sequence[str]) -> None:
    import torch

    if isinstance(optimizer, torch.optim.LBFGS):
        raise InputError("LBFGS has one rate for all parameters", mend="take SGD, Adam or another one with groups")
    if isinstance(optimizer, torch.optim.Rprop):
        raise InputError("Rprop looks at its rate once, at the first step", mend="take SGD, Adam or another one")
    known = {id(p) for group in optimizer.param_groups for p in group["params"]}
    for name in layers:
        if not any(id(p) in known for p in groups[name]):
            raise InputError(f"layer {name}: the optimizer has none of its parameters", mend="give it to both")


def _static(layers: Sequence[str], rule: RateRule) -> dict[str, float]:
    if rule.name != "static-decay":
        return dict.fromkeys(layers, 1.0)
    powers = [rule.decay**k for k in reversed(range(len(layers)))]
    mean = sum(powers) / len(powers)
    return {name: power / mean for name, power in zip(layers, powers, strict=True)}


def _derangement(layers: Sequence[str], seed: int) -> dict[str, str]:
    """Each layer's partner, never itself where there are two layers or more."""
    chance = random.Random(seed)
    partners = list(layers)
    while True:
        chance.shuffle(partners)
        if len(layers) < 2 or all(a != b for a, b in zip(layers, partners, strict=True)):
            return dict(zip(layers, partners, strict=True))


def rates_callback(rates_of: Any, differences: Any) -> Any:
    """A ``TrainerCallback`` for Transformers' ``Trainer``: ``rates_of(optimizer)`` gives the ``LayerRates`` once the
    trainer has made its optimizer, ``differences()`` the latest differences; the rates are saved in and taken from
    the trainer's checkpoints (``layer-rates.json``)."""
    import json
    import warnings
    from pathlib import Path

    from transformers import TrainerCallback

    class Callback(TrainerCallback):
        rates: LayerRates | None = None

        def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            optimizer = kwargs["optimizer"]
            self.rates = rates_of(getattr(optimizer, "optimizer", optimizer))
            file = Path(args.output_dir) / f"checkpoint-{state.global_step}" / "layer-rates.json"
            if state.global_step and file.is_file():
                self.rates.load_state_dict(json.loads(file.read_text()))
            elif state.global_step:
                warnings.warn(f"no {file}: the layers' rates begin anew at step {state.global_step}", stacklevel=2)

        def on_pre_optimizer_step(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            assert self.rates is not None
            self.rates.update(differences())

        def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            assert self.rates is not None
            folder = Path(args.output_dir) / f"checkpoint-{state.global_step}"
            (folder / "layer-rates.json").write_text(json.dumps(self.rates.state_dict()))

    return Callback()
