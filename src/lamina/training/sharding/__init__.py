"""One training in several processes, a device each, through accelerate: ``ddp`` (whole model on each), ``fsdp`` and
``deepspeed`` (weights cut over the devices). Their configurations are the YAML files beside this one.

The process that was started keeps the run; the workers it launches train, and the first of them writes. A step reads
the same rows as in one process: ``accumulate`` is shared among the processes.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.resources import files
from pathlib import Path
from typing import Literal

from lamina.errors import InputError, WorkFailedError
from lamina.tools.tool import JSON
from lamina.training.base import require_training_libraries
from lamina.training.folder import FINISHED, write_json
from lamina.training.preferences import Answers
from lamina.training.settings import TrainSettings

Sharding = Literal["ddp", "fsdp", "deepspeed"]
WORKER = "lamina.training.sharding.worker"


@dataclass(frozen=True)
class Shards:
    """``processes``: 0 stands for one on each device that torch sees."""

    kind: Sharding
    processes: int = 0


def config_file(kind: Sharding) -> Path:
    """accelerate's configuration of a kind, for ``accelerate launch --config_file`` too."""
    return Path(str(files(__name__).joinpath(f"{kind}.yaml")))


def check_shards(shards: Shards, settings: TrainSettings) -> Shards:
    """With the number of processes filled in. Raises InputError for what is missing on this machine, or cannot be
    shared; MissingExtraError."""
    require_training_libraries()
    import torch

    devices = torch.cuda.device_count()
    count = shards.processes or devices
    if shards.kind != "ddp" and devices < max(count, 1):
        what = f"sharding {shards.kind} needs a GPU for each process; torch sees {devices}"
        raise InputError(what, mend="fewer --processes, or --sharding ddp, which runs on processors too")
    if shards.kind == "deepspeed" and importlib.util.find_spec("deepspeed") is None:
        raise InputError("sharding deepspeed needs a library that is not installed", mend="pip install deepspeed")
    if count < 1:
        raise InputError("torch sees no GPU", mend="--processes says how many processes are to train on processors")
    if settings.accumulate % count:
        what = f"a step of {settings.accumulate} batches cannot be shared among {count} processes"
        raise InputError(what, mend="set accumulate in a recipe to a multiple of --processes")
    if settings.patience:
        raise InputError("patience looks at one whole model, which a sharded training has not", mend="patience 0")
    if settings.qat != "none" and shards.kind != "ddp":
        raise InputError(f"qat rounds whole matrices, which {shards.kind} cuts", mend="--sharding ddp, or --qat none")
    return Shards(shards.kind, count)


def train_sharded(
    shards: Shards, base_ref: str, data: Path, out: Path, settings: TrainSettings, wrong: Answers | None = None
) -> JSON:
    """``fine_tune`` on the rows of ``data`` in several processes; the same folder, the same metrics. Raises as
    ``check_shards``, and WorkFailedError with what the first process said."""
    shards = check_shards(shards, settings)
    out.mkdir(parents=True, exist_ok=True)
    job, said = out.with_name("sharded-job.json"), out.with_name("sharded-error.txt")
    said.unlink(missing_ok=True)
    answers = {id: [{"name": c.name, "arguments": c.arguments} for c in calls] for id, calls in (wrong or {}).items()}
    told = {"base": base_ref, "data": str(data.resolve()), "out": str(out), "said": str(said), "wrong": answers}
    write_json(job, {**told, "settings": asdict(settings)})
    # The launcher's processes inherit it: no file of the current folder is taken for a module of Python's.
    safe = {**os.environ, "PYTHONSAFEPATH": "1"}
    ended = subprocess.run(command(shards, job), stdout=sys.stderr, env=safe, check=False).returncode
    if ended != 0:
        found = said.read_text("utf-8") if said.is_file() else f"a training process ended with status {ended}"
        raise WorkFailedError(found)
    metrics: JSON = json.loads((out / FINISHED).read_text("utf-8"))["metrics"]
    return metrics


def command(shards: Shards, job: Path) -> Sequence[str]:
    """accelerate's launcher; on processors alone torch's, for accelerate's trains there in one process."""
    import torch

    count = str(shards.processes)
    if torch.cuda.device_count() == 0:
        launcher = ["torch.distributed.run", "--standalone", "--nproc_per_node", count]
    else:
        config = ["--config_file", str(config_file(shards.kind)), "--num_processes", count]
        launcher = ["accelerate.commands.launch", *config, "--main_process_port", "0"]
    return [sys.executable, "-m", *launcher, "-m", WORKER, str(job)]
