"""TRL's SFTTrainer with what a CPU needs: vocabulary scores are computed at learnt positions only, the order of rows
is fixed beforehand (so a killed training continues exactly), and the loss goes to a CSV file as it is made."""

from __future__ import annotations

import contextlib
import csv
import math
import os
import random
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lamina.errors import WorkFailedError
from lamina.training.packing import collate
from lamina.training.processes import is_first, process_count
from lamina.training.rows import IGNORED, Row

if TYPE_CHECKING:
    from lamina.runs.progress import Bar
    from lamina.training.call_accuracy import Watch
    from lamina.training.layerwise.language import Teaching
    from lamina.training.rounding import Rounding
    from lamina.training.settings import TrainSettings
    from lamina.training.validation import Validation

PROJECT = "lamina"
"""Where a library that is told the numbers files them, unless the user names another project."""
LOG_COLUMNS = ("step", "epoch", "loss", "token_accuracy", "learning_rate", "tokens", "seconds")


def order_of_rows(rows: int, epochs: float, seed: int) -> list[int]:
    """Row numbers of the whole training in the order they are seen: every row once an epoch, each epoch shuffled
    anew. The rows of one epoch's end and the next one's beginning may share a batch."""
    rng = random.Random(seed)
    order: list[int] = []
    for _ in range(math.ceil(epochs)):
        order += rng.sample(range(rows), rows)
    return order[: max(1, round(epochs * rows))]


def as_dataset(rows: Sequence[Row], order: Sequence[int]) -> Any:
    from datasets import Dataset  # type: ignore[import-untyped]

    table = {"input_ids": [r.input_ids for r in rows], "labels": [r.labels for r in rows]}
    return Dataset.from_dict(table).select(order)


