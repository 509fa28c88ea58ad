"""What a fixed teacher says about fixed data, computed once and kept on disk: logits, maps, and Jacobians.

A step then pays for the student alone. Hessians are not kept: their probes are drawn anew at each step, and teacher
and student must share them.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lamina.training.layerwise.losses import attention_map, map_gradient, map_peak
from lamina.training.layerwise.matching import LayerPair, layer_outputs
from lamina.training.layerwise.transfer import Knowledge, LiveTeacher, TransferSettings, derivative, features_of

if TYPE_CHECKING:
    from torch import Tensor

BATCH = 256


class CachedTeacher:
    """Answers as ``LiveTeacher`` does, for the rows whose knowledge ``remember`` wrote."""

    def __init__(self, known: dict[str, Tensor], live: LiveTeacher, settings: TransferSettings):
        self.known, self.live, self.settings = known, live, settings
        self.layers = range(len(live.paths))

    def know(self, x: Tensor, rows: Tensor, layers: Sequence[int], probes: Tensor | None) -> Knowledge:
        maps = [self.known[f"map.{j}"][rows] for j in self.layers]
        n = self.settings.samples
        if probes is None:
            made = {j: self.known[f"jacobian.{j}"][rows[:n]] for j in layers}
        else:
            model, paths = self.live.model, self.live.paths
            made = {j: derivative(features_of(model, paths[j]), x[:n], maps[j][:n], probes) for j in layers}
        return Knowledge(self.known["logits"][rows], maps, made)


def remember(model: Any, pairs: Sequence[LayerPair], x: Tensor) -> dict[str, Tensor]:
    """``logits`` (N, classes) and ``map.j`` (N, P) for each pair's layer j."""
    import torch

    paths = [pair.teacher for pair in pairs]
    parts: dict[str, list[Tensor]] = {}
    for start in range(0, len(x), BATCH):
        some = x[start : start + BATCH]
        with torch.no_grad():
            logits, outputs = layer_outputs(model, paths, some)
        parts.setdefault("logits", []).append(logits)
        for j, output in enumerate(outputs):
            parts.setdefault(f"map.{j}", []).append(attention_map(output))
    return {name: torch.cat(found) for name, found in parts.items()}


def jacobians(model: Any, pairs: Sequence[LayerPair], x: Tensor, known: dict[str, Tensor]) -> dict[str, Tensor]:
    """``jacobian.j`` (of the shape of x) for each pair's layer j, at the peak of its map in ``known``."""
    import torch

    made = {}
    for j, pair in enumerate(pairs):
        features, peaks = features_of(model, pair.teacher), map_peak(known[f"map.{j}"])
        parts = zip(torch.split(x, BATCH), torch.split(peaks, BATCH), strict=True)
        made[f"jacobian.{j}"] = torch.cat([map_gradient(features, some, peak) for some, peak in parts])
    return made


def save(known: dict[str, Tensor], file: Path) -> None:
    """The file is whole or not there."""
    from safetensors.torch import save as to_bytes

    from lamina.runs.files import atomic_file

    with atomic_file(file) as opened:
        opened.write(to_bytes(known))


def load(file: Path) -> dict[str, Tensor]:
    """Mapped into memory, not read: several processes share it."""
    from safetensors.torch import load_file

    return load_file(file)
