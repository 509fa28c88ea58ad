from __future__ import annotations

from typing import Any

import pytest
import torch

torch.set_num_threads(1)  # small tensors: a second thread costs more than it gives


@pytest.fixture
def tiny_network() -> Any:
    """A smooth network of two convolutions in float64: (N, 2, 4, 4) to (N, 3, 4, 4), and its weights' seed is fixed."""
    from torch import nn

    def make(seed: int = 0, width: int = 3) -> Any:
        torch.manual_seed(seed)
        parts = (nn.Conv2d(2, 4, 3, 1, 1), nn.Tanh(), nn.Conv2d(4, width, 3, 1, 1), nn.Tanh())
        return nn.Sequential(*parts).double()

    return make


@pytest.fixture
def images() -> Any:
    return torch.randn(3, 2, 4, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
