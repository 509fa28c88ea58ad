"""The vision part of a GGUF model: a file of its own (``mmproj``) that turns an image into embeddings for it.

It is found beside the model, as llama.cpp's own converter writes it there (``mmproj*.gguf``), or named with it:
``MODEL.gguf+MMPROJ.gguf`` (``gguf_files``)."""

from __future__ import annotations

from pathlib import Path

from lamina.errors import ModelError
from lamina.models.gguf_files import named_files
from lamina.models.gguf_header import check_whole, gguf_metadata


def projector_of(ref: str) -> Path:
    """The vision part that a reference names, else the one beside the model. Raises ModelError where there is none or
    more than one, ModelReferenceError for a named one that is no vision part, DamagedFileError for one cut short."""
    named = named_files(ref)
    if named.projector is not None:
        return named.projector
    model = named.model
    found = sorted(model.parent.glob("mmproj*.gguf"))
    mend = f"name it: {model}+MMPROJ.gguf"
    if not found:
        raise ModelError(f"{model}: cannot be asked about images, there is no mmproj*.gguf beside it; {mend}")
    if len(found) > 1:
        several = ", ".join(file.name for file in found)
        raise ModelError(f"{model}: there is more than one vision part beside it ({several}); {mend}")
    check_whole(found[0])
    return found[0]


def tokens_of_image(projector: Path) -> int:
    """About how many tokens of the context an image takes: its patches, which some models then merge or take of
    several cuts; good for planning, not for promising."""
    facts = gguf_metadata(projector)
    size, patch = facts.get("clip.vision.image_size", 0), facts.get("clip.vision.patch_size", 1)
    return int(size // patch) ** 2
