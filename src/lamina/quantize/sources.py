"""What a GGUF file is made from: a Transformers folder, or another GGUF file."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from math import prod
from pathlib import Path

from lamina.errors import InputError
from lamina.models.gguf_header import check_whole
from lamina.quantize.folder_source import folder_source
from lamina.quantize.ggml import Array, dequantized
from lamina.quantize.grids import base_type
from lamina.quantize.model_source import Source, Stored, Typed
from lamina.tools.tool import JSON


def source_of(path: Path) -> Source:
    """Raises InputError for what is neither a model folder that can be exported nor a GGUF file, DamagedFileError for a
    GGUF file that is cut short."""
    return _of_file(path) if path.suffix == ".gguf" else folder_source(path)


BORN = "lamina.born"
"""The key under which a GGUF file that Lamina writes says to which type its weights were rounded before. Of a file in
16 bits nothing else would say it."""
FULL = ("F32", "F16", "BF16")


def born_as(source: Source) -> str | None:
    """The coarsest type that the weights are known to come from: as the file says, as most of its weights are stored,
    or as the base of a training was; None for weights that were never rounded to fewer than 16 bits."""
    said = source.metadata.get(BORN)
    if said is not None:
        return str(said.value if isinstance(said, Typed) else said)
    if source.path.is_dir():
        found = base_type(source.path)
    else:
        kinds: Counter[str] = Counter()
        for tensor in source.tensors.values():
            kinds[tensor.kind] += prod(tensor.shape)
        found = kinds.most_common(1)[0][0] if kinds else None
    return None if not found or found in FULL else found


@dataclass(frozen=True)
class _GgufTensor:
    """``data`` is a map of the file; ggml writes the fastest axis first, numpy last."""

    data: Array
    kind: str
    shape: tuple[int, ...]

    def read(self) -> Array:
        return dequantized(self.data, self.kind).reshape(self.shape)


def _of_file(path: Path) -> Source:
    from gguf import GGUFReader

    check_whole(path)
    try:
        reader = GGUFReader(path)
    except (OSError, ValueError, KeyError, IndexError) as error:
        raise InputError(f"not a readable GGUF file ({error})", file=path, mend="download it again") from None
    metadata: JSON = {}
    for key, found in reader.fields.items():
        if not key.startswith(("GGUF.", "general.file_type", "general.quantization_version", "general.architecture")):
            member = found.types[-1] if len(found.types) > 1 else None
            metadata[key] = Typed(found.contents(), found.types[0], member)
    architecture = str(reader.fields["general.architecture"].contents())

    def number(key: str, otherwise: int) -> int:
        typed = metadata.get(f"{architecture}.{key}")
        return int(typed.value) if typed else otherwise

    tensors: dict[str, Stored] = {
        t.name: _GgufTensor(t.data, t.tensor_type.name, tuple(int(n) for n in reversed(t.shape)))
        for t in reader.tensors
    }
    heads = number("attention.head_count", 1)
    shared = heads // number("attention.head_count_kv", heads)
    layers, experts = number("block_count", 0), max(1, number("expert_count", 1))
    return Source(path, architecture, metadata, tensors, layers, shared, experts)
