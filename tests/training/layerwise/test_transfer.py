"""Knowing less at each step: which steps pay for derivatives, and that they count for those that do not."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from lamina.errors import InputError
from lamina.training.layerwise.matching import LayerPair, watched
from lamina.training.layerwise.transfer import LiveTeacher, Transfer, TransferSettings

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


def test_a_kind_brings_its_own_sizes_unless_they_are_given():
    assert (TransferSettings("jacobian").samples, TransferSettings("jacobian").every) == (16, 1)
    assert (TransferSettings("hessian").samples, TransferSettings("hessian").every) == (8, 2)
    assert (TransferSettings("hessian", samples=2).samples, TransferSettings("hessian", every=1).every) == (2, 1)
    assert replace(TransferSettings("none"), kind="hessian") == TransferSettings("hessian")


@pytest.mark.parametrize("wrong", [{"weight": -1}, {"samples": -1}, {"every": -2}, {"probes": 0}, {"temperature": 0}])
def test_sizes_that_make_no_sense_are_named(wrong: dict):
    with pytest.raises(InputError, match=next(iter(wrong))):
        TransferSettings("hessian", **wrong)
