"""A LoRA adapter as a small GGUF file that llama.cpp adds to its base while it computes (``BASE.gguf+ADAPTER.gguf``).

For a matrix NAME of the base the file has ``NAME.lora_a`` (rank, columns) and ``NAME.lora_b`` (rows, rank); llama.cpp
computes with ``NAME + adapter.lora.alpha / rank * lora_b · lora_a``."""

from __future__ import annotations

from pathlib import Path

from lamina.errors import ModelReferenceError
from lamina.models.gguf_files import is_adapter, named_files
from lamina.models.gguf_header import gguf_metadata, gguf_shapes
from lamina.models.metadata import facts_of_file

DOWN, UP = ".lora_a", ".lora_b"
EMBEDDING = "token_embd.weight"
"""Its two matrices llama.cpp wants the other way round; it looks at their shapes itself."""


def adapter_of(ref: str) -> Path | None:
    """The adapter that a reference names, None where it names none. Raises ModelReferenceError for one that was not
    made for the model beside it, and for an adapter in the model's place."""
    found = named_files(ref)
    if found.adapter is not None:
        check_adapter(found.model, found.adapter)
    elif found.model.suffix == ".gguf" and found.model.is_file() and is_adapter(found.model):
        raise ModelReferenceError(f"{found.model}: a LoRA adapter; name its base before it: BASE.gguf+{found.model}")
    return found.adapter


def check_adapter(base: Path, adapter: Path) -> None:
    """Raises ModelReferenceError for an adapter that llama.cpp would not take beside ``base``, with the first reason,
    which llama.cpp keeps to itself."""
    if (kind := gguf_metadata(adapter).get("adapter.type")) != "lora":
        raise ModelReferenceError(f"{adapter}: an adapter of type {kind}; name one of type lora")
    said, wanted = facts_of_file(adapter).architecture, facts_of_file(base).architecture
    if said != wanted:
        raise _of_another(adapter, base, f"it is for the architecture {said}, and that is {wanted}")
    there, added = gguf_shapes(base), gguf_shapes(adapter)
    for name in sorted(name.removesuffix(DOWN) for name in added if name.endswith(DOWN)):
        if name not in there:
            raise _of_another(adapter, base, f"there is no {name}")
        if name == EMBEDDING:
            continue
        rows, columns = added.get(name + UP, (0, 0))[-2], added[name + DOWN][-1]
        if (rows, columns) != there[name][-2:]:
            shape = " × ".join(map(str, there[name]))
            raise _of_another(adapter, base, f"{name} is {shape} there and {rows} × {columns} in the adapter")


def _of_another(adapter: Path, base: Path, why: str) -> ModelReferenceError:
    return ModelReferenceError(
        f"{adapter}: an adapter of another model than {base}: {why}; name the base it was made for"
    )
