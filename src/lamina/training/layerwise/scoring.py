"""What an image network is trained on and scored by: one label an image, or several."""

from __future__ import annotations

from typing import Any

from lamina.training.layerwise.images import Images


def label_loss(logits: Any, labels: Any, several: bool) -> Any:
    import torch

    if several:
        return torch.nn.functional.binary_cross_entropy_with_logits(logits, labels)
    return torch.nn.functional.cross_entropy(logits, labels)


def score(model: Any, images: Images) -> float:
    """Of the test images: the share classified rightly, or the mean over classes of average precision where images
    have several labels."""
    import numpy as np
    import torch

    model.eval()
    with torch.no_grad():
        parts = [model(part) for part in torch.split(torch.from_numpy(images.x_test), 256)]
    logits = torch.cat(parts).numpy()
    if not images.several:
        return float(np.mean(logits.argmax(1) == images.y_test))
    return float(np.mean([average_precision(logits[:, k], images.y_test[:, k]) for k in _present(images)]))


def _present(images: Images) -> list[int]:
    return [k for k in range(images.classes) if images.y_test[:, k].any()]


def average_precision(scores: Any, labels: Any) -> float:
    """The mean, over images that have the label, of the precision among those scored at least as high."""
    import numpy as np

    order = np.argsort(-scores, kind="stable")
    right = labels[order].astype(bool)
    precision = np.cumsum(right) / np.arange(1, len(right) + 1)
    return float(precision[right].mean())
