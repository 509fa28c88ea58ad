"""A worker of a sharded training in two processes, of which the second is killed with -9 as step 6 ends.

usage: torchrun --nproc_per_node 2 killed_worker.py JOB    (a job file of ``train_sharded``)

Its gradients of that step have gone to the first one, so the checkpoint of step 5 is whole.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from lamina.training.sharding import worker
from lamina.training.trainer import TrainingLog

KILLED_AT = 6


def step_or_die(self: TrainingLog, number: int, last: int, rate: float) -> bool:
    if number == KILLED_AT and os.environ["RANK"] == "1":
        os.kill(os.getpid(), signal.SIGKILL)
    return step(self, number, last, rate)


if __name__ == "__main__":
    step, TrainingLog.step = TrainingLog.step, step_or_die  # type: ignore[method-assign]
    worker.main(Path(sys.argv[1]))
