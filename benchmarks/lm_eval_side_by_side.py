"""Lamina's text tasks beside lm-evaluation-harness: same weights, same prompts, same samples.

usage: lm_eval_side_by_side.py --harness PYTHON --data DIR --work DIR [-n 100]     (docs/results/mobile.md)

PYTHON is that of a virtual environment with ``pip install 'lm-eval[hf]'`` and torch. The model (``embedded``, or any
base that Lamina reads) is written once as a Transformers folder, which the harness reads, and from that folder as a
GGUF file, which Lamina runs. The harness gets what Lamina sends, chat template and all. Tasks: ``gsm8k`` (greedy, both
extractions for both engines' answers), ``mmlu`` and ``mmlu:5-shot`` (log-likelihood of the letters),
``truthfulqa:mc1`` (of whole answers) and ``truthfulqa:mc2`` (the share of the true ones, from the same run of Lamina's
task). ``--dtypes float32 --precision F32`` gives both the very same weights.

The harness is timed at each batch size on the first ``--probe`` samples and then runs all of them at the best one, for
each number type; Lamina runs them once with ``--slots`` requests at a time. They take turns, never at once. Loading a
model counts for neither. ``--exact`` also lets Lamina score the Transformers folder itself, which tells differences of
number types from differences of method.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lm_eval_jobs import (
    MC1,
    MC2,
    SETTING,
    Run,
    ask_harness,
    first_request,
    harness_name,
    harness_tasks,
    opened,
    ran_harness,
)

from lamina.bench.driving import drive
from lamina.bench.metrics import last_number
from lamina.bench.tasks import Outcome, Sample, Task
from lamina.models import Model, open_model
from lamina.quantize import export_gguf
from lamina.training.base import load_base

TASKS = ("mmlu", "mmlu:5-shot", MC1, MC2, "gsm8k")


def prepared(ref: str, kind: str, work: Path) -> tuple[Path, Path]:
    folder, file = work / "model", work / f"model-{kind}.gguf"
    if not (folder / "tokenizer_config.json").exists():  # written last
        base = load_base(ref)
        base.model.save_pretrained(str(folder))
        base.tokenizer.save_pretrained(str(folder))
    if not file.exists():
        export_gguf(folder, file, kind)
    return folder, file


def ran_lamina(name: str, model: Model, task: Task, samples: Sequence[Sample], score: str = "right") -> Run:
    found: dict[str, Outcome] = {}
    talks = [(sample.id, task.solve(sample, SETTING)) for sample in samples]
    began, used = time.perf_counter(), time.process_time()
    drive(model, talks, lambda key, outcome: found.__setitem__(key, outcome))
    seconds, processor = time.perf_counter() - began, time.process_time() - used
    outcomes = [found[sample.id] for sample in samples]
    said = [o.transcript[0] for o in outcomes]
    answers = [s["likelihoods"] if "likelihoods" in s else s["answer"] for s in said]
    scores = [float(o.right if score == "right" else o.scores[score]) for o in outcomes]
    return Run(name, scores, answers, seconds, processor)


def differences(ours: Run, theirs: Run, samples: Sequence[Sample]) -> list[str]:
    """A line for each sample whose scores lie more than a hundredth apart."""
    found = []
    columns = (samples, ours.scores, theirs.scores, ours.answers, theirs.answers)
    for sample, a, b, said, other in zip(*columns, strict=True):
        if abs(a - b) <= 0.01:
            continue
        line = f"  {sample.id}: {a:.3g} by {ours.name}, {b:.3g} by {theirs.name}"
        if isinstance(other, list):
            first, second = sorted(other, reverse=True)[:2]
            line += f"; the harness's two likeliest are {first - second:.4f} nats apart"
        else:
            same = next(
                (i for i, (x, y) in enumerate(zip(said, other, strict=False)) if x != y), min(len(said), len(other))
            )
            line += f"; the texts part at character {same}: {said[same : same + 40]!r} and {other[same : same + 40]!r}"
        found.append(line)
    return found


def shares_apart(ours: Run, theirs: Run) -> str:
    """Of MC2, which is a share and no choice."""
    far = sorted(abs(a - b) for a, b in zip(ours.scores, theirs.scores, strict=True))
    return f"shares {far[len(far) // 2]:.5f} apart in the median, {far[-1]:.5f} at the most"


def same_choices(ours: Run, theirs: Run, samples: Sequence[Sample]) -> str:
    """On how many samples both engines chose the same, whether right or wrong."""
    same = 0
    for sample, said, other in zip(samples, ours.answers, theirs.answers, strict=True):
        if isinstance(other, str):
            same += said == other
        elif isinstance(said, dict):
            values = [said[a] for a in [sample.row["answers"][0], *sample.row["answers"][sample.row["true"] :]]]
            same += values.index(max(values)) == other.index(max(other))
        else:
            same += "ABCDEFGH"[other.index(max(other))] == said.strip()
    return f"{same} of {len(samples)} answers the same"


def both_extractions(args: argparse.Namespace, job: dict[str, Any], ours: Run, theirs: Run, prompts: list[str],
                     samples: Sequence[Sample]) -> list[str]:  # fmt: skip
    """Each engine's answers under each extraction: whose answers, then how many are right by Lamina's and by the
    harness's."""
    name, lines = harness_name("gsm8k"), []
    for run in (ours, theirs):
        replay = {"replay": {name: dict(zip(prompts, run.answers, strict=True))}}
        rows = ask_harness(args.harness, job | replay, args.work, "replay")[0]["rows"]
        by_them: list[float] = [r["score"] for r in rows]
        by_us = [last_number(a) == last_number(s.row["target"]) for a, s in zip(run.answers, samples, strict=True)]
        apart = sum(a != b for a, b in zip(by_us, by_them, strict=True))
        lines.append(
            f"answers of {run.name}: {sum(by_us)} right by Lamina's extraction, {sum(by_them):g} by the harness's, "
            f"{apart} judged differently"
        )
    return lines


