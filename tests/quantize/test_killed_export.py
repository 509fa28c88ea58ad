"""kill -9 while GGUF files are written: the same command then leaves the files that an unbroken one leaves."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from killed_in import KILLED_IN

TENSOR = "gguf:GGUFWriter.write_tensor_data"
TENSORS = 20
"""Of the tiny model: embedding, two layers of nine, the last norm."""


def quantize(tiny: Path, out: Path, *start: object) -> int:
    words = [sys.executable, *map(str, start), "quantize", str(tiny), "--types", "F16,Q8_0", "--out", str(out)]
    return subprocess.run(words, capture_output=True, timeout=120).returncode


def files(out: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in sorted(out.iterdir())}


@pytest.mark.parametrize(
    ("tensors", "left"),
    [(5, {"model-F16.gguf.tmp"}), (TENSORS + 5, {"model-F16.gguf", "model-Q8_0.gguf.tmp"})],
    ids=["in the first file", "in the second file"],
)
def test_a_killed_export_leaves_no_half_file_under_a_files_name_and_ends_with_the_same_bytes(
    tiny: Path, tmp_path: Path, tensors: int, left: set[str]
):
    assert quantize(tiny, tmp_path / "unbroken", "-m", "lamina") == 0
    whole = files(tmp_path / "unbroken")
    broken = tmp_path / "broken"
    assert quantize(tiny, broken, KILLED_IN, TENSOR, tensors) == -9
    assert set(files(broken)) == left
    assert all(files(broken)[name] == whole[name] for name in left if name.endswith(".gguf"))
    assert quantize(tiny, broken, "-m", "lamina") == 0
    assert files(broken) == whole
