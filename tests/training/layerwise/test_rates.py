"""Rates follow differences as the rule says, and the optimizer and its scheduler know nothing of it."""

from __future__ import annotations

import math

import pytest
import torch

from lamina.errors import InputError, WorkFailedError
from lamina.training.layerwise import LayerRates, RateRule

PLAIN = {"ema": 0.0, "momentum": 0.0}
"""No memory: the rates are the rule's at once."""


def layers(n: int = 3) -> dict[str, list[torch.nn.Parameter]]:
    return {f"layer{i}": [torch.nn.Parameter(torch.ones(2))] for i in range(n)}


def sgd(groups, lr: float = 1.0, **options) -> torch.optim.Optimizer:
    return torch.optim.SGD([p for group in groups.values() for p in group], lr=lr, **options)


def stepped(groups, optimizer) -> list[float]:
    """How far each layer moves under a gradient of 1."""
    before = {name: group[0].item() if group[0].numel() == 1 else group[0][0].item() for name, group in groups.items()}
    for group in groups.values():
        group[0].grad = torch.ones_like(group[0])
    optimizer.step()
    return [before[name] - group[0][0].item() for name, group in groups.items()]


def test_a_farther_layer_learns_faster_by_the_ratio_to_the_mean():
    groups = layers()
    optimizer = sgd(groups)
    rates = LayerRates(optimizer, groups, RateRule(**PLAIN))
    assert list(rates.update({"layer0": 1.0, "layer1": 2.0, "layer2": 3.0}).values()) == [0.5, 1.0, 1.5]
    assert stepped(groups, optimizer) == pytest.approx([0.5, 1.0, 1.5])


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (RateRule(exponent=2, **PLAIN), [0.25, 1.0, 2.25]),
        (RateRule(exponent=-1, **PLAIN), [2.0, 1.0, 2 / 3]),
        (RateRule(exponent=0, **PLAIN), [1.0, 1.0, 1.0]),
        (RateRule(low=0.8, high=1.2, **PLAIN), [0.8, 1.0, 1.2]),
        (RateRule("uniform"), [1.0, 1.0, 1.0]),
        (RateRule("static-decay", decay=0.5), [3 / 7, 6 / 7, 12 / 7]),
    ],
)
def test_each_rule_gives_its_rates(rule: RateRule, expected: list[float]):
    groups = layers()
    rates = LayerRates(sgd(groups), groups, rule)
    found = rates.update({"layer0": 1.0, "layer1": 2.0, "layer2": 3.0})
    assert list(found.values()) == pytest.approx(expected)


def test_the_average_is_corrected_for_its_start_and_momentum_holds_the_rate_back():
    groups = layers(2)
    rates = LayerRates(sgd(groups), groups, RateRule(ema=0.9, momentum=0.75))
    first = rates.update({"layer0": 1.0, "layer1": 3.0})
    assert rates.differences == pytest.approx({"layer0": 1.0, "layer1": 3.0})
    assert list(first.values()) == pytest.approx([0.75 + 0.25 * 0.5, 0.75 + 0.25 * 1.5])
    rates.update({"layer0": 2.0, "layer1": 3.0})
    assert rates.differences["layer0"] == pytest.approx((0.9 * 0.1 * 1 + 0.1 * 2) / (1 - 0.81))


def test_layers_measured_in_turn_keep_rate_1_until_each_had_its_turn():
    groups = layers()
    rates = LayerRates(sgd(groups), groups, RateRule(**PLAIN))
    assert set(rates.update({"layer0": 1.0}).values()) == {1.0}
    assert set(rates.update({"layer1": 2.0}).values()) == {1.0}
    assert list(rates.update({"layer2": 3.0}).values()) == [0.5, 1.0, 1.5]
    assert list(rates.update({}).values()) == [0.5, 1.0, 1.5]


def test_in_a_warm_up_all_layers_keep_one_rate_while_their_differences_are_averaged():
    groups = layers(2)
    rates = LayerRates(sgd(groups), groups, RateRule(warmup=2, **PLAIN))
    seen = [list(rates.update({"layer0": 1.0, "layer1": 3.0}).values()) for _ in range(3)]
    assert seen == [[1.0, 1.0], [1.0, 1.0], [0.5, 1.5]]


