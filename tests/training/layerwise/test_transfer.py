"""Knowing less at each step: which steps pay for derivatives, and that they count for those that do not."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest
import torch

from lamina.errors import InputError, WorkFailedError
from lamina.training.layerwise import hessian_diagonal, map_gradient, sign_probes
from lamina.training.layerwise.matching import LayerPair, watched
from lamina.training.layerwise.transfer import LiveTeacher, Transfer, TransferSettings, features_of

PAIRS = [LayerPair("0", "0"), LayerPair("2", "2")]


class Asked(LiveTeacher):
    times = 0

    def know(self, *args):
        self.times += 1
        return super().know(*args)


def term_of(settings: TransferSettings, step: int, make):
    student, teacher = make(1), make(2)
    asked = Asked(teacher, PAIRS, settings)
    x = torch.randn(4, 2, 4, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    with watched(student, ["0", "2"]) as seen:
        logits = student(x)
    chance = torch.Generator().manual_seed(0)
    transfer = Transfer(settings, student, PAIRS, asked, chance)
    term, differences = transfer.term(step, x, torch.arange(4), logits, [seen["0"], seen["2"]])
    return term, differences, asked.times


@pytest.mark.parametrize("kind", ["jacobian", "hessian"])
def test_of_two_steps_one_asks_the_teacher_and_counts_twice(kind: str, tiny_network):
    each = TransferSettings(kind, samples=3, every=1)
    second = replace(each, every=2)
    once, _, _ = term_of(each, 0, tiny_network)
    twice, differences, times = term_of(second, 0, tiny_network)
    assert twice.item() == pytest.approx(2 * once.item())
    assert (list(differences), times) == (["0"], 1)
    assert term_of(second, 1, tiny_network) == (None, {}, 0)
    _, differences, _ = term_of(second, 2, tiny_network)
    assert list(differences) == ["2"]  # the next layer's turn


@pytest.mark.parametrize("kind", ["none", "logits", "attention", "jacobian", "hessian"])
def test_a_layer_that_is_nan_is_named(kind: str, tiny_network):
    def broken(seed: int):
        made = tiny_network(seed)
        if seed == 2:
            torch.nn.init.constant_(made[0].weight, float("nan"))
        return made

    settings = TransferSettings(kind, samples=2, every=1)
    with pytest.raises(WorkFailedError, match=r"difference of layer 0 from teacher's 0.* is nan at step 1"):
        term_of(settings, 0, broken)


@pytest.mark.parametrize("kind", ["jacobian", "hessian"])
@pytest.mark.parametrize("half", [torch.float16, torch.bfloat16])
def test_networks_of_16_bits_are_derived_in_float32(kind: str, half: torch.dtype):
    torch.manual_seed(0)
    parts = (torch.nn.Conv2d(1, 4, 3, 1, 1), torch.nn.Tanh(), torch.nn.Conv2d(4, 2, 3, 1, 1), torch.nn.Tanh())
    model = torch.nn.Sequential(*parts).to(half)
    x, probes = torch.randn(2, 1, 4, 4), sign_probes((1, 4, 4), 16)
    found = derived(kind, model, x, probes)
    expected = derived(kind, copy.deepcopy(model).float(), x, probes)
    assert found.dtype == torch.float32
    assert torch.allclose(found, expected, rtol=1e-4, atol=0)
    found.pow(2).sum().backward()
    assert model[0].weight.grad.dtype == half


@pytest.mark.parametrize("kind", ["jacobian", "hessian"])
def test_autocast_does_not_reach_derivatives_that_would_underflow(kind: str):
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Conv2d(1, 4, 3, 1, 1), torch.nn.Tanh())
    with torch.no_grad():
        model[0].weight *= 1e-5
    x, probes = torch.randn(2, 1, 4, 4), sign_probes((1, 4, 4), 16)
    expected = derived(kind, model, x, probes)
    with torch.autocast("cpu", torch.float16):
        found = derived(kind, model, x, probes)
    assert expected.abs().max() > 0
    assert torch.equal(found, expected)


def derived(kind: str, model, x, probes):
    features = features_of(model, "1")
    peak = torch.zeros(len(x), dtype=torch.long)
    if kind == "jacobian":
        return map_gradient(features, x, peak, create_graph=True)
    return hessian_diagonal(features, x, peak, probes)


def test_a_kind_brings_its_own_sizes_unless_they_are_given():
    assert (TransferSettings("jacobian").samples, TransferSettings("jacobian").every) == (16, 1)
    assert (TransferSettings("hessian").samples, TransferSettings("hessian").every) == (8, 2)
    assert (TransferSettings("hessian", samples=2).samples, TransferSettings("hessian", every=1).every) == (2, 1)
    assert replace(TransferSettings("none"), kind="hessian") == TransferSettings("hessian")


@pytest.mark.parametrize("wrong", [{"weight": -1}, {"samples": -1}, {"every": -2}, {"probes": 0}, {"temperature": 0}])
def test_sizes_that_make_no_sense_are_named(wrong: dict):
    with pytest.raises(InputError, match=next(iter(wrong))):
        TransferSettings("hessian", **wrong)
