"""What a GGUF file is made from, whatever it was read from."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from lamina.quantize.ggml import Array
from lamina.quantize.precisions import Layout
from lamina.tools.tool import JSON


class Stored(Protocol):
    @property
    def kind(self) -> str:
        """The ggml type that it is stored in."""
        ...

    @property
    def shape(self) -> tuple[int, ...]: ...

    def read(self) -> Array:
        """The values in float32."""
        ...


@dataclass(frozen=True)
class Typed:
    """A value of a GGUF file with the type it has there (and that of its members)."""

    value: Any
    kind: Any
    member: Any = None


@dataclass(frozen=True)
class Source:
    """A model, read once for all types. ``architecture`` is llama.cpp's name for it and ``tensors`` has GGUF names;
    ``stored_as`` says what those are called in the folder that lie there as they are written, and ``heads`` how many
    heads each matrix has whose rows llama.cpp wants in pairs."""

    path: Path
    architecture: str
    metadata: JSON
    tensors: dict[str, Stored]
    layers: int
    queries_per_value: int = 1
    experts: int = 1
    stored_as: dict[str, str] = field(default_factory=dict)
    heads: dict[str, int] = field(default_factory=dict)

    def layout(self, weighted: bool) -> Layout:
        tied = "output.weight" not in self.tensors
        return Layout(self.layers, tied, self.queries_per_value, self.experts, weighted)

    def ordered(self, rows: Array, name: str) -> Array:
        """Values or bytes of a tensor with its rows in the order that llama.cpp wants: those of each head in pairs
        instead of halves (its rotation for ``llama``)."""
        if name not in self.heads:
            return rows
        half = rows.shape[0] // self.heads[name] // 2
        parts = rows.reshape(self.heads[name], 2, half, *rows.shape[1:])
        return np.ascontiguousarray(parts.swapaxes(1, 2).reshape(rows.shape))


@dataclass(frozen=True)
class Given:
    """Values that no file has."""

    values: Array
    kind: str = "F32"

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(int(n) for n in self.values.shape)

    def read(self) -> Array:
        return self.values


@dataclass(frozen=True)
class Shifted:
    """A tensor with ``by`` added to each value."""

    stored: Stored
    by: float

    @property
    def kind(self) -> str:
        return self.stored.kind

    @property
    def shape(self) -> tuple[int, ...]:
        return self.stored.shape

    def read(self) -> Array:
        return self.stored.read() + np.float32(self.by)


@dataclass(frozen=True)
class Stacked:
    """Matrices of one shape, one for each expert, as one tensor (experts, rows, columns)."""

    parts: tuple[Stored, ...]

    @property
    def kind(self) -> str:
        return self.parts[0].kind

    @property
    def shape(self) -> tuple[int, ...]:
        return (len(self.parts), *self.parts[0].shape)

    def read(self) -> Array:
        return np.stack([part.read() for part in self.parts])