def test_a_run_begun_before_there_were_warm_ups_has_the_same_configuration():
    assert "warmup" not in RateRule().config()
    assert RateRule(warmup=100).config()["warmup"] == 100


def test_relative_rates_ask_how_much_of_the_way_is_left():
    groups = layers(2)
    rates = LayerRates(sgd(groups), groups, RateRule(relative=True, **PLAIN))
    assert list(rates.update({"layer0": 1.0, "layer1": 100.0}).values()) == [1.0, 1.0]
    assert list(rates.update({"layer0": 1.0, "layer1": 50.0}).values()) == pytest.approx([4 / 3, 2 / 3])


@pytest.mark.parametrize("seed", range(5))
def test_random_rates_are_the_layerwise_ones_at_other_layers(seed: int):
    groups = layers(4)
    differences = {f"layer{i}": float(i + 1) for i in range(4)}
    found = LayerRates(sgd(groups), groups, RateRule("random", seed=seed, **PLAIN)).update(differences)
    right = LayerRates(sgd(groups), groups, RateRule(**PLAIN)).update(differences)
    assert sorted(found.values()) == sorted(right.values())
    assert all(found[name] != right[name] for name in groups)


@pytest.mark.parametrize("before", [True, False])
def test_a_scheduler_goes_on_as_if_there_were_no_rates(before: bool):
    """Recursive schedulers compute from the group's rate: it must be whole again after each step."""
    groups = layers()
    optimizer = sgd(groups, lr=0.8)
    made = [torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.5)] if before else []
    rates = LayerRates(optimizer, groups, RateRule(**PLAIN))
    scheduler = made[0] if made else torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.5)
    rates.update({"layer0": 1.0, "layer1": 2.0, "layer2": 3.0})
    for lr in (0.8, 0.4, 0.2):
        assert stepped(groups, optimizer) == pytest.approx([0.5 * lr, lr, 1.5 * lr], rel=1e-5)
        scheduler.step()
    assert len(optimizer.param_groups) == 1


@pytest.mark.parametrize(
    "make",
    [
        lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9),
        lambda p: torch.optim.AdamW(p, lr=0.1),
        lambda p: torch.optim.Adam(p, lr=0.1, amsgrad=True),
        lambda p: torch.optim.RMSprop(p, lr=0.1),
        lambda p: torch.optim.Adagrad(p, lr=0.1),
        lambda p: torch.optim.NAdam(p, lr=0.1),
    ],
)
def test_any_optimizer_moves_each_layer_as_with_a_rate_of_its_own(make):
    groups, alone = layers(2), layers(2)
    optimizer = make([p for group in groups.values() for p in group])
    rates = LayerRates(optimizer, groups, RateRule(**PLAIN))
    rates.update({"layer0": 1.0, "layer1": 3.0})
    single = [make(group) for group in alone.values()]
    for one, scale in zip(single, (0.5, 1.5), strict=True):
        one.param_groups[0]["lr"] *= scale
    for _ in range(3):
        stepped(groups, optimizer)
        for group, one in zip(alone.values(), single, strict=True):
            group[0].grad = torch.ones(2)
            one.step()
    for name in groups:
        assert torch.allclose(groups[name][0], alone[name][0], rtol=1e-6)
    fresh = make([p for group in layers(2).values() for p in group])
    fresh.load_state_dict(optimizer.state_dict())  # a checkpoint knows nothing of the rates


def test_parameters_of_no_layer_keep_the_uniform_rate():
    groups = layers(2)
    head = torch.nn.Parameter(torch.ones(2))
    optimizer = torch.optim.SGD([*(p for g in groups.values() for p in g), head], lr=1.0)
    LayerRates(optimizer, groups, RateRule(**PLAIN)).update({"layer0": 1.0, "layer1": 3.0})
    head.grad = torch.ones(2)
    stepped(groups, optimizer)
    assert head[0].item() == 0.0


