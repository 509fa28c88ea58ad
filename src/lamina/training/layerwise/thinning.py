"""A smaller student: some of the layers of a language model."""

from __future__ import annotations

from typing import Any

from lamina.errors import InputError
from lamina.training.layerwise.matching import block_paths


def kept_layers(count: int, every: int) -> list[int]:
    """Of ``count`` layers one in ``every``, spread evenly from the first to the last; a single one is the last. A model
    without its first layer learns far worse (docs/results/layerwise.md)."""
    left = -(-count // every)
    return [round(i * (count - 1) / (left - 1)) for i in range(left)] if left > 1 else [count - 1]


def thinned(model: Any, every: int) -> Any:
    """The model with one in ``every`` of its layers, in place. Raises InputError where it has none to leave out."""
    paths = block_paths(model)
    if len(paths) <= 1 or every > len(paths):
        raise InputError(f"every {every}th of {len(paths)} layers leaves none", mend="lower keep_every")
    parent, _, name = paths[0].rpartition(".")[0].rpartition(".")
    owner = model.get_submodule(parent)
    layers = getattr(owner, name)
    kept = kept_layers(len(layers), every)
    setattr(owner, name, type(layers)(layers[i] for i in kept))
    for new, layer in enumerate(getattr(owner, name)):
        for module in layer.modules():  # where a layer keeps its place in the cache
            if hasattr(module, "layer_idx"):
                module.layer_idx = new
    config = model.config
    config.num_hidden_layers = len(kept)
    if getattr(config, "layer_types", None):
        config.layer_types = [config.layer_types[i] for i in kept]
    return model
