"""Attention transfer as Lamina does it, and with torchdistill's ATLoss, on the same teacher and students.

usage: attention_torchdistill.py --torchdistill FOLDER [--seeds 5] [--steps 150]     (5 minutes, one core)

FOLDER holds the unpacked wheel (``pip install --no-deps --target FOLDER torchdistill``): its losses need nothing else
(its hooks need torchvision, so forward hooks of torch stand in). scikit-learn's digits, a tenth of the training images,
ResNet-18 to ResNet-10 at width 16, uniform rates, the ``code`` form that both have, at one weight. First weights,
batches and schedule are the same of a seed; the two take turns. docs/results/layerwise.md.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from dataclasses import replace
from statistics import mean, median, stdev

import torch

from lamina.training.layerwise.cell import Cell, Schedule, pairs_of, train_teacher, training_steps
from lamina.training.layerwise.images import Images, read_images, rows_of
from lamina.training.layerwise.rates import RateRule
from lamina.training.layerwise.scoring import score
from lamina.training.layerwise.teacher_cache import load
from lamina.training.layerwise.transfer import LiveTeacher, Transfer, TransferSettings
from lamina.training.layerwise.vision import network

WEIGHT = 100.0
FRACTION = 0.1
STUDENT_T = {3: 3.182, 5: 2.776, 10: 2.262}
"""Of 97.5 % at that number of seeds, less one."""


class Torchdistill:
    """What ``training_steps`` asks of a transfer, answered by torchdistill's loss."""

    def __init__(self, student, teacher, pairs):
        from torchdistill.losses.mid_level import ATLoss

        self.teacher = teacher.eval()
        self.ours, self.theirs = {}, {}
        named = {}
        for number, pair in enumerate(pairs):
            student.get_submodule(pair.student).register_forward_hook(kept_in(self.ours, pair.student))
            teacher.get_submodule(pair.teacher).register_forward_hook(kept_in(self.theirs, pair.teacher))
            named[f"pair{number}"] = {
                "student": {"io": "output", "path": pair.student},
                "teacher": {"io": "output", "path": pair.teacher},
                "weight": WEIGHT / len(pairs),
            }
        self.loss = ATLoss(named, mode="code")

    def term(self, step, x, rows, logits, outputs):
        with torch.no_grad():
            self.teacher(x)
        return self.loss(self.ours, self.theirs), {}


def kept_in(found: dict, path: str):
    def keep(module, inputs, output):
        found[path] = {"output": output}

    return keep


def trained(cell: Cell, images: Images, kind: str) -> tuple[float, float]:
    """Accuracy on the test images, and the median seconds of a step."""
    torch.manual_seed(cell.seed)
    teacher, student = (
        network(name, channels=1, size=8, classes=images.classes, width=cell.width) for name in ("resnet18", "resnet10")
    )
    teacher.load_state_dict(load(cell.weights_file()))
    pairs = pairs_of(cell, images, teacher)
    if kind == "torchdistill":
        transfer, matched = Torchdistill(student, teacher, pairs), None
    else:
        settings = TransferSettings("attention", weight=WEIGHT, form="code")
        transfer, matched = Transfer(settings, student, pairs, LiveTeacher(teacher, pairs, settings)), pairs
    taken = []
    started = time.perf_counter()
    for _ in training_steps(cell, student, images, rows_of(images, cell.fraction, cell.seed), transfer, matched):
        taken.append(time.perf_counter() - started)
        started = time.perf_counter()
    return score(student, images), median(taken)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--torchdistill", required=True, metavar="FOLDER")
    parser.add_argument("--seeds", type=int, default=5, choices=sorted(STUDENT_T))
    parser.add_argument("--steps", type=int, default=150)
    asked = parser.parse_args()
    sys.path.append(asked.torchdistill)
    torch.set_num_threads(1)
    images = read_images("digits", None)
    with tempfile.TemporaryDirectory() as work:
        cell = Cell("digits", "", work, fraction=FRACTION, schedule=Schedule(asked.steps), rule=RateRule("uniform"))
        print(f"teacher: {train_teacher(cell)['score']:.3f}", flush=True)
        found = {"lamina": [], "torchdistill": []}
        print("seed  lamina  torchdistill  step of lamina's / torchdistill's", flush=True)
        for seed in range(asked.seeds):
            order = list(found) if seed % 2 == 0 else list(found)[::-1]
            for kind in order:
                found[kind].append(trained(replace(cell, seed=seed), images, kind))
            (a, b), (c, d) = found["lamina"][-1], found["torchdistill"][-1]
            print(f"{seed:4}  {a:6.3f}  {c:12.3f}  {b / d:.2f}", flush=True)
        differences = [100 * (a[0] - b[0]) for a, b in zip(*found.values(), strict=True)]
        half = STUDENT_T[asked.seeds] * stdev(differences) / len(differences) ** 0.5
        ratios = [a[1] / b[1] for a, b in zip(*found.values(), strict=True)]
        print(
            f"lamina minus torchdistill: {mean(differences):+.2f} points (95 % {mean(differences) - half:+.2f} to "
            f"{mean(differences) + half:+.2f}); a step takes {median(ratios):.2f} of torchdistill's "
            f"({min(ratios):.2f} to {max(ratios):.2f})"
        )


if __name__ == "__main__":
    main()