@contextlib.contextmanager
def known_renaming() -> Iterator[None]:
    """Transformers warns of an option that TRL sets by its old name whatever we do; people need not read that."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*gradient_checkpointing.* is deprecated", FutureWarning)
        yield


def train_config(out: Path, settings: TrainSettings, steps: int, bf16: bool) -> Any:
    import torch
    from trl.trainer.sft_config import SFTConfig

    if settings.report_to == "wandb":
        os.environ.setdefault("WANDB_PROJECT", PROJECT)  # ``project`` below reaches trackio alone
    with known_renaming():
        config = SFTConfig(
            output_dir=str(out),
            use_cpu=not torch.cuda.is_available(),
            bf16=bf16,
            per_device_train_batch_size=settings.batch,
            per_device_eval_batch_size=settings.batch,
            gradient_accumulation_steps=settings.accumulate // process_count(),
            ddp_find_unused_parameters=False,
            num_train_epochs=1,  # the data set already holds every epoch, in its own order
            train_sampling_strategy="sequential",
            learning_rate=settings.learning_rate,
            lr_scheduler_type={"constant": "constant_with_warmup"}.get(settings.scheduler, settings.scheduler),
            warmup_steps=settings.warmup_steps_of(steps),
            weight_decay=settings.weight_decay,
            max_length=None,  # longer rows were refused before
            dataset_kwargs={"skip_prepare_dataset": True},
            gradient_checkpointing=settings.gradient_checkpointing,
            gradient_checkpointing_kwargs={"use_reentrant": False} if settings.gradient_checkpointing else None,
            dataloader_pin_memory=False,
            save_strategy="no",  # TrainingLog asks for a checkpoint by the clock
            save_total_limit=1,
            logging_strategy="no" if settings.report_to == "none" else "steps",
            logging_steps=1,
            report_to=settings.report_to,
            project=PROJECT,
            run_name=out.parent.parent.name,
            disable_tqdm=True,
            seed=settings.seed,
            data_seed=settings.seed,
        )
    return on_one_device(config)


def on_one_device(config: Any) -> Any:
    """The configuration for a process that trains on one GPU though it sees several. Transformers would cut each batch
    over all of them (nn.DataParallel), which no trainer of TRL takes; several are for ``sharding``."""
    if config.n_gpu > 1:
        config._n_gpu = 1  # as Transformers does itself for a model cut over devices; there is no other way to say it
    return config


def make_trainer(
    model: Any,
    tokenizer: Any,
    config: Any,
    train: Any,
    validation: Validation | None,
    log: TrainingLog,
    watch: Watch | None = None,
    teaching: Teaching | None = None,
    rounding: Rounding | None = None,
) -> Any:
    """The trainer; its classes are made here because their bases are heavy to import. ``teaching`` adds what is
    learnt from a teacher to the loss of each training step, ``rounding`` has its weights rounded."""
    import torch
    from trl.trainer.sft_trainer import SFTTrainer

    class LearntPositionsTrainer(SFTTrainer):
        def compute_loss(
            self, model: Any, inputs: Any, return_outputs: bool = False, num_items_in_batch: Any = None
        ) -> Any:
            """Mean cross entropy of the learnt tokens of a step, whatever number of batches it is gathered from, or of
            the held-out rows. The output layer is a fifth of a 135M model and most positions are not learnt: it sees
            the learnt ones only."""
            batch = {key: value for key, value in inputs.items() if key != "labels"}
            targets = inputs["labels"][:, 1:]
            learnt = targets != IGNORED
            taught = teaching if model.training else None
            with taught.watching() if taught else contextlib.nullcontext():
                # through the model itself, not its parts: autocast and whoever shards it stand before its forward
                made = model(**batch, use_cache=False, logits_to_keep=learnt[0].nonzero()[:, 0])
            scores = made.logits[0].float()
            targets = targets[learnt]
            if validation and not model.training:
                loss, right = validation.part(scores, targets, self.accelerator.reduce)
            else:
                loss = torch.nn.functional.cross_entropy(scores, targets)
                right = (scores.detach().argmax(-1) == targets).float().mean().item()
            if taught:
                loss = taught.added_to(loss, batch, scores, learnt)
            if not torch.isfinite(loss):
                raise WorkFailedError(
                    f"training diverged at step {self.state.global_step + 1}: the loss is {loss.item()}; "
                    "lower the learning rate"
                )
            self._metrics["train" if model.training else "eval"]["mean_token_accuracy"].append(right)
            if not model.training:
                return loss
            share = targets.numel() / num_items_in_batch if num_items_in_batch is not None else 1.0
            log.saw(loss.item(), right, inputs["input_ids"].numel(), float(share))
            return loss * share * process_count()  # gradients are averaged over processes

        def training_step(self, *args: Any, **kwargs: Any) -> Any:
            with rounding.at(self.state.global_step) if rounding else contextlib.nullcontext():
                return super().training_step(*args, **kwargs)  # type: ignore[no-untyped-call]

        def create_model_card(self, *args: Any, **kwargs: Any) -> None:
            """A checkpoint needs none."""

    trainer = LearntPositionsTrainer(
        model=model,
        args=config,
        train_dataset=train,
        eval_dataset=as_dataset(validation.rows, range(len(validation.rows))) if validation else None,
        data_collator=collate,
        processing_class=tokenizer,
        callbacks=[*(teaching.callbacks() if teaching else ())],
    )
    trainer.model_accepts_loss_kwargs = True  # the loss of a batch is its share of the step's, never divided again
    return attend(trainer, log, watch)


def attend(trainer: Any, log: TrainingLog, watch: Watch | None) -> Any:
    """The trainer, whose steps go to ``log`` and whose answers to held-out requests ``watch`` looks at."""
    from transformers import PrinterCallback, TrainerCallback

    def together(numbers: list[float]) -> list[float]:
        import torch

        mine = torch.tensor(numbers, dtype=torch.float64, device=trainer.accelerator.device)
        found: list[float] = trainer.accelerator.reduce(mine, "sum").tolist()
        return found

    log.together = together if process_count() > 1 else list

    class Attending(TrainerCallback):
        def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            rate = kwargs["lr_scheduler"].get_last_lr()[0]
            control.should_save = log.step(state.global_step, state.max_steps, rate)
            found = watch.after(state.global_step, state.max_steps, kwargs["model"]) if watch else None
            if watch and found is not None:
                log.bar.advance(0, call_accuracy=found)
                control.should_training_stop |= watch.is_enough
                if args.report_to:
                    trainer.log({"call_accuracy": found})

    trainer.add_callback(Attending())
    trainer.remove_callback(PrinterCallback)  # standard output is the result's
    return trainer


class TrainingLog:
    """Keeps ``train-log.csv`` and the progress bar, and says when the next checkpoint is due. A step sees ``batch``
    rows, the last one what is left of ``rows_in_all``."""

    def __init__(self, file: Path, bar: Bar, rows_an_epoch: int, rows_in_all: int, batch: int, save_seconds: float):
        self.file, self.bar = file, bar
        self.rows_an_epoch, self.rows_in_all = rows_an_epoch, rows_in_all
        self.batch, self.save_seconds = batch, save_seconds
        self._seen: list[tuple[float, float, int, float]] = []
        self.losses: list[float] = []
        self.tokens = 0
        self._started = self._saved = time.monotonic()
        self._seconds_before = 0.0
        self.together: Callable[[list[float]], list[float]] = list
        """Sums over the processes of a training, where there are several."""

    @property
    def seconds(self) -> float:
        """Of training, those before a resume included."""
        return self._seconds_before + time.monotonic() - self._started

    def begin(self, step: int) -> None:
        """Keeps the lines up to ``step``, from which training goes on, and drops those after it."""
        kept: list[dict[str, str]] = []
        if step and self.file.is_file():
            with self.file.open(newline="") as lines:
                kept = [line for line in csv.DictReader(lines) if int(line["step"]) <= step]
        if is_first():
            with self.file.open("w", newline="") as lines:
                writer = csv.DictWriter(lines, LOG_COLUMNS)
                writer.writeheader()
                writer.writerows(kept)
        if kept:
            self.losses = [float(line["loss"]) for line in kept]
            self.tokens, self._seconds_before = int(kept[-1]["tokens"]), float(kept[-1]["seconds"])
            self.bar.advance(step)
        self._started = self._saved = time.monotonic()

    def saw(self, loss: float, accuracy: float, tokens: int, share: float = 1.0) -> None:
        """One batch of the step that ``step`` ends; ``share`` is its part of the step's learnt tokens."""
        self._seen.append((loss, accuracy, tokens, share))

    def step(self, number: int, last: int, rate: float) -> bool:
        """Writes one line; True when a checkpoint is due."""
        due = number < last and time.monotonic() - self._saved >= self.save_seconds
        mine = [sum(share * value for value, _, _, share in self._seen) if self._seen else math.nan]
        mine += [sum(share * value for _, value, _, share in self._seen), sum(count for _, _, count, _ in self._seen)]
        loss, accuracy, tokens, any_due = self.together([*mine, due])
        self._seen.clear()
        self.tokens += int(tokens)
        self.losses.append(loss)
        epoch = round(min(number * self.batch, self.rows_in_all) / self.rows_an_epoch, 3)
        if is_first():
            numbers = (number, epoch, f"{loss:.5f}", f"{accuracy:.4f}", f"{rate:.3e}", self.tokens)
            with self.file.open("a", newline="") as lines:
                csv.writer(lines).writerow([*numbers, f"{self.seconds:.2f}"])
        self.bar.advance(1, loss=loss, epoch=epoch, tokens_per_second=round(self.tokens / self.seconds))
        if any_due:
            self._saved = time.monotonic()
        return bool(any_due)
