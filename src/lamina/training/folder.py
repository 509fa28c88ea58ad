"""What a training folder says of itself: whose it is, whether it is done, and from which step it goes on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from lamina.errors import ConfigMismatchError
from lamina.runs.files import atomic_file
from lamina.tools import Toolbox
from lamina.tools.tool import JSON
from lamina.training.processes import is_first
from lamina.training.settings import TrainSettings
from lamina.trajectories import Trajectory

FINISHED = "training.json"
UNFINISHED = "checkpoints"


def identity_of(
    ref: str, train: Sequence[Trajectory], validation: Sequence[Trajectory], settings: TrainSettings, tools: Toolbox
) -> JSON:
    """What makes two trainings the same one."""
    digest = hashlib.sha256()
    for row in [*train, None, *validation]:
        digest.update(row.to_json() if row else b"\n")
    return {"base": ref, "rows": digest.hexdigest()[:16], "tools": tools.fingerprint(), **settings.identity()}


def metrics_of(out: Path, identity: JSON) -> JSON | None:
    """Of a finished training, else None. Raises ConfigMismatchError where the folder is another training's."""
    finished, unfinished = out / FINISHED, out / UNFINISHED / FINISHED
    for file in (finished, unfinished):
        if not file.is_file():
            continue
        stored = json.loads(file.read_text())
        differing = [k for k in identity if stored["identity"].get(k) != identity[k]]
        if differing:
            told = ", ".join(f"{k}: {stored['identity'].get(k)} -> {identity[k]}" for k in differing)
            raise ConfigMismatchError(f"{out} holds another training ({told}); choose another folder or remove it")
        if file is finished:
            metrics: JSON = stored["metrics"]
            return metrics
    return None


def last_checkpoint(folder: Path, identity: JSON) -> Path | None:
    """The newest whole checkpoint; Transformers writes ``trainer_state.json`` after everything that is needed."""
    folder.mkdir(exist_ok=True)
    if is_first():
        write_json(folder / FINISHED, {"identity": identity})
    whole = [c for c in folder.glob("checkpoint-*") if (c / "trainer_state.json").is_file()]
    return max(whole, key=step_of, default=None)


def step_of(checkpoint: Path | None) -> int:
    return int(checkpoint.name.rsplit("-", 1)[1]) if checkpoint else 0


def write_json(file: Path, value: JSON) -> None:
    with atomic_file(file) as opened:
        opened.write(json.dumps(value, indent=1).encode())
