"""Training leaves the thread as it found it."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")


def test_small_numbers_are_exact_again_after_training() -> None:
    from lamina.training.sft import _flushed_denormals

    smallest = 5e-324
    with _flushed_denormals():
        pass
    assert smallest * 1.0 == smallest > 0.0
