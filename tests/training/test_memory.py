"""The memory that ``--dry-run`` computes is about what a training takes."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

FILE = Path(__file__).parents[2] / "benchmarks" / "training_memory.py"


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is read from /proc")
@pytest.mark.parametrize(("update", "precision"), [("full", "float32"), ("lora", "float32"), ("full", "mixed")])
def test_a_training_takes_about_the_memory_that_is_computed_for_it(update: str, precision: str):
    spec = importlib.util.spec_from_file_location("training_memory", FILE)
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    case = next(c for c in script.CASES if (c["update"], c.get("precision", "float32")) == (update, precision))
    found = script.compare(case)
    assert 0.7 < found["measured"] / found["computed"] < 1.4, found
