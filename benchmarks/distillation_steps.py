"""What a step of each transfer costs beside one of logit distillation, and what sub-sampling loses, on the ResNets.

usage: distillation_steps.py DATA [--steps 40] [--rounds 5]    (DATA holds mnist-10k; docs/results/layerwise.md)

ResNet-18 teaches ResNet-10 at width 16 and batch 64, one thread, layer-wise rates, as in the grid, but with a teacher
that is asked anew at every step. The transfers take turns; a ratio is between two of the same round. Fidelity: the
cosine between what one step adds to the gradient of the student's weights and what it would add with all samples and
layers, of one step, and of the mean over one turn of the layers and over four (the same batch throughout). For Hessians
the whole is of 64 probes, which are exact for 8x8 images, and the estimated diagonal itself is compared too.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from pathlib import Path
from statistics import median

import torch

from lamina.training.layerwise import attention_map, hessian_diagonal, map_peak, sign_probes
from lamina.training.layerwise.cell import Cell, Schedule, pairs_of, training_steps
from lamina.training.layerwise.images import Images, read_images, rows_of
from lamina.training.layerwise.matching import watched
from lamina.training.layerwise.rates import RateRule
from lamina.training.layerwise.transfer import LiveTeacher, Transfer, TransferSettings, features_of
from lamina.training.layerwise.vision import network

KINDS = ("none", "logits", "attention", "jacobian", "hessian")
GOALS = {"attention": 1.2, "jacobian": 2.0, "hessian": 3.0}
BATCH, WIDTH, EXACT_PROBES = 64, 16, 64


def networks(images: Images):
    _, channels, size, _ = images.x_train.shape
    return [
        network(name, channels=channels, size=size, classes=images.classes, width=WIDTH)
        for name in ("resnet18", "resnet10")
    ]


def seconds_a_step(images: Images, kind: str, steps: int) -> float:
    cell = Cell(images.name, "", "", width=WIDTH, schedule=Schedule(steps=steps, batch=BATCH))
    torch.manual_seed(0)
    teacher, student = networks(images)
    settings = TransferSettings(kind)
    cell = replace(cell, transfer=settings, rule=RateRule("uniform" if kind == "none" else "layerwise"))
    pairs = pairs_of(cell, images, teacher)
    transfer = None if kind == "none" else Transfer(settings, student, pairs, LiveTeacher(teacher, pairs, settings))
    taken = []
    started = time.perf_counter()
    for _ in training_steps(cell, student, images, rows_of(images, 1.0, 0), transfer, pairs):
        taken.append(time.perf_counter() - started)
        started = time.perf_counter()
    turns = taken[4:]  # without the first, while caches warm up
    return sum(median(turns[i :: len(pairs)]) for i in range(len(pairs))) / len(pairs)  # layers cost differently


def costs(images: Images, steps: int, rounds: int) -> None:
    print(f"\n{images.name}, {images.x_train.shape[1:]}: ms a step, and ratios to logits in the same round", flush=True)
    found = {kind: [] for kind in KINDS}
    for turn in range(rounds):
        for kind in KINDS[turn % 5 :] + KINDS[: turn % 5]:
            found[kind].append(seconds_a_step(images, kind, steps))
    for kind, taken in found.items():
        ratios = [a / b for a, b in zip(taken, found["logits"], strict=True)]
        goal = f"  (goal {GOALS[kind]:.1f})" if kind in GOALS else ""
        print(
            f"  {kind:10} {1000 * median(taken):7.1f}  {median(ratios):5.2f}  "
            f"({min(ratios):.2f} to {max(ratios):.2f}){goal}",
            flush=True,
        )


def added(
    settings: TransferSettings, step: int, teacher, student, images: Images, pairs, rows, seed: int
) -> torch.Tensor:
    """What the transfer term adds to the gradient of the student's weights, as one vector."""
    x = torch.from_numpy(images.x_train)[rows]
    chance = torch.Generator().manual_seed(1000 * seed + step)
    transfer = Transfer(settings, student, pairs, LiveTeacher(teacher, pairs, settings), chance)
    paths = [pair.student for pair in pairs]
    student.zero_grad()
    with watched(student, paths) as seen:
        logits = student(x)
    term, _ = transfer.term(step, x, rows, logits, [seen[path] for path in paths])
    term.backward()
    return torch.cat([(p.grad if p.grad is not None else torch.zeros_like(p)).flatten() for p in student.parameters()])


def fidelity(images: Images, batches: int = 3) -> None:
    print(f"\n{images.name}: cosine to the gradient of the whole term, mean of {batches} batches", flush=True)
    torch.manual_seed(0)
    teacher, student = networks(images)
    pairs = pairs_of(Cell(images.name, "", "", width=WIDTH), images, teacher)
    for kind in ("jacobian", "hessian"):
        usual = TransferSettings(kind)
        exact_settings = replace(usual, samples=BATCH, probes=EXACT_PROBES, every=1)
        found: dict[str, list[float]] = {}
        for seed in range(batches):
            rows = torch.randperm(len(images.x_train), generator=torch.Generator().manual_seed(seed))[:BATCH]
            whole = sum(  # in parts, for memory
                added(exact_settings, layer, teacher, student, images, pairs, part, seed)
                for layer in range(len(pairs))
                for part in rows.split(8)
            )
            steps = [
                added(usual, i, teacher, student, images, pairs, rows, seed)
                for i in range(0, 4 * len(pairs) * usual.every, usual.every)
            ]
            for name, n in (("one step", 1), ("one turn", len(pairs)), ("four turns", 4 * len(pairs))):
                found.setdefault(name, []).append(cosine(torch.stack(steps[:n]).mean(dim=0), whole))
        print(f"  {kind:10} " + "  ".join(f"{name} {sum(v) / len(v):.3f}" for name, v in found.items()), flush=True)
    diagonal(images, student, pairs)


def diagonal(images: Images, student, pairs) -> None:
    """The student's Hessian diagonals at the settings of the grid, against exact ones."""
    x = torch.from_numpy(images.x_train[:4])
    usual = TransferSettings("hessian")
    shape = tuple(x.shape[1:])
    for pair in pairs:
        features = features_of(student, pair.student)
        with torch.no_grad():
            peak = map_peak(attention_map(features(x)))
            exact = hessian_diagonal(features, x, peak, probes(shape, EXACT_PROBES, 100))
            few = [hessian_diagonal(features, x, peak, probes(shape, usual.probes, seed)) for seed in range(8)]
        found = [cosine(a, b) for estimate in few for a, b in zip(estimate, exact, strict=True)]
        print(f"  diagonal of {pair.student}, {usual.probes} probes: cosine {sum(found) / len(found):.2f}", flush=True)


def probes(shape: tuple[int, ...], n: int, seed: int) -> torch.Tensor:
    return sign_probes(shape, n, generator=torch.Generator().manual_seed(seed))


def cosine(a: torch.Tensor, b: torch.Tensor) -> float:
    a, b = a.double().flatten(), b.double().flatten()
    return (a @ b / (a.norm() * b.norm()).clamp(min=1e-300)).item()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    for name in ("digits", "mnist-10k"):
        costs(read_images(name, asked.data), asked.steps, asked.rounds)
    fidelity(read_images("digits", None))  # 64 probes are exact for its 64 inputs


if __name__ == "__main__":
    main()
