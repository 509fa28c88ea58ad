"""A teacher that keeps less says the same."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from lamina.training.layerwise.matching import LayerPair
from lamina.training.layerwise.recomputing import recomputed
from lamina.training.layerwise.transfer import LiveTeacher, TransferSettings
from lamina.training.layerwise.vision import network


class Counted(torch.nn.Module):
    """How often it is run, and what its part keeps for the backward pass."""

    def __init__(self, part: Any):
        super().__init__()
        self.part, self.runs = part, 0

    def forward(self, x: Any) -> Any:
        self.runs += 1
        return self.part(x)


def test_jacobians_of_a_teacher_are_the_same_when_its_layers_are_computed_again():
    torch.manual_seed(0)
    model = network("resnet10", channels=1, size=8, classes=10, width=8)
    x = torch.randn(6, 1, 8, 8)
    pairs = [LayerPair(f"stage{i}", f"stage{i}") for i in (1, 2, 3, 4)]
    kept, again = (
        LiveTeacher(model, pairs, TransferSettings("jacobian", samples=4, recompute=recompute)).know(
            x, torch.arange(6), [0, 3], None
        )
        for recompute in (False, True)
    )
    for layer in (0, 3):
        assert kept.derivatives[layer].shape == (4, 1, 8, 8)
        assert torch.equal(kept.derivatives[layer], again.derivatives[layer])


def test_a_recomputed_layer_runs_twice_keeps_its_input_alone_and_is_itself_again_afterwards():
    def gradient(model: Any, x: Any) -> tuple[Any, int]:
        held = 0

        def count(tensor: Any) -> Any:
            nonlocal held
            held += tensor.numel()
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(count, lambda tensor: tensor):
            value = model(x).sum()
        (found,) = torch.autograd.grad(value, x)
        return found, held

    layer = Counted(torch.nn.Sequential(torch.nn.Linear(8, 512), torch.nn.Tanh(), torch.nn.Linear(512, 8)))
    model = torch.nn.Sequential(layer, torch.nn.Tanh())
    x = torch.randn(5, 8, requires_grad=True)
    expected, held = gradient(model, x)
    assert layer.runs == 1
    with recomputed(model, ["0"]):
        found, held_now = gradient(model, x)
    assert torch.equal(found, expected)
    assert layer.runs == 3
    assert held_now < held / 10
    assert "forward" not in vars(layer)


def test_an_error_inside_leaves_the_layer_as_it_was():
    model = torch.nn.Sequential(torch.nn.Linear(2, 2))
    with pytest.raises(RuntimeError), recomputed(model, ["0"]):
        model(torch.randn(1, 3))
    assert "forward" not in vars(model[0])
