"""Each transfer loss is what its formula says, in float64, and its derivatives are those of finite differences."""

from __future__ import annotations

import math

import pytest
import torch

from lamina.errors import InputError
from lamina.training.layerwise import (
    attention_loss,
    attention_map,
    jacobian_loss,
    jensen_shannon_loss,
    logit_loss,
    map_gradient,
    map_peak,
)
from lamina.training.layerwise.losses import labels_loss, unit


def by_hand(features) -> list[list[float]]:
    """The attention map by plain loops over channels and positions."""
    return [
        [
            sum(float(c[y][x]) ** 2 for c in sample) / len(sample)
            for y in range(sample.shape[1])
            for x in range(sample.shape[2])
        ]
        for sample in features
    ]


def maps(seed: int, n: int = 3, positions: int = 6):
    return torch.rand(n, positions, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def test_the_map_is_the_mean_square_over_channels(tiny_network, images):
    features = tiny_network()(images).detach()
    assert torch.allclose(attention_map(features), torch.tensor(by_hand(features), dtype=torch.float64), atol=1e-15)
    tokens = features.flatten(2).transpose(1, 2)
    assert torch.equal(attention_map(tokens), attention_map(features)) or torch.allclose(
        attention_map(tokens), attention_map(features), atol=1e-15
    )


@pytest.mark.parametrize(
    ("form", "of"),
    [
        ("code", lambda d: sum(x * x for x in d) / len(d)),
        ("paper", lambda d: math.sqrt(sum(x * x for x in d))),
        ("squared", lambda d: sum(x * x for x in d)),
    ],
)
def test_attention_in_each_form_is_its_formula(form: str, of):
    student, teacher = maps(1), maps(2)
    expected = []
    for a, b in zip(student.tolist(), teacher.tolist(), strict=True):
        na, nb = (math.sqrt(sum(x * x for x in row)) for row in (a, b))
        expected.append(of([x / na - y / nb for x, y in zip(a, b, strict=True)]))
    found = attention_loss(student, teacher, form, per_sample=True)
    assert found.tolist() == pytest.approx(expected, rel=1e-12)
    assert attention_loss(student, teacher, form).item() == pytest.approx(sum(expected) / 3, rel=1e-12)


def test_the_paper_form_is_the_same_for_a_sum_over_channels(tiny_network, images):
    features, other = tiny_network(0)(images), tiny_network(1)(images)
    summed, other_summed = features.pow(2).sum(1).flatten(1), other.pow(2).sum(1).flatten(1)
    a = attention_loss(attention_map(features), attention_map(other), "paper")
    assert a.item() == pytest.approx(attention_loss(summed, other_summed, "paper").item(), rel=1e-12)


def test_masked_positions_do_not_count():
    student, teacher = maps(1), maps(2)
    mask = torch.ones(3, 6, dtype=torch.bool)
    mask[:, 4:] = False
    for form in ("code", "paper", "squared"):
        cut = attention_loss(student[:, :4], teacher[:, :4], form)
        assert attention_loss(student, teacher, form, mask).item() == pytest.approx(cut.item(), rel=1e-12)
    cut = jensen_shannon_loss(student[:, :4], teacher[:, :4])
    assert jensen_shannon_loss(student, teacher, mask=mask).item() == pytest.approx(cut.item(), rel=1e-9)


@pytest.mark.parametrize("weight", [0.5, 0.2])
def test_jensen_shannon_is_its_formula_and_lies_between_its_bounds(weight: float):
    def entropy(p):
        return -sum(x * math.log(x) for x in p if x > 0)

    student, teacher = maps(1), maps(2)
    expected = []
    for a, b in zip(student.tolist(), teacher.tolist(), strict=True):
        p, q = [x / sum(a) for x in a], [x / sum(b) for x in b]
        mixed = [weight * x + (1 - weight) * y for x, y in zip(p, q, strict=True)]
        expected.append(entropy(mixed) - weight * entropy(p) - (1 - weight) * entropy(q))
    found = jensen_shannon_loss(student, teacher, weight, per_sample=True)
    assert found.tolist() == pytest.approx(expected, rel=1e-9)
    apart = jensen_shannon_loss(torch.eye(2).double()[:1], torch.eye(2).double()[1:], weight)
    assert apart.item() == pytest.approx(entropy([weight, 1 - weight]), rel=1e-9)
    assert jensen_shannon_loss(teacher, teacher * 7, weight).item() == pytest.approx(0, abs=1e-12)


def test_jensen_shannon_of_equal_maps_of_other_scales_is_never_below_nought():
    chance = torch.Generator().manual_seed(0)
    for _ in range(200):
        maps = torch.rand(8, 16, generator=chance)
        assert (jensen_shannon_loss(maps, 3.7 * maps, per_sample=True) >= 0).all()


def test_several_labels_are_distributions_of_their_own():
    ours, theirs = torch.randn(2, 3, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    p, q = torch.sigmoid(theirs / 2), torch.sigmoid(ours / 2)
    expected = 4 * (p * (p / q).log() + (1 - p) * ((1 - p) / (1 - q)).log()).mean()
    assert labels_loss(ours, theirs, temperature=2.0).item() == pytest.approx(expected.item())


def test_logit_distillation_is_the_scaled_divergence():
    student, teacher = maps(1) * 8, maps(2) * 8
    expected = 0.0
    for a, b in zip(student.tolist(), teacher.tolist(), strict=True):
        p = [math.exp(x / 3) for x in b]
        q = [math.exp(x / 3) for x in a]
        p, q = [x / sum(p) for x in p], [x / sum(q) for x in q]
        expected += 9 * sum(x * math.log(x / y) for x, y in zip(p, q, strict=True)) / 3
    assert logit_loss(student, teacher, 3.0).item() == pytest.approx(expected, rel=1e-10)
    assert logit_loss(teacher, teacher, 3.0).item() == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("form", ["code", "paper", "squared", "jensen-shannon", "logits"])
def test_gradients_of_value_losses_are_those_of_finite_differences(form: str):
    teacher = maps(2)
    losses = {
        "jensen-shannon": lambda s: jensen_shannon_loss(s, teacher),
        "logits": lambda s: logit_loss(s, teacher, 2.0),
    }
    loss = losses.get(form, lambda s: attention_loss(s, teacher, form))
    assert torch.autograd.gradcheck(loss, (maps(1).requires_grad_(),), eps=1e-6, atol=1e-7)


def test_the_map_gradient_is_the_exact_one_and_the_finite_difference(tiny_network, images):
    network = tiny_network()
    found_map = attention_map(network(images)).detach()
    peak = map_peak(found_map)
    assert peak.tolist() == [max(range(16), key=lambda i: float(row[i])) for row in found_map]
    gradient = map_gradient(network, images, peak)
    jacobian = torch.autograd.functional.jacobian(lambda x: attention_map(network(x)), images)
    for n in range(3):
        assert torch.allclose(gradient[n], jacobian[n, peak[n], n], rtol=1e-10)
    step = 1e-6
    for place in ((0, 1, 2), (1, 3, 3)):
        up, down = images.clone(), images.clone()
        up[(0, *place)] += step
        down[(0, *place)] -= step
        values = [attention_map(network(x))[0, peak[0]].item() for x in (up, down)]
        assert gradient[(0, *place)].item() == pytest.approx((values[0] - values[1]) / (2 * step), rel=1e-6)


def test_jacobian_transfer_is_its_formula_whatever_the_gradients_sizes():
    a, b = torch.randn(2, 2, 3, dtype=torch.float64), torch.randn(2, 2, 3, dtype=torch.float64)
    expected = [
        float(((x / x.norm() - y / y.norm()) ** 2).sum()) for x, y in zip(a.flatten(1), b.flatten(1), strict=True)
    ]
    for scale in (1.0, 1e-30, 1e-160, 1e100):
        assert jacobian_loss(a * scale, b, per_sample=True).tolist() == pytest.approx(expected, rel=1e-9)
    assert jacobian_loss(a, -a).item() == pytest.approx(4)
    assert jacobian_loss(a * 0, b).item() == pytest.approx(1)


def test_jacobian_transfer_has_the_weight_gradient_of_finite_differences(tiny_network, images):
    student, teacher = tiny_network(0), tiny_network(1)
    peak = map_peak(attention_map(teacher(images)))
    target = map_gradient(teacher, images, peak)

    def loss(weight):
        def features(x):
            return torch.func.functional_call(student, {"2.weight": weight}, (x,))

        return jacobian_loss(map_gradient(features, images, peak, create_graph=True), target)

    weight = student[2].weight.detach().clone().requires_grad_()
    assert torch.autograd.gradcheck(loss, (weight,), eps=1e-6, atol=1e-5, fast_mode=True)


def test_a_row_of_zeros_has_a_finite_gradient():
    zeros = torch.zeros(2, 4, requires_grad=True)
    unit(zeros).sum().backward()
    assert torch.isfinite(zeros.grad).all()
    student = torch.zeros(2, 4, requires_grad=True)
    loss = attention_loss(student, torch.rand(2, 4), "paper") + jensen_shannon_loss(student, torch.rand(2, 4))
    loss.backward()
    assert torch.isfinite(student.grad).all()


def test_equal_maps_are_at_distance_nought_with_a_finite_gradient():
    student = maps(1).requires_grad_()
    for form in ("code", "paper", "squared"):
        loss = attention_loss(student, maps(1), form)
        assert loss.item() == pytest.approx(0, abs=1e-100)
        assert torch.isfinite(torch.autograd.grad(loss, student)[0]).all()


def test_sixteen_bit_activations_are_squared_in_float32():
    features = torch.full((1, 4, 2, 2), 300.0, dtype=torch.float16)
    features[..., 0, 0] = 1e-4
    found = attention_map(features)
    assert found.dtype == torch.float32
    assert found.tolist()[0] == pytest.approx([1e-8, 9e4, 9e4, 9e4], rel=1e-3)


def test_wrong_shapes_are_named():
    with pytest.raises(InputError, match="maps of 4 and 6 positions"):
        attention_loss(maps(1)[:, :4], maps(2))
    with pytest.raises(InputError, match="inputs of different sizes"):
        jacobian_loss(torch.zeros(1, 3, 4, 4), torch.zeros(1, 3, 8, 8))
    with pytest.raises(InputError, match="5 classes against the teacher's 6"):
        logit_loss(torch.zeros(1, 5), torch.zeros(1, 6))
    with pytest.raises(InputError, match="no form 'sum'"):
        attention_loss(maps(1), maps(2), "sum")
    with pytest.raises(InputError, match=r"shape \(3, 6\)"):
        attention_map(maps(1))
