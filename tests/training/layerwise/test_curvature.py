"""Hutchinson's diagonal against the exact Hessian in float64, and against finite differences."""

from __future__ import annotations

import copy
import itertools

import pytest
import torch

from lamina.training.layerwise import (
    attention_map,
    hessian_diagonal,
    hessian_loss,
    map_gradient,
    map_peak,
    sign_probes,
)


def exact_diagonal(network, images, peak):
    found = []
    for image, place in zip(images, peak, strict=True):
        hessian = torch.func.hessian(lambda x, p=place: attention_map(network(x[None]))[0, p])(image)
        size = image.numel()
        found.append(hessian.reshape(size, size).diagonal().reshape(image.shape))
    return torch.stack(found)


def all_signs(size: int):
    return torch.tensor(list(itertools.product((-1.0, 1.0), repeat=size)), dtype=torch.float64)


def test_the_mean_over_all_probes_is_the_exact_diagonal():
    torch.manual_seed(0)
    network = torch.nn.Sequential(torch.nn.Conv2d(1, 3, 3, 1, 1), torch.nn.Tanh()).double()
    image = torch.randn(2, 1, 3, 3, dtype=torch.float64)
    peak = map_peak(attention_map(network(image)))
    probes = all_signs(9).reshape(-1, 1, 3, 3)
    found = hessian_diagonal(network, image, peak, probes)
    assert torch.allclose(found, exact_diagonal(network, image, peak), rtol=1e-9, atol=1e-12)


def test_one_probe_is_the_finite_difference_of_gradients(tiny_network, images):
    network = tiny_network()
    peak = map_peak(attention_map(network(images)))
    probe = sign_probes((2, 4, 4), 1, generator=torch.Generator().manual_seed(0)).double()
    step = 1e-5
    up, down = (map_gradient(network, images + sign * step * probe, peak) for sign in (1, -1))
    expected = probe * (up - down) / (2 * step)
    assert torch.allclose(hessian_diagonal(network, images, peak, probe), expected, rtol=1e-5, atol=1e-8)


def test_several_probes_are_the_mean_of_each_alone(tiny_network, images):
    network = tiny_network()
    peak = map_peak(attention_map(network(images)))
    probes = sign_probes((2, 4, 4), 4).double()
    alone = torch.stack([hessian_diagonal(network, images, peak, probe[None]) for probe in probes])
    assert torch.allclose(hessian_diagonal(network, images, peak, probes), alone.mean(0), rtol=1e-9)


def test_the_estimate_comes_closer_with_more_probes(tiny_network, images):
    network = tiny_network()
    peak = map_peak(attention_map(network(images)))
    exact = exact_diagonal(network, images, peak).flatten(1)

    def cosine(n: int, antithetic: bool) -> float:
        found = []
        for seed in range(5):
            probes = sign_probes((2, 4, 4), n, antithetic=antithetic, generator=torch.Generator().manual_seed(seed))
            estimate = hessian_diagonal(network, images, peak, probes.double()).flatten(1)
            found.append(torch.nn.functional.cosine_similarity(estimate, exact).mean().item())
        return sum(found) / len(found)

    plain = [cosine(n, antithetic=False) for n in (1, 4, 16)]
    assert plain == sorted(plain)
    assert cosine(32, antithetic=True) == pytest.approx(1), "as many partners as inputs leave no error"


@pytest.mark.parametrize("n", [2, 4, 8])
def test_partners_cancel_every_pair_of_inputs_with_different_numbers(n: int):
    """The mean over a block of v v^T is 1 on the diagonal and 0 wherever the numbers differ modulo n."""
    probes = sign_probes((1, 4, 4), n, generator=torch.Generator().manual_seed(0)).reshape(n, 16)
    assert set(probes.unique().tolist()) == {-1.0, 1.0}
    outer = (probes.T @ probes / n).abs()
    assert torch.equal(outer.diagonal(), torch.ones(16))
    assert int((outer > 0).sum()) == 16 * 16 // n
    grid = outer.reshape(4, 4, 4, 4)
    assert all(grid[y, x, y, x + 1] == 0 for y in range(4) for x in range(3)), "neighbours in a row are told apart"


def test_any_number_of_probes_can_be_asked_for():
    for n in (1, 2, 3, 5, 7):
        assert sign_probes((2, 3, 5), n).shape == (n, 2, 3, 5)
        assert sign_probes((7,), n, antithetic=False).shape == (n, 7)


def test_the_estimate_has_the_weight_gradient_of_finite_differences(tiny_network, images):
    student, teacher = tiny_network(0), tiny_network(1)
    peak = map_peak(attention_map(teacher(images)))
    probes = sign_probes((2, 4, 4), 2, generator=torch.Generator().manual_seed(0)).double()
    with torch.no_grad():
        target = hessian_diagonal(teacher, images, peak, probes)

    def loss(weight):
        def features(x):
            return torch.func.functional_call(student, {"2.weight": weight}, (x,))

        return hessian_loss(hessian_diagonal(features, images, peak, probes), target)

    weight = student[2].weight.detach().clone().requires_grad_()
    assert torch.autograd.gradcheck(loss, (weight,), eps=1e-5, atol=1e-4, fast_mode=True)


def test_a_network_of_relus_has_only_the_squares_curvature():
    """``2/C Σ JᵀJ``, as the module says: no curvature of its own."""
    torch.manual_seed(0)
    network = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3, 1, 1), torch.nn.ReLU()).double()
    image = torch.randn(1, 1, 3, 3, dtype=torch.float64)
    peak = map_peak(attention_map(network(image)))
    jacobian = torch.autograd.functional.jacobian(lambda x: network(x)[0].flatten(1)[:, peak[0]], image)
    expected = 2 / 2 * jacobian.pow(2).sum(0)
    assert torch.allclose(exact_diagonal(network, image, peak), expected, rtol=1e-9)


def test_in_sixteen_bits_the_curvature_would_be_lost_and_is_not(tiny_network):
    """The map's value is a few 1e-7 and its curvature less: nothing in float16, whose least number is 6e-8."""
    network = tiny_network().float()
    with torch.no_grad():
        network[2].weight.mul_(3e-4)
        network[2].bias.zero_()
    x = torch.randn(2, 2, 4, 4, generator=torch.Generator().manual_seed(0))
    peak = torch.zeros(2, dtype=torch.long)
    probes = sign_probes((2, 4, 4), 2, generator=torch.Generator().manual_seed(0))
    wide = copy.deepcopy(network).double()
    exact = hessian_diagonal(wide, x.half().double(), peak, probes)
    assert exact.abs().max() < 1e-6
    assert (exact.half().abs() < 1e-7).float().mean() > 0.9
    found = hessian_diagonal(network, x.half(), peak, probes)
    assert found.dtype == torch.float32
    assert torch.allclose(found.double(), exact, rtol=1e-3, atol=exact.detach().abs().max().item() * 1e-4)