def compare(args: argparse.Namespace, name: str, task: Task, samples: list[Sample], job: dict[str, Any],
            models: tuple[Path, Path], theirs: list[Run]) -> None:  # fmt: skip
    (folder, file), n = models, len(samples)
    model: Any = open_model(str(file), threads=args.threads, slots=args.slots)
    prompts = [model.prompt_for(first_request(task, s)) for s in samples]
    ran_lamina("warm", model, task, samples[:2])
    score = "mc2" if name == MC2 else "right"
    ours = [ran_lamina(f"Lamina {args.precision}", model, task, samples, score)]
    model.close()
    if args.exact and name != "gsm8k":
        exact = open_model(str(folder), threads=args.threads)
        ours.append(ran_lamina("Lamina on the folder, float32", exact, task, samples, score))
        exact.close()
    print(f"\n{name}, {n} samples\n| engine | right | samples/s | samples a processor second |\n|---|---|---|---|")
    for run in [*ours, *theirs]:
        print(f"| {run.name} | {sum(run.scores):.5g} of {n} | {n / run.seconds:.2f} | {n / run.processor:.2f} |")
    for mine in ours:
        for run in theirs:
            apart = differences(mine, run, samples)
            same = shares_apart(mine, run) if name == MC2 else same_choices(mine, run, samples)
            ratios = (
                f"{run.seconds / mine.seconds:.2f} on the clock, {run.processor / mine.processor:.2f} of the processor"
            )
            print(f"{mine.name} against {run.name}: {len(apart)} differ, {same}; times as fast: {ratios}")
            print("\n".join(apart))
    if name == "gsm8k":
        for run in theirs:
            print("\n".join(both_extractions(args, job, ours[0], run, prompts, samples)))
    print(flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--harness", required=True, help="the Python that has lm-eval")
    parser.add_argument("--data", required=True, type=Path)
    parser.add_argument("--work", required=True, type=lambda text: Path(text).absolute())
    parser.add_argument("-n", type=int, default=100)
    parser.add_argument("--probe", type=int, default=32)
    parser.add_argument("--model", default="embedded")
    parser.add_argument("--precision", default="F16")
    parser.add_argument("--dtypes", default="float16,float32", type=lambda text: text.split(","))
    parser.add_argument("--batches", default="1,4,8,16,32", type=lambda text: [int(b) for b in text.split(",")])
    parser.add_argument("--tasks", default=",".join(TASKS), type=lambda text: text.split(","))
    parser.add_argument("--slots", type=int, default=8)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--exact", action="store_true")
    args = parser.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    folder, file = prepared(args.model, args.precision, args.work)
    tasks = {name: opened(name, args.data) for name in args.tasks}
    samples = {name: task.samples()[: args.n] for name, task in tasks.items()}
    model = open_model(str(file), threads=args.threads, slots=1)
    asked = harness_tasks(tasks, samples, model, args.work)
    model.close()
    job = {"folder": str(args.work), "tasks": asked, "model": str(folder), "threads": args.threads}
    theirs = ran_harness(args, job, {name: len(rows) for name, rows in samples.items()})
    for name, task in tasks.items():
        compare(args, name, task, samples[name], job, (folder, file), theirs[name])


if __name__ == "__main__":
    main()