def test_a_step_that_fails_leaves_the_next_one_right():
    groups = layers(2)
    optimizer = sgd(groups)
    LayerRates(optimizer, groups, RateRule(**PLAIN)).update({"layer0": 1.0, "layer1": 3.0})

    def broken() -> float:
        raise RuntimeError("no loss")

    with pytest.raises(RuntimeError, match="no loss"):
        optimizer.step(broken)
    assert stepped(groups, optimizer) == pytest.approx([0.5, 1.5])
    assert len(optimizer.param_groups) == 1


def test_rates_continue_from_their_state():
    rule, differences = RateRule(), [{"layer0": 1.0, "layer1": 2.0 + i} for i in range(6)]
    groups = layers(2)
    whole = LayerRates(sgd(groups), groups, rule)
    for found in differences:
        whole.update(found)
    first = LayerRates(sgd(groups), groups, rule)
    for found in differences[:3]:
        first.update(found)
    second = LayerRates(sgd(groups), groups, rule)
    second.load_state_dict(first.state_dict())
    for found in differences[3:]:
        second.update(found)
    assert second.scales == whole.scales
    with pytest.raises(InputError, match="layer2"):
        second.load_state_dict(LayerRates(sgd(g := layers(3)), g, rule).state_dict())


def test_no_difference_anywhere_is_rate_1_and_a_layer_at_nought_is_slow():
    groups = layers(2)
    rates = LayerRates(sgd(groups), groups, RateRule(**PLAIN))
    assert list(rates.update({"layer0": 0.0, "layer1": 0.0}).values()) == [1.0, 1.0]
    assert list(rates.update({"layer0": 0.0, "layer1": 1.0}).values()) == [0.1, 2.0]
    backwards = LayerRates(sgd(groups), groups, RateRule(exponent=-1, **PLAIN))
    assert list(backwards.update({"layer0": 0.0, "layer1": 1.0}).values()) == [10.0, 0.5]


@pytest.mark.parametrize("wrong", [math.nan, math.inf, -1.0])
def test_a_difference_that_is_none_names_its_layer_and_step(wrong: float):
    groups = layers(2)
    rates = LayerRates(sgd(groups), groups)
    rates.update({"layer0": 1.0, "layer1": 1.0})
    with pytest.raises(WorkFailedError, match=r"layer layer1 .* at step 2"):
        rates.update({"layer0": 1.0, "layer1": wrong})


def test_frozen_layers_are_left_out_and_named():
    groups = layers(3)
    groups["layer1"][0].requires_grad_(False)
    rates = LayerRates(sgd(groups), groups, RateRule(**PLAIN))
    assert rates.frozen == ["layer1"]
    assert rates.update({"layer0": 1.0, "layer1": 50.0, "layer2": 3.0}) == {"layer0": 0.5, "layer2": 1.5}
    for group in groups.values():
        group[0].requires_grad_(False)
    with pytest.raises(InputError, match="layer0, layer1, layer2"):
        LayerRates(sgd(groups), groups)


def test_what_cannot_work_is_refused_with_the_layers_names():
    groups = layers(2)
    shared = {**groups, "layer2": groups["layer0"]}
    with pytest.raises(InputError, match="layers layer0 and layer2 share a weight"):
        LayerRates(sgd(groups), shared)
    with pytest.raises(InputError, match="layer0: the optimizer has none"):
        LayerRates(sgd(layers()), groups)
    with pytest.raises(InputError, match="LBFGS"):
        LayerRates(torch.optim.LBFGS([p for g in groups.values() for p in g]), groups)
    with pytest.raises(InputError, match="Rprop"):
        LayerRates(torch.optim.Rprop([p for g in groups.values() for p in g]), groups)
    with pytest.raises(InputError, match="no layer 'layer9'"):
        LayerRates(sgd(groups), groups).update({"layer9": 1.0})


@pytest.mark.parametrize(
    "wrong",
    [{"name": "fast"}, {"low": 0.0}, {"high": 0.5}, {"ema": 1.0}, {"momentum": -1}, {"decay": 0}, {"warmup": -1}],
)
def test_a_rule_that_makes_no_sense_is_refused(wrong: dict):
    with pytest.raises(InputError):
        RateRule(**wrong)
