"""Small image networks, written out because torchvision and timm do not import beside the CPU build of torch.

``resnet``: residual networks of basic blocks, He et al., arXiv 1512.03385, with the 3x3 stem they use on small images
(section 4.2); ResNet-18 has two blocks a stage, ResNet-10 one. Ours differ in two things, for what is measured here:
group normalisation (Wu and He, arXiv 1803.08494) in place of batch normalisation, so that a sample's derivative is
its own and not its batch's, and SiLU in place of ReLU, so that second derivatives mean something.
``vit``: the vision transformer, Dosovitskiy et al., arXiv 2010.11929, with a mean over tokens in place of the class
token.
"""

from __future__ import annotations

from typing import Any

from lamina.errors import InputError

BLOCKS = {"resnet10": 1, "resnet18": 2}
GROUP = 8
"""Channels normalised together."""


def network(name: str, *, channels: int, size: int, classes: int, width: int) -> Any:
    """``resnet10``, ``resnet18``, ``vit4`` or ``vit8`` (a transformer of that many blocks) for square images."""
    check_networks(name)
    if name in BLOCKS:
        return resnet(BLOCKS[name], channels=channels, size=size, classes=classes, width=width)
    return vit(int(name[3:]), channels=channels, size=size, classes=classes, width=width * 4)


def check_networks(*names: str) -> None:
    """Raises InputError for a name of none."""
    for name in names:
        if name not in BLOCKS and not (name.startswith("vit") and name[3:].isdigit() and int(name[3:]) > 0):
            raise InputError(f"no network {name!r}", mend=f"it is {', '.join(BLOCKS)} or vitN with N blocks")


def resnet(blocks: int, *, channels: int, size: int, classes: int, width: int) -> Any:
    """Images (N, channels, size, size) to logits (N, classes). Four stages ``stage1`` … ``stage4`` of ``blocks``
    basic blocks, ``width`` channels in the first and twice as many in each that follows. A stage halves the image as
    long as 2x2 positions are left in the last: a map of one position says nothing."""
    from torch import nn

    class BasicBlock(nn.Module):
        def __init__(self, inputs: int, outputs: int, stride: int):
            super().__init__()
            self.first = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
            self.first_norm = nn.GroupNorm(max(1, outputs // GROUP), outputs)
            self.second = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
            self.second_norm = nn.GroupNorm(max(1, outputs // GROUP), outputs)
            self.act = nn.SiLU()
            same = stride == 1 and inputs == outputs
            self.shortcut = nn.Identity() if same else nn.Conv2d(inputs, outputs, 1, stride, bias=False)

        def forward(self, x: Any) -> Any:
            inner = self.second_norm(self.second(self.act(self.first_norm(self.first(x)))))
            return self.act(inner + self.shortcut(x))

    parts: dict[str, Any] = {
        "stem": nn.Sequential(
            nn.Conv2d(channels, width, 3, 1, 1, bias=False), nn.GroupNorm(max(1, width // GROUP), width), nn.SiLU()
        )
    }
    inputs = width
    for stage, stride in enumerate(_strides(size), 1):
        outputs = width * 2 ** (stage - 1)
        chain = [BasicBlock(inputs if i == 0 else outputs, outputs, stride if i == 0 else 1) for i in range(blocks)]
        parts[f"stage{stage}"] = nn.Sequential(*chain)
        inputs = outputs
    parts |= {"pool": nn.AdaptiveAvgPool2d(1), "flat": nn.Flatten(), "head": nn.Linear(inputs, classes)}
    model = nn.Sequential()
    for name, part in parts.items():
        model.add_module(name, part)
    return model


def _strides(size: int) -> list[int]:
    """Of the four stages; the first keeps the size, and the earliest give up halving where the image is small."""
    halvings = min(3, max(0, (size // 2).bit_length() - 1))
    return [1, *[1] * (3 - halvings), *[2] * halvings]


def vit(blocks: int, *, channels: int, size: int, classes: int, width: int, heads: int = 4) -> Any:
    """Images (N, channels, size, size) to logits (N, classes), by patches of about an eighth of the side,
    two pixels at least."""
    import torch
    from torch import nn

    patch = next(p for p in range(max(2, size // 8), size + 1) if size % p == 0)

    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.attention_norm = nn.LayerNorm(width)
            self.inputs = nn.Linear(width, 3 * width)
            self.output = nn.Linear(width, width)
            self.mlp = nn.Sequential(
                nn.LayerNorm(width), nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)
            )

        def forward(self, x: Any) -> Any:
            n, tokens, _ = x.shape
            mixed = self.inputs(self.attention_norm(x)).view(n, tokens, 3, heads, width // heads).permute(2, 0, 3, 1, 4)
            # written out: the fused attention of torch has no second derivative on every device
            weights = (mixed[0] @ mixed[1].transpose(-2, -1) / (width // heads) ** 0.5).softmax(-1)
            seen = (weights @ mixed[2]).transpose(1, 2).reshape(n, tokens, width)
            x = x + self.output(seen)
            return x + self.mlp(x)

    class VisionTransformer(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.patches = nn.Conv2d(channels, width, patch, patch)
            self.places = nn.Parameter(torch.randn(1, (size // patch) ** 2, width) * 0.02)
            self.blocks = nn.ModuleList(Block() for _ in range(blocks))
            self.norm = nn.LayerNorm(width)
            self.head = nn.Linear(width, classes)

        def forward(self, x: Any) -> Any:
            x = self.patches(x).flatten(2).transpose(1, 2) + self.places
            for block in self.blocks:
                x = block(x)
            return self.head(self.norm(x).mean(dim=1))

    return VisionTransformer()
