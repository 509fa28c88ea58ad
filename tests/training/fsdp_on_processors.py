"""A worker of a sharded training whose accelerate shards on processors, with gloo: only GPUs are let in otherwise.

usage: torchrun --nproc_per_node 2 fsdp_on_processors.py JOB    (a job file of ``train_sharded``)

What is told otherwise is which devices there are. The sharding itself is real: PyTorch's, as ``fsdp.yaml`` sets it.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any


def let_processors_in(config: Path) -> None:
    import accelerate.state as state
    import torch
    from accelerate.commands.launch import _validate_launch_command, launch_command_parser
    from accelerate.utils import DistributedType
    from accelerate.utils.launch import prepare_multi_gpu_env

    options = ["--config_file", str(config), "--num_processes", "2", "--num_cpu_threads_per_process", "1", "-m", "x"]
    told, *_ = _validate_launch_command(launch_command_parser().parse_args(options))
    set_by_launcher = prepare_multi_gpu_env(told)
    os.environ |= {name: value for name, value in set_by_launcher.items() if name.startswith(("FSDP_", "ACCELERATE_"))}
    os.environ["ACCELERATE_TORCH_DEVICE"] = "cpu"
    torch.distributed.init_process_group("gloo")

    def prepared(*_: Any) -> tuple[str, DistributedType]:
        return "gloo", DistributedType.MULTI_GPU

    state.PartialState._prepare_backend = prepared


if __name__ == "__main__":
    from lamina.training.sharding import config_file, worker

    let_processors_in(config_file("fsdp"))
    worker.main(Path(sys.argv[1]))
