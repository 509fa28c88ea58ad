"""The vision part of a GGUF model: a file of its own (``mmproj``) that turns an image into embeddings for it.

It is found beside the model, as llama.cpp's own converter writes it there (``mmproj*.gguf``), or named with it:
``MODEL.gguf+MMPROJ.gguf``."""

from __future__ import annotations

from pathlib import Path

from lamina.errors import ModelError, ModelReferenceError
from lamina.models.metadata import gguf_metadata

ARCHITECTURE = "clip"
"""What every vision part calls itself in ``general.architecture``."""
_JOINT = ".gguf+"


def model_file(ref: str) -> Path:
    """The model of a reference, without the vision part that it names."""
    return Path(_split(ref)[0])


def named_projector(ref: str) -> Path | None:
    """The vision part that a reference names; raises ModelReferenceError where that is none."""
    name = _split(ref)[1]
    if name is None:
        return None
    if not Path(name).is_file():
        raise ModelReferenceError(f"{name}: there is no such file")
    if gguf_metadata(Path(name)).get("general.architecture") != ARCHITECTURE:
        raise ModelReferenceError(f"{name}: not the vision part of a model; name an mmproj file after the '+'")
    return Path(name)


def projector_of(ref: str) -> Path:
    """The vision part that a reference names, else the one beside the model. Raises ModelError where there is none or
    more than one, ModelReferenceError for a named one that is no vision part."""
    named = named_projector(ref)
    if named is not None:
        return named
    model = model_file(ref)
    found = sorted(model.parent.glob("mmproj*.gguf"))
    mend = f"name it: {model}+MMPROJ.gguf"
    if not found:
        raise ModelError(f"{model}: cannot be asked about images, there is no mmproj*.gguf beside it; {mend}")
    if len(found) > 1:
        several = ", ".join(file.name for file in found)
        raise ModelError(f"{model}: there is more than one vision part beside it ({several}); {mend}")
    return found[0]


def tokens_of_image(projector: Path) -> int:
    """About how many tokens of the context an image takes: its patches, which some models then merge or take of
    several cuts; good for planning, not for promising."""
    facts = gguf_metadata(projector)
    size, patch = facts.get("clip.vision.image_size", 0), facts.get("clip.vision.patch_size", 1)
    return int(size // patch) ** 2


def _split(ref: str) -> tuple[str, str | None]:
    if _JOINT not in ref or Path(ref).is_file():
        return ref, None
    model, _, projector = ref.partition(_JOINT)
    return f"{model}.gguf", projector
