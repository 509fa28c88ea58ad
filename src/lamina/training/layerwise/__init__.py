"""Layer-wise distillation: what a student takes over from its teacher (logits, attention maps, Jacobians, Hessians)
and how fast each of its layers learns (``LayerRates``).

In a training loop of one's own::

    rates = LayerRates(optimizer, groups)     # {layer: its parameters}; schedulers go on working on ``optimizer``
    ...
    rates.update(differences)                 # {layer: how far it is from its teacher}, before optimizer.step()

``Transfer.term`` gives the differences, and the loss to add; docs/verbs/distill.md has a loop from end to end.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lamina.training.layerwise.curvature import hessian_diagonal, hessian_loss, sign_probes
    from lamina.training.layerwise.losses import (
        attention_loss,
        attention_map,
        jacobian_loss,
        jensen_shannon_loss,
        logit_loss,
        map_gradient,
        map_peak,
    )
    from lamina.training.layerwise.matching import LayerPair, match_layers, parameters_by_layer, watched
    from lamina.training.layerwise.rates import LayerRates, RateRule, rates_callback
    from lamina.training.layerwise.transfer import LiveTeacher, Transfer, TransferSettings

_HOME = {
    "LayerPair": "matching",
    "LayerRates": "rates",
    "LiveTeacher": "transfer",
    "RateRule": "rates",
    "Transfer": "transfer",
    "TransferSettings": "transfer",
    "attention_loss": "losses",
    "attention_map": "losses",
    "hessian_diagonal": "curvature",
    "hessian_loss": "curvature",
    "jacobian_loss": "losses",
    "jensen_shannon_loss": "losses",
    "logit_loss": "losses",
    "map_gradient": "losses",
    "map_peak": "losses",
    "match_layers": "matching",
    "parameters_by_layer": "matching",
    "rates_callback": "rates",
    "sign_probes": "curvature",
    "watched": "matching",
}

__all__ = [
    "LayerPair",
    "LayerRates",
    "LiveTeacher",
    "RateRule",
    "Transfer",
    "TransferSettings",
    "attention_loss",
    "attention_map",
    "hessian_diagonal",
    "hessian_loss",
    "jacobian_loss",
    "jensen_shannon_loss",
    "logit_loss",
    "map_gradient",
    "map_peak",
    "match_layers",
    "parameters_by_layer",
    "rates_callback",
    "sign_probes",
    "watched",
]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f"lamina.training.layerwise.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
