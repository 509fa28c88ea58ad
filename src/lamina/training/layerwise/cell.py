"""One cell of an experiment: a student trained once, under one transfer, one rule for rates and one seed. And the
teacher that all cells of a data set share."""

from __future__ import annotations

import csv
import functools
import io
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from lamina.errors import WorkFailedError
from lamina.runs.files import atomic_file
from lamina.training.layerwise import teacher_cache
from lamina.training.layerwise.images import Images, read_images, rows_of
from lamina.training.layerwise.matching import LayerPair, match_layers, parameters_by_layer, watched
from lamina.training.layerwise.rates import LayerRates, RateRule
from lamina.training.layerwise.scoring import label_loss, score
from lamina.training.layerwise.teacher_cache import CachedTeacher
from lamina.training.layerwise.transfer import LiveTeacher, Transfer, TransferSettings
from lamina.training.layerwise.vision import network

JSON = dict[str, Any]
POINTS = 40
"""Of the course of rates and losses kept for plots."""


@dataclass(frozen=True)
class Schedule:
    """How a network is trained: SGD with momentum, a cosine after a warm-up, as residual networks usually are."""

    steps: int = 400
    batch: int = 64
    learning_rate: float = 0.05
    momentum: float = 0.9
    weight_decay: float = 5e-4
    warmup: float = 0.05


@dataclass(frozen=True)
class Cell:
    """``fraction`` of the training images, drawn by ``seed``; the seed also draws the first weights, the order of
    the batches and the probes, the same for all cells of a seed: cells are compared in pairs."""

    dataset: str
    data: str
    work: str
    fraction: float = 1.0
    teacher: str = "resnet18"
    student: str = "resnet10"
    width: int = 16
    seed: int = 0
    schedule: Schedule = field(default_factory=Schedule)
    transfer: TransferSettings = field(default_factory=TransferSettings)
    rule: RateRule = field(default_factory=RateRule)

    @property
    def name(self) -> str:
        return f"{self.transfer.kind}/{self.rule.name}/{self.seed}"

    def knowledge_file(self) -> Path:
        return Path(self.work) / "teacher-knowledge.safetensors"

    def jacobians_file(self) -> Path:
        return Path(self.work) / "teacher-jacobians.safetensors"

    def rates_file(self) -> Path:
        """Each layer's rate and difference at every step."""
        return Path(self.work).parent / "rates" / f"{self.name.replace('/', '-')}.csv"

    def weights_file(self) -> Path:
        return Path(self.work) / "teacher.safetensors"


@functools.lru_cache(maxsize=2)
def _images(name: str, data: str) -> Images:
    return read_images(name, Path(data) if data else None)


def _ready(cell: Cell, seed: int) -> tuple[Any, Images]:
    import torch

    torch.set_num_threads(1)  # cells run side by side, one a core
    torch.manual_seed(seed)
    return torch, _images(cell.dataset, cell.data)


def _network(cell: Cell, name: str, images: Images) -> Any:
    _, channels, size, _ = images.x_train.shape
    return network(name, channels=channels, size=size, classes=images.classes, width=cell.width)


def train_teacher(cell: Cell) -> JSON:
    """Trains the cell's teacher on all training images, writes its weights and what it knows of them, and returns
    its score. The weights' file, there last, says that it is done."""
    torch, images = _ready(cell, 10_000)  # no cell's seed
    model = _network(cell, cell.teacher, images)
    started = time.monotonic()
    rows = rows_of(images, 1.0, 0)
    for _ in training_steps(cell, model, images, rows, None, None):
        pass
    x = torch.from_numpy(images.x_train)
    model.eval().requires_grad_(False)
    pairs = pairs_of(cell, images, model)
    teacher_cache.save(teacher_cache.remember(model, pairs, x), cell.knowledge_file())
    teacher_cache.save(dict(model.state_dict()), cell.weights_file())
    return {"score": score(model, images), "seconds": time.monotonic() - started, "pairs": [asdict(p) for p in pairs]}


def write_jacobians(cell: Cell) -> None:
    """What the trained teacher's layers say in first order of all training images: the largest of its files, so made
    only for cells that read it."""
    torch, images = _ready(cell, 10_000)
    model = _network(cell, cell.teacher, images)
    model.load_state_dict(teacher_cache.load(cell.weights_file()))
    model.eval().requires_grad_(False)
    pairs = pairs_of(cell, images, model)
    known = teacher_cache.load(cell.knowledge_file())
    found = teacher_cache.jacobians(model, pairs, torch.from_numpy(images.x_train), known)
    teacher_cache.save(found, cell.jacobians_file())


def pairs_of(cell: Cell, images: Images, teacher: Any) -> list[LayerPair]:
    import torch

    return match_layers(_network(cell, cell.student, images), teacher, torch.from_numpy(images.x_train[:2]))


