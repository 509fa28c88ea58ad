"""Reads tensors out of safetensors files with numpy alone, so that a quantization needs no torch.

Format: eight bytes of header length, a JSON header, raw little-endian tensors
(https://github.com/huggingface/safetensors#format)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lamina.errors import InputError

_KINDS = {"F32": "<f4", "F16": "<f2", "BF16": "<u2"}


@dataclass(frozen=True)
class StoredTensor:
    file: Path
    offset: int
    kind: str
    shape: tuple[int, ...]

    def read(self) -> np.ndarray[Any, np.dtype[np.float32]]:
        """The values in float32."""
        raw = np.memmap(self.file, _KINDS[self.kind], "r", offset=self.offset, shape=self.shape)
        if self.kind == "BF16":  # the upper half of a float32
            widened: np.ndarray[Any, np.dtype[np.float32]] = (raw.astype(np.uint32) << 16).view(np.float32)
            return widened
        return np.asarray(raw, dtype=np.float32)


def stored_tensors(folder: Path) -> dict[str, StoredTensor]:
    """All tensors of a model folder by name. Raises InputError for a folder without any, a damaged file, or
    values in a type other than F32, F16 and BF16."""
    found: dict[str, StoredTensor] = {}
    for file in sorted(folder.glob("*.safetensors")):
        found |= _tensors_of(file)
    if not found:
        raise InputError("no *.safetensors file in this folder", file=folder, mend="give a Transformers folder")
    return found


def _tensors_of(file: Path) -> dict[str, StoredTensor]:
    size = file.stat().st_size
    found = {}
    try:
        with file.open("rb") as opened:
            length = int.from_bytes(opened.read(8), "little")
            if length > size:
                raise ValueError
            header = json.loads(opened.read(length))
        for name, facts in header.items():
            if name == "__metadata__":
                continue
            start, end = facts["data_offsets"]
            if 8 + length + end > size:
                raise ValueError
            if facts["dtype"] not in _KINDS:
                raise InputError(f"{name} is stored as {facts['dtype']}", file=file, mend="save it as F32, F16 or BF16")
            found[name] = StoredTensor(file, 8 + length + start, facts["dtype"], tuple(facts["shape"]))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise InputError("not a whole safetensors file", file=file, mend="save or download it again") from None
    return found
