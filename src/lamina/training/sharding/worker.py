"""One process of a sharded training; started by a launcher with the file of the job."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from lamina.errors import LaminaError
from lamina.runs import Progress
from lamina.training.processes import is_first
from lamina.training.rows import read_training_data
from lamina.training.settings import TrainSettings
from lamina.training.sft import fine_tune
from lamina.trajectories import ToolCall


def main(file: Path) -> None:
    job = json.loads(file.read_text("utf-8"))
    found = read_training_data(Path(job["data"]))
    wrong = {id: [ToolCall.of(c["name"], c["arguments"]) for c in calls] for id, calls in job["wrong"].items()}
    settings, progress = TrainSettings(**job["settings"]), Progress(silent=not is_first())
    out = Path(job["out"])
    try:
        fine_tune(job["base"], found.train, found.held, out, settings, found.toolbox, progress, wrong=wrong or None)
    except LaminaError as error:
        Path(job["said"]).write_text(str(error), "utf-8")
        raise SystemExit(1) from error


if __name__ == "__main__":
    main(Path(sys.argv[1]))
