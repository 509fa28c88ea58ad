"""The header of a GGUF file: what it says of itself, its tensors' shapes, and how long the file has to be. No tensor is
read. Format: the GGUF specification, version 3."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any, BinaryIO

from lamina.errors import DamagedFileError, ModelError

_SIZES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
_CODES = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_STRING, _ARRAY = 8, 9
_MOST_KEYS, _MOST_AXES = 10_000, 8
_ALIGNMENT = 32
"""Bytes between the beginnings of tensors where ``general.alignment`` does not say."""

BLOCKS = {
    0: (1, 4), 1: (1, 2), 2: (32, 18), 3: (32, 20), 6: (32, 22), 7: (32, 24), 8: (32, 34), 9: (32, 40),
    10: (256, 84), 11: (256, 110), 12: (256, 144), 13: (256, 176), 14: (256, 210), 15: (256, 292), 16: (256, 66),
    17: (256, 74), 18: (256, 98), 19: (256, 50), 20: (32, 18), 21: (256, 110), 22: (256, 82), 23: (256, 136),
    24: (1, 1), 25: (1, 2), 26: (1, 4), 27: (1, 8), 28: (1, 8), 29: (256, 56), 30: (1, 2), 34: (256, 54),
    35: (256, 66), 39: (32, 17),
}  # fmt: skip
"""Values and bytes of a block, by ggml's number of the type. A table of our own: the package ``gguf`` has it too, and
takes half a second to import wherever a model is only looked at."""


@dataclass(frozen=True)
class Header:
    """``metadata``: scalars and strings; arrays (the vocabulary) are skipped, which makes it fast. ``shapes``: of each
    tensor, a matrix's as (rows, columns). ``length``: bytes that the file has at least if it is whole."""

    metadata: dict[str, Any]
    shapes: dict[str, tuple[int, ...]]
    length: int


def gguf_metadata(path: Path) -> dict[str, Any]:
    """``Header.metadata``. Raises as ``gguf_header``."""
    return gguf_header(path).metadata


def gguf_shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """``Header.shapes``. Raises as ``gguf_header``."""
    return gguf_header(path).shapes


def check_whole(path: Path, header: Header | None = None) -> None:
    """Raises DamagedFileError for a file that ends before its last tensor does, as a download that broke off, and as
    ``gguf_header``."""
    promised, there = (header or gguf_header(path)).length, path.stat().st_size
    if there < promised:
        what = f"its header promises {promised:,} bytes, it has {there:,}"
        raise DamagedFileError(f"{path}: the file is cut short: {what}; fetch or build it again")


def gguf_header(path: Path) -> Header:
    """Raises DamagedFileError for a file that is no GGUF or ends within its header."""
    try:
        with path.open("rb") as file:
            if file.read(4) != b"GGUF":
                raise DamagedFileError(f"{path}: not a GGUF file")
            version, tensors, count = struct.unpack("<IQQ", file.read(20))
            if version not in (2, 3) or count > _MOST_KEYS:
                raise DamagedFileError(
                    f"{path}: GGUF version {version} with {count} keys; versions 2 and 3 can be read"
                )
            values: dict[str, Any] = {}
            for _ in range(count):
                key = _string(file)
                kind = struct.unpack("<I", file.read(4))[0]
                value = _value(file, kind)
                if value is not None:
                    values[key] = value
            found = [_tensor(file) for _ in range(tensors)]
            alignment = int(values.get("general.alignment", _ALIGNMENT))
            begin = -(-file.tell() // alignment) * alignment
            length = begin + max(end for _, _, end in found) if found else file.tell()
            return Header(values, {name: shape for name, shape, _ in found}, length)
    except (struct.error, UnicodeDecodeError, KeyError, ValueError, ArithmeticError, MemoryError):
        raise DamagedFileError(f"{path}: the file is damaged or cut short; fetch or build it again") from None
    except OSError as error:
        raise ModelError(f"{path}: {error.strerror}") from None


def _tensor(file: BinaryIO) -> tuple[str, tuple[int, ...], int]:
    """Name, shape and end of the next tensor, in bytes after the header; ggml writes the fastest axis first, numpy
    last. Of a type that is not known here, where it begins stands for its end."""
    name = _string(file)
    axes = struct.unpack("<I", file.read(4))[0]
    if axes > _MOST_AXES:
        raise struct.error
    sizes = struct.unpack(f"<{axes}Q", file.read(8 * axes))
    kind, offset = struct.unpack("<IQ", file.read(12))
    values, size = BLOCKS.get(kind, (1, 0))
    return name, tuple(reversed(sizes)), offset + prod(sizes) // values * size


def _string(file: BinaryIO) -> str:
    size = struct.unpack("<Q", file.read(8))[0]
    if size > 1 << 26:
        raise struct.error
    return file.read(size).decode("utf-8", errors="replace")


def _value(file: BinaryIO, kind: int) -> Any:
    if kind == _STRING:
        return _string(file)
    if kind == _ARRAY:
        inner, count = struct.unpack("<IQ", file.read(12))
        if inner == _STRING:
            for _ in range(count):
                file.seek(struct.unpack("<Q", file.read(8))[0], 1)
        else:
            file.seek(_SIZES[inner] * count, 1)
        return None
    return struct.unpack(f"<{_CODES[kind]}", file.read(_SIZES[kind]))[0]