def train_cell(cell: Cell) -> JSON:
    """Trains one student and returns its score on the test images, its course and its speed. Needs the teacher's
    files in ``cell.work``."""
    torch, images = _ready(cell, cell.seed)
    teacher = _network(cell, cell.teacher, images)
    teacher.load_state_dict(teacher_cache.load(cell.weights_file()))
    torch.manual_seed(cell.seed)
    student = _network(cell, cell.student, images)
    pairs = pairs_of(cell, images, teacher)
    settings = replace(cell.transfer, several=images.several)
    live = LiveTeacher(teacher, pairs, settings)
    known = teacher_cache.load(cell.knowledge_file())
    if cell.transfer.kind == "jacobian":
        known |= teacher_cache.load(cell.jacobians_file())
    generator = torch.Generator().manual_seed(cell.seed)
    asks = cell.transfer.kind != "none" or cell.rule.needs_differences
    transfer = None
    if asks:
        transfer = Transfer(settings, student, pairs, CachedTeacher(known, live, settings), generator)
    course: list[JSON] = []
    every = max(1, cell.schedule.steps // POINTS)
    started = time.monotonic()
    rows = rows_of(images, cell.fraction, cell.seed)
    with _rates_log(cell) as log:
        for step in training_steps(cell, student, images, rows, transfer, pairs):
            log(step)
            if step["step"] % every == 0 or step["step"] == cell.schedule.steps:
                course.append(step)
    seconds = time.monotonic() - started
    return {
        "cell": cell.name,
        "transfer": cell.transfer.kind,
        "rates": cell.rule.name,
        "seed": cell.seed,
        "score": score(student, images),
        "images": len(rows),
        "seconds": round(seconds, 2),
        "step_seconds": round(seconds / cell.schedule.steps, 5),
        "course": course,
    }


@contextmanager
def _rates_log(cell: Cell) -> Iterator[Callable[[JSON], None]]:
    cell.rates_file().parent.mkdir(exist_ok=True)
    with atomic_file(cell.rates_file()) as file:
        lines = csv.writer(text := io.TextIOWrapper(file, "utf-8", newline="", write_through=True))
        lines.writerow(["step", "layer", "rate", "difference"])

        def log(step: JSON) -> None:
            for name, rate in step["rates"].items():
                found = step["differences"].get(name)
                lines.writerow([step["step"], name, f"{rate:.5f}", "" if found is None else f"{found:.6g}"])

        yield log
        text.detach()


def training_steps(cell: Cell, model: Any, images: Images, rows: Any, transfer: Transfer | None, pairs: Any) -> Any:
    """Trains the model and yields ``{"step", "loss", "rates", "differences"}`` after each step."""
    import numpy as np
    import torch

    plan = cell.schedule
    weights = list(model.parameters())
    optimizer = torch.optim.SGD(weights, plan.learning_rate, plan.momentum, weight_decay=plan.weight_decay)
    rates = LayerRates(optimizer, parameters_by_layer(model, pairs), cell.rule) if pairs else None
    warm = max(1, round(plan.warmup * plan.steps))

    def factor(step: int) -> float:
        cosine = 0.5 * (1 + np.cos(np.pi * max(0, step - warm) / max(1, plan.steps - warm)))
        return min(1.0, (step + 1) / warm) * float(cosine)

    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, factor)
    x_all, y_all = torch.from_numpy(images.x_train), torch.from_numpy(images.y_train)
    chance = np.random.default_rng(cell.seed)
    paths = [pair.student for pair in pairs or ()]
    model.train()
    for step, batch in zip(range(plan.steps), _batches(rows, plan.batch, chance), strict=False):
        chosen = torch.from_numpy(batch)
        x = x_all[chosen]
        with watched(model, paths) as seen:
            logits = model(x)
        loss = label_loss(logits, y_all[chosen], images.several)
        differences: dict[str, float] = {}
        if transfer is not None:
            term, differences = transfer.term(step, x, chosen, logits, [seen[path] for path in paths])
            loss = loss if term is None else loss + term
        if not torch.isfinite(loss):
            raise WorkFailedError(f"{cell.name}: the loss is {loss.item()} at step {step + 1}; lower the learning rate")
        optimizer.zero_grad()
        loss.backward()
        scales = rates.update(differences) if rates else {}
        optimizer.step()
        scheduler.step()
        yield {"step": step + 1, "loss": loss.item(), "rates": scales, "differences": differences}


def _batches(rows: Any, size: int, chance: Any) -> Any:
    """Shuffled anew each epoch; the last part of an epoch goes into the next batch, so all batches are full."""
    import numpy as np

    left = np.empty(0, np.int64)
    while True:
        while len(left) < size:
            left = np.concatenate([left, chance.permutation(rows)])
        yield left[:size]
        left = left[size:]
