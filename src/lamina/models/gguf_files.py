"""The GGUF files that a reference names: a model and, joined to it by ``+``, what is loaded beside it: its vision part,
a LoRA adapter, or both (``MODEL.gguf+MMPROJ.gguf+ADAPTER.gguf``, ``embedded+ADAPTER.gguf``).

What a file is, it says itself, in ``general.architecture`` and ``general.type``; names and order decide nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from lamina.errors import ModelReferenceError
from lamina.models.metadata import facts_of_file

VISION_PART = "clip"
"""What every vision part calls itself in ``general.architecture``."""
ADAPTER = "adapter"
"""The ``general.type`` of an adapter."""
EMBEDDED = "embedded"
_END = ".gguf"


@dataclass(frozen=True)
class NamedFiles:
    model: Path
    projector: Path | None = None
    adapter: Path | None = None


def model_file(ref: str) -> Path:
    """The model of a reference, without what is named beside it; what is no GGUF file is given back as a path."""
    return _model(split_reference(ref)[0])


def named_files(ref: str) -> NamedFiles:
    """Raises ModelReferenceError where what stands after a ``+`` is not there, or is no part of a model, or is the
    second of its kind; ModelError for a damaged file."""
    model, *beside = split_reference(ref)
    found = NamedFiles(_model(model))
    for name in beside:
        kind = _kind_of(Path(name))
        if getattr(found, kind) is not None:
            raise ModelReferenceError(f"{name}: the second {_KINDS[kind]} in {ref}; name one")
        found = replace(found, **{kind: Path(name)})
    return found


def split_reference(ref: str) -> list[str]:
    """The model that a reference names, then what it names beside it; one name for any other reference."""
    if Path(ref).is_file():  # a file may be called so
        return [ref]
    first, *more = ref.removeprefix(f"{EMBEDDED}+").split(f"{_END}+")
    parts = [f"{name}{_END}" for name in (first, *more[:-1])] + more[-1:] if more else [first]
    return [EMBEDDED, *parts] if ref.startswith(f"{EMBEDDED}+") else parts


def is_adapter(file: Path) -> bool:
    """Raises ModelReferenceError where there is no such file, ModelError for what is no GGUF file."""
    return facts_of_file(file).kind == ADAPTER


_KINDS = {"projector": "vision part", "adapter": "LoRA adapter"}


def _kind_of(file: Path) -> str:
    if facts_of_file(file).architecture == VISION_PART:
        return "projector"
    if is_adapter(file):
        return "adapter"
    raise ModelReferenceError(
        f"{file}: not the vision part of a model and no LoRA adapter; name an mmproj file or an adapter after the '+'"
    )


def _model(name: str) -> Path:
    from lamina.models.references import embedded_path

    return embedded_path() if name == EMBEDDED else Path(name)
