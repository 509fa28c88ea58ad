"""What makes two samples the same sample: the model's bytes, the prompt, the settings. A benched sample is
stored under that identity, so a killed bench goes on where it was, and a changed model file is asked anew."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lamina.bench.tasks import Sample, Task
from lamina.errors import ModelReferenceError
from lamina.tools.tool import Toolbox
from lamina.trajectories import content_id

_BLOCK = 1 << 20


def model_path(ref: str) -> Path | None:
    """The file or folder behind a model reference; ``None`` for a model that lives elsewhere. Raises
    ``ModelReferenceError`` where it names a file that is not there."""
    if ref == "embedded":
        from lamina.models import embedded_path

        return Path(embedded_path())
    path = Path(ref.removeprefix("scripted:"))
    if path.exists():
        return path
    if ref.startswith("scripted:") or path.suffix == ".gguf":
        raise ModelReferenceError(f"{path}: there is no such file; check the path of the model")
    return None


def fingerprint(ref: str) -> str:
    """Sixteen hexadecimal digits of the model's bytes; of the reference itself where there are none here."""
    path = model_path(ref)
    digest = hashlib.sha256()
    if path is None:
        digest.update(ref.encode())
    for file in _files(path):
        digest.update(file.name.encode())
        with file.open("rb") as stream:
            while block := stream.read(_BLOCK):
                digest.update(block)
    return digest.hexdigest()[:16]


def size_bytes(ref: str) -> int | None:
    path = model_path(ref)
    if path is None or ref.startswith("scripted:"):
        return None
    return sum(file.stat().st_size for file in _files(path))


def _files(path: Path | None) -> list[Path]:
    if path is None:
        return []
    if path.is_file():
        return [path]
    return sorted(file for file in path.iterdir() if file.is_file())


def sample_key(model: str, task: Task, sample: Sample, toolbox: Toolbox, asked: Sequence[Any]) -> str:
    """``model`` is the model's fingerprint; ``asked`` how it is asked: style, instruction, longest answer, and more."""
    return content_id("sample", model, task.name, sample.id, sample.row, [*asked, toolbox.fingerprint()])
