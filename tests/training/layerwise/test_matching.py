"""Layers find their partners, and their weights; what does not match is named."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from lamina.errors import InputError
from lamina.training.layerwise import LayerPair, match_layers, parameters_by_layer
from lamina.training.layerwise.matching import layer_outputs
from lamina.training.layerwise.transfer import LiveTeacher, Transfer, TransferSettings
from lamina.training.layerwise.vision import network


def image_network(name: str, size: int = 8, width: int = 8):
    return network(name, channels=1, size=size, classes=3, width=width)


def test_residual_networks_match_where_channels_change():
    pairs = match_layers(image_network("resnet10"), image_network("resnet18"), torch.zeros(2, 1, 8, 8))
    assert pairs == [LayerPair(f"stage{i}", f"stage{i}") for i in (1, 2, 3, 4)]


def test_a_network_of_bare_layers_matches_at_its_last_layer_of_each_width():
    def plain(*extra: nn.Module) -> nn.Module:
        return nn.Sequential(nn.Conv2d(1, 4, 3, 1, 1), nn.ReLU(), *extra, nn.Conv2d(4, 8, 3, 1, 1), nn.ReLU())

    pairs = match_layers(plain(), plain(nn.Conv2d(4, 4, 3, 1, 1), nn.ReLU()), torch.zeros(1, 1, 6, 6))
    assert pairs == [LayerPair("1", "3"), LayerPair("3", "5")]


def test_transformers_match_by_relative_depth():
    pairs = match_layers(image_network("vit2"), image_network("vit8"))
    assert pairs == [LayerPair("blocks.0", "blocks.3"), LayerPair("blocks.1", "blocks.7")]


def test_pairs_can_be_named_and_come_in_the_students_order():
    student, teacher = image_network("resnet10"), image_network("resnet18")
    pairs = match_layers(student, teacher, pairs={"stage3": "stage4.0", "stem": "stem"})
    assert pairs == [LayerPair("stem", "stem"), LayerPair("stage3", "stage4.0")]
    with pytest.raises(InputError, match=r"the student has no layer 'stage9'; it has stage"):
        match_layers(student, teacher, pairs={"stage9": "stage1"})
    with pytest.raises(InputError, match="the teacher has no layer 'nowhere'"):
        match_layers(student, teacher, pairs={"stage1": "nowhere"})
    with pytest.raises(InputError, match="no layers are matched"):
        match_layers(student, teacher, pairs={})


def test_networks_that_do_not_match_are_refused_with_their_layers():
    other = nn.Sequential(nn.Conv2d(1, 4, 3, 1, 1), nn.Flatten(), nn.Linear(4 * 64, 3))
    with pytest.raises(InputError, match=r"no matching layers.*stage4 in the student, 0 in the teacher"):
        match_layers(image_network("resnet10"), other, torch.zeros(1, 1, 8, 8))
    smaller = image_network("resnet18", size=16)
    with pytest.raises(InputError, match=r"layers stage2 and stage2 give maps of different sizes, 16x16 and 8x8"):
        match_layers(image_network("resnet10"), smaller, torch.zeros(1, 1, 16, 16))
    with pytest.raises(InputError, match=r"the student cannot read an input of shape \(3, 8, 8\)"):
        match_layers(image_network("resnet10"), smaller, torch.zeros(1, 3, 8, 8))


@pytest.mark.parametrize("kind", ["attention", "logits", "jacobian", "hessian"])
def test_different_input_sizes_are_named_when_training(kind: str):
    student, teacher = image_network("resnet10", size=8), image_network("resnet18", size=16)
    pairs = match_layers(student, teacher, pairs={"stage2": "stage2"})
    settings = TransferSettings(kind)
    transfer = Transfer(settings, student, pairs, LiveTeacher(teacher, pairs, settings))
    x = torch.randn(2, 1, 16, 16)
    logits, outputs = layer_outputs(student, ["stage2"], x)
    with pytest.raises(InputError, match="layers stage2 and stage2: maps of 256 and 64 positions"):
        transfer.term(0, x, torch.arange(2), logits, outputs)


def test_transformers_for_other_image_sizes_are_refused_before_training():
    student, teacher = image_network("vit2", size=8), image_network("vit4", size=16)
    with pytest.raises(InputError, match=r"the student cannot read an input of shape \(1, 16, 16\)"):
        match_layers(student, teacher, torch.zeros(1, 1, 16, 16))


def test_a_layer_within_another_is_refused_by_name():
    model = image_network("resnet10")
    pairs = [LayerPair("stage2.0", "stage2.0"), LayerPair("stage2", "stage2")]
    with pytest.raises(InputError, match=r"layer stage2.0 lies within layer stage2"):
        parameters_by_layer(model, pairs)


def test_a_layer_owns_the_weights_since_the_layer_before_it():
    model = image_network("resnet10")
    pairs = [LayerPair("stage2", "stage2"), LayerPair("stage4", "stage4")]
    groups = parameters_by_layer(model, pairs)
    names = {id(p): name for name, p in model.named_parameters()}
    starts = [{names[id(p)].split(".")[0] for p in group} for group in groups.values()]
    assert starts == [{"stem", "stage1", "stage2"}, {"stage3", "stage4"}]


def test_a_layer_without_weights_owns_those_before_it():
    model = nn.Sequential(nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 2))
    groups = parameters_by_layer(model, [LayerPair("1", "1"), LayerPair("3", "3")])
    names = {id(p): name for name, p in model.named_parameters()}
    assert [[names[id(p)] for p in group] for group in groups.values()] == [
        ["0.weight", "0.bias"],
        ["2.weight", "2.bias"],
    ]


def test_layers_that_share_weights_are_refused_by_name():
    block = nn.Linear(4, 4)
    model = nn.Sequential(block, nn.Linear(4, 4), block)
    with pytest.raises(InputError, match="layers 0 and 2 share a weight"):
        parameters_by_layer(model, [LayerPair("0", "0"), LayerPair("2", "2")])


def test_an_embedding_tied_to_the_output_follows_no_layer(tiny):
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(tiny)
    pairs = match_layers(model, model)
    groups = parameters_by_layer(model, pairs)
    assert list(groups) == ["model.layers.0", "model.layers.1"]
    tied = model.get_output_embeddings().weight
    assert not any(p is tied for group in groups.values() for p in group)


def test_batch_normalisation_is_refused_where_derivatives_are_matched():
    student = nn.Sequential(nn.Conv2d(1, 4, 3, 1, 1), nn.BatchNorm2d(4))
    settings = TransferSettings("jacobian")
    with pytest.raises(InputError, match="batch normalisation"):
        Transfer(settings, student, [LayerPair("0", "0")], LiveTeacher(nn.Sequential(nn.Identity()), [], settings))


@pytest.mark.parametrize("name", ["resnet10", "resnet18", "vit2"])
@pytest.mark.parametrize("size", [8, 28, 32])
def test_the_networks_classify_images_of_every_size_used(name: str, size: int):
    model = network(name, channels=3, size=size, classes=5, width=8)
    assert model(torch.zeros(2, 3, size, size)).shape == (2, 5)


def test_unknown_networks_are_refused():
    with pytest.raises(InputError, match="no network 'vgg'"):
        image_network("vgg")
