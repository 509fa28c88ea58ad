"""A LLaVA of two layers and random weights, and drawings to show it: for what must hold of any model that sees."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))
import small_vlm

QUESTIONS = ("is there a circle?", "what color is the shape?", "what shape is in the image?")
ANSWERS = ("yes", "no", "circle", "triangle", "red", "blue")


def save_tiny_vlm(folder: Path, **shape: Any) -> Path:
    """Weights so large that its answers hang on the image."""
    import torch

    tokenizer = small_vlm.tokenizer_of([*QUESTIONS, *ANSWERS], 300)
    model = small_vlm.make_model(tokenizer, **{"width": 64, "layers": 2, "eye": 32, "eye_layers": 3, **shape})
    torch.manual_seed(1)
    with torch.no_grad():
        for weights in model.parameters():
            weights.add_(torch.randn_like(weights) * (0.1 if weights.dim() == 1 else 0.25))
    small_vlm.save(model, small_vlm.processor_of(tokenizer), folder)
    return folder


def draw(folder: Path) -> list[Path]:
    from PIL import Image, ImageDraw

    files = []
    for i, colour in enumerate(("red", "blue", "green", "black")):
        image = Image.new("RGB", (small_vlm.SIDE, small_vlm.SIDE), (250 - 9 * i, 240, 230 + 5 * i))
        ImageDraw.Draw(image).ellipse((5 + 7 * i, 9, 30 + 7 * i, 34), fill=colour)
        files.append(folder / f"{colour}.png")
        image.save(files[-1])
    return files
