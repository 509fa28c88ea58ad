"""What lm-evaluation-harness is asked by ``lm_eval_side_by_side.py``, in files, and what it said."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lamina.bench import open_task
from lamina.bench.tasks import Sample, Setting, Task
from lamina.models import Request
from lamina.tools import Toolbox

HARNESS = Path(__file__).with_name("lm_eval_harness.py")
SETTING = Setting(Toolbox([]), "plain", max_tokens=512)
MC1, MC2 = "truthfulqa:mc1", "truthfulqa:mc2"


@dataclass(frozen=True)
class Run:
    """One engine on one task: of each sample its score (right or not; of MC2 a share) and what was answered; seconds on
    the clock, and of the processor, which say more where something else runs as well."""

    name: str
    scores: list[float]
    answers: list[Any]
    seconds: float
    processor: float


def first_request(task: Task, sample: Sample) -> Request:
    return next(task.solve(sample, SETTING))


def opened(name: str, data: Path) -> Task:
    """Lamina's task of one request a sample; ``truthfulqa:mc1`` gives the figure of MC2 too."""
    return open_task(MC1 if name == MC2 else name, data=data)


def harness_tasks(tasks: dict[str, Task], samples: dict[str, list[Sample]], model: Any, work: Path) -> dict[str, Any]:
    """The harness's data, one file a task, from the very prompts that Lamina sends."""
    found: dict[str, Any] = {}
    for name, task in tasks.items():
        data = work / f"{name.replace(':', '_')}.jsonl"
        requests = [first_request(task, sample) for sample in samples[name]]
        with data.open("w") as out:
            for sample, request in zip(samples[name], requests, strict=True):
                asked = {"id": sample.id, "prompt": model.prompt_for(request), **to_choose(name, sample.row, request)}
                out.write(json.dumps(asked) + "\n")
        kind = "multiple_choice" if requests[0].continuations else "generate_until"
        about = {"data": str(data), "type": kind, "max_tokens": requests[0].max_tokens, "shares": name == MC2}
        found[harness_name(name)] = about
    return found


def to_choose(name: str, row: dict[str, Any], request: Request) -> dict[str, Any]:
    """The choices of a sample and which is right, or the text that a written answer is held to."""
    if not request.continuations:
        return {"target": row["target"].replace(",", "")}
    choices = list(request.continuations)
    if name == MC2:
        labels = [int(i < row["true"]) for i in range(len(choices))]
        return {"choices": choices, "gold": 0, "mc2_targets": {"choices": choices, "labels": labels}}
    if name == MC1:  # as published: the best answer, which is the first, against the false ones
        return {"choices": [choices[0], *choices[row["true"] :]], "gold": 0}
    return {"choices": choices, "gold": [x.strip() for x in choices].index(row["target"])}


def harness_name(task: str) -> str:
    return f"lamina_{task.replace(':', '_').replace('-', '_')}"


def ask_harness(python: str, job: dict[str, Any], work: Path, label: str) -> list[dict[str, Any]]:
    """The lines that the harness's process wrote. Its own log goes to a file of the work folder."""
    job_file, results, log = (work / f"{label}.{end}" for end in ("job.json", "jsonl", "log"))
    job_file.write_text(json.dumps(job))
    offline = {"HF_HOME": str(work / "hf"), "HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1"}
    with log.open("w") as said:
        command = [python, str(HARNESS), str(job_file), str(results)]
        done = subprocess.run(command, env=os.environ | offline, stdout=said, stderr=said)
    if done.returncode:
        raise SystemExit(f"the harness failed; its last lines:\n{log.read_text()[-2000:]}")
    return [json.loads(line) for line in results.read_text().splitlines()]


def ran_harness(args: argparse.Namespace, job: dict[str, Any], sizes: dict[str, int]) -> dict[str, list[Run]]:
    """For each task (``sizes``: samples of each) one run a number type, at the batch size that was fastest on the first
    ``--probe`` samples."""
    runs = [
        {"task": harness_name(task), "dtype": d, "batches": args.batches, "probe": min(args.probe, n), "n": n}
        for d in args.dtypes
        for task, n in sizes.items()
    ]
    tasks = {harness_name(task): task for task in sizes}
    found: dict[str, list[Run]] = {task: [] for task in sizes}
    for done in ask_harness(args.harness, job | {"runs": runs}, args.work, "harness"):
        task, rows, dtype = tasks[done["task"]], done["rows"], done["dtype"]
        speeds = ", ".join(f"{batch}: {speed:.2f}" for batch, speed in done["speeds"].items())
        print(f"{task}: harness {dtype}, samples/s on the first {args.probe} by batch size: {speeds}", flush=True)
        scores, answers = [r["score"] for r in rows], [r["answer"] for r in rows]
        name = f"harness {dtype}, batch {done['batch']}"
        found[task].append(Run(name, scores, answers, done["seconds"], done["processor"]))
    return found
