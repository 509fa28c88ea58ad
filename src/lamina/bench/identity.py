"""What makes two samples the same sample: the model's bytes, the prompt, the settings. A benched sample is
stored under that identity, so a killed bench goes on where it was, and a changed model file is asked anew."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lamina.bench.tasks import Sample, Task, version_of
from lamina.errors import DamagedFileError, ModelError, ModelReferenceError
from lamina.models.images import digest
from lamina.tools.tool import Toolbox
from lamina.trajectories import content_id

_BLOCK = 1 << 20


def model_path(ref: str) -> Path | None:
    """The file or folder behind a model reference; ``None`` for a model that lives elsewhere. Raises
    ``ModelReferenceError`` where it names a file that is not there."""
    from lamina.models.gguf_files import model_file

    path = model_file(ref.removeprefix("scripted:"))
    if path.exists():
        return path
    if ref.startswith("scripted:") or path.suffix == ".gguf":
        raise ModelReferenceError(f"{path}: there is no such file; check the path of the model")
    return None


def fingerprint(ref: str, images: bool = False) -> str:
    """Sixteen hexadecimal digits of the model's bytes, an adapter's among them; of the reference itself where there are
    none here. With ``images`` those of its vision part too."""
    path = model_path(ref)
    found = hashlib.sha256()
    if path is None:
        found.update(_full(ref).encode())
    for file in _files(ref, path, images):
        found.update(file.name.encode())
        with file.open("rb") as stream:
            while block := stream.read(_BLOCK):
                found.update(block)
    return found.hexdigest()[:16]


def _full(ref: str) -> str:
    """A reference that the environment completes, completed: ``openai:NAME`` is another model at another address."""
    address = os.environ.get("OPENAI_BASE_URL", "").rstrip("/")
    return f"{ref}@{address}" if ref.startswith("openai:") and "@" not in ref and address else ref


def size_bytes(ref: str, images: bool = False) -> int | None:
    path = model_path(ref)
    if path is None or ref.startswith("scripted:"):
        return None
    return sum(file.stat().st_size for file in _files(ref, path, images))


def _files(ref: str, path: Path | None, images: bool) -> list[Path]:
    if path is None:
        return []
    if path.is_file():
        beside = [adapter_beside(ref), vision_part(ref) if images else None] if path.suffix == ".gguf" else []
        return [path, *(file for file in beside if file)]
    return sorted(file for file in path.iterdir() if file.is_file())


def adapter_beside(ref: str) -> Path | None:
    """The adapter that a reference names; a damaged file beside the model stands for one, which loading it says."""
    from lamina.models.gguf_files import named_files, split_reference

    try:
        return named_files(ref).adapter
    except DamagedFileError:
        return Path(split_reference(ref)[-1])


def vision_part(ref: str) -> Path | None:
    """What a GGUF file sees with; None where there is none: that is said when the model is loaded."""
    from lamina.models.projectors import projector_of

    try:
        return projector_of(ref)
    except ModelError:
        return None


def sample_key(model: str, task: Task, sample: Sample, toolbox: Toolbox, asked: Sequence[Any]) -> str:
    """``model`` is the model's fingerprint; ``asked`` how it is asked: style, instruction, longest answer, and more. An
    image counts by its bytes, not by where it lies; the task's version counts too."""
    row = sample.row
    if row.get("images"):
        row = {**row, "images": [digest(image) for image in row["images"]]}
    version = version_of(task)
    later = [] if version == 1 else [version]  # left out of the key it goes on with runs of before there were versions
    return content_id("sample", model, task.name, sample.id, row, [*asked, toolbox.fingerprint()], *later)
