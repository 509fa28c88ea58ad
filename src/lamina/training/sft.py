"""Fine-tuning, supervised or by preference (``preferences``): every linear layer, or a LoRA beside it, trained on the
assistant's turns, as a float32 model that Transformers and ``lamina quantize`` read.

The folder given is the model's folder. While training goes on it holds ``checkpoints/`` and ``train-log.csv``; the
merged model appears in it when all is done, and ``training.json``, written last, says that it is.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lamina.errors import InputError
from lamina.models.copying import copied_arguments
from lamina.runs import Progress
from lamina.tools import Toolbox
from lamina.tools.tool import JSON
from lamina.training.base import Base, give_addresses, load_base, require_reporter, require_training_libraries
from lamina.training.call_accuracy import Watch, call_accuracy, hold_out, questions_of
from lamina.training.folder import (
    FINISHED,
    UNFINISHED,
    identity_of,
    last_checkpoint,
    metrics_of,
    step_of,
    write_json,
)
from lamina.training.material import Material, material_of
from lamina.training.model_card import write_card
from lamina.training.precision import keep_few_compiled, precision_of
from lamina.training.preferences import Answers, make_preference_trainer, preference_config
from lamina.training.processes import is_deepspeed, is_first, is_sent_weights, process_count
from lamina.training.refusing import refusals_in_words
from lamina.training.rounding import Rounding
from lamina.training.saving import save_merged, storage, whole_model
from lamina.training.settings import TrainSettings
from lamina.training.trainer import TrainingLog, as_dataset, make_trainer, train_config
from lamina.training.validation import validation_of
from lamina.training.weights import inner_model, trainable
from lamina.trajectories import Trajectory, content_id

if TYPE_CHECKING:
    from lamina.training.layerwise.language import Distillation


def fine_tune(
    base_ref: str,
    train: Sequence[Trajectory],
    validation: Sequence[Trajectory],
    out: Path,
    settings: TrainSettings | None = None,
    toolbox: Toolbox | None = None,
    progress: Progress | None = None,
    distillation: Distillation | None = None,
    wrong: Answers | None = None,
) -> JSON:
    """Trains on ``train`` and leaves the merged model in ``out``; returns the metrics (losses in nats a token,
    speed in tokens read a second). Called again with the same input it continues a killed training from its last
    checkpoint, and returns the stored metrics of a finished one.

    Without ``toolbox`` the tools are those of the rows. With ``distillation`` the model learns from a teacher beside
    the rows. Method ``dpo`` takes ``wrong``, the answers to prefer the rows' over. Raises InputError without a row to
    train on,
    ModelReferenceError, MissingExtraError, ConfigMismatchError where ``out`` belongs to another training,
    WorkFailedError where the loss is not finite, StorageError."""
    settings, progress = settings or TrainSettings(), progress or Progress(silent=True)
    toolbox = toolbox or _tools_of(train)
    identity = identity_of(base_ref, train, validation, settings, toolbox)
    if distillation is not None:
        identity |= distillation.identity()
    if settings.method == "dpo":
        identity |= {"wrong": content_id({id: [[c.name, c.arguments] for c in a] for id, a in (wrong or {}).items()})}
    with storage(out):
        out.mkdir(parents=True, exist_ok=True)
        done = metrics_of(out, identity)
        if done is not None:
            return done
        require_training_libraries()
        require_reporter(settings.report_to)
        _point_out_idle_devices(progress)
        keep_few_compiled()
        base = load_base(base_ref, empty=is_sent_weights())
        with _flushed_denormals():
            return _train(base, train, validation, out, settings, toolbox, progress, identity, distillation, wrong)


def _train(
    base: Base,
    train: Sequence[Trajectory],
    validation: Sequence[Trajectory],
    out: Path,
    settings: TrainSettings,
    toolbox: Toolbox,
    progress: Progress,
    identity: JSON,
    distillation: Distillation | None,
    wrong: Answers | None,
) -> JSON:
    if distillation is not None:
        base = distillation.student_of(base)
    train, validation = hold_out(train, validation, settings)
    material = material_of(train, validation, base, settings, toolbox, wrong or {})
    if material.refused and is_first():
        progress.say(f"rows refused: {refusals_in_words(material.refused)}")
    precision = precision_of(settings, distilling=distillation is not None, deepspeed=is_deepspeed())
    bf16 = precision == "bf16"
    model, changed = trainable(base.model, settings, bf16)
    if is_sent_weights():
        give_addresses(model)
    teaching = None
    if distillation:
        teaching = distillation.begin(inner_model(model), base, out, progress, again=settings.epochs > 1)
    with progress.stage("train", total=material.steps) as bar:
        log = TrainingLog(
            out / "train-log.csv", bar, material.count, len(material.order),
            settings.batch * settings.accumulate, settings.save_seconds,
        )  # fmt: skip
        checkpoint = last_checkpoint(out / UNFINISHED, identity)
        log.begin(step_of(checkpoint))
        rounding = Rounding(model, settings.qat, settings.qat_share, material.steps) if settings.qat != "none" else None
        watch = _watch(validation, material, base, toolbox, settings, out, rounding)
        if watch:
            watch.begin(step_of(checkpoint))
        arguments = train_config(out / UNFINISHED, settings, material.steps, precision != "float32")
        trainer = _trainer(model, base, arguments, material, settings, log, watch, teaching, rounding)
        trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
        seconds = log.seconds  # goes on
        if watch:
            watch.restore(trainer.model)
        if rounding:
            rounding.settle()
    scores = trainer.evaluate() if material.held and settings.method != "dpo" else {}
    metrics = {
        "base": base.ref,
        "method": settings.method,
        **_measured(material, log, seconds, scores),
        "trainable_parameters": changed,
        "precision": precision,
        "resumed_from_step": step_of(checkpoint),
        **(teaching.metrics() if teaching else {}),
        **(watch.metrics() if watch else {}),
    }
    if teaching:
        teaching.end()
    whole = whole_model(trainer, base, settings, bf16)
    if is_first():
        thinned = distillation is not None and distillation.keep_every > 1
        save_merged(whole, base, out, settings, toolbox, copied_arguments(train, toolbox), bf16, not thinned)
        write_card(out, settings, toolbox, metrics)
        write_json(out / FINISHED, {"identity": identity, "metrics": metrics})
        shutil.rmtree(out / UNFINISHED, ignore_errors=True)
    return metrics


def _trainer(
    model: Any, base: Base, arguments: Any, material: Material, settings: TrainSettings, log: TrainingLog,
    watch: Watch | None, teaching: Any, rounding: Rounding | None,
) -> Any:  # fmt: skip
    if settings.method == "dpo":
        preferring = preference_config(arguments, settings)
        return make_preference_trainer(model, base.tokenizer, preferring, material.pairs, material.order, log, watch)
    rows, held = material.rows, material.held
    held_out = validation_of(held, settings.batch) if held else None
    return make_trainer(
        model, base.tokenizer, arguments, as_dataset(rows, material.order), held_out, log, watch, teaching, rounding
    )


def _measured(material: Material, log: TrainingLog, seconds: float, scores: JSON) -> JSON:
    """``seconds``: of the training alone. ``loss``: mean over the last tenth of the steps."""
    tail = log.losses[-max(1, len(log.losses) // 10) :]
    return {
        "rows": material.count,
        "validation_rows": len(material.held),
        "refused": material.refused,
        "steps": material.steps,
        "tokens": log.tokens,
        "seconds": round(seconds, 1),
        "tokens_per_second": round(log.tokens / seconds, 1) if seconds else None,
        "loss": sum(tail) / len(tail),
        "validation_loss": scores.get("eval_loss"),
        "validation_token_accuracy": scores.get("eval_mean_token_accuracy"),
    }


def _watch(
    held: Sequence[Trajectory],
    material: Material,
    base: Base,
    toolbox: Toolbox,
    settings: TrainSettings,
    out: Path,
    rounding: Rounding | None,
) -> Watch | None:
    """Who looks at held-out answers, where that was asked for. Raises InputError where there is none to look at."""
    if not settings.patience:
        return None
    questions = questions_of(held, material.held)
    if not questions:
        raise InputError("patience needs held-out rows with an answer", mend="give more rows, or patience 0")
    every = max(1, round(settings.look_every * material.count / (settings.batch * settings.accumulate)))

    def look(model: Any) -> float:
        with rounding.at(rounding.first) if rounding else nullcontext():  # as it would be kept
            return call_accuracy(model, base.tokenizer, questions, toolbox, settings.learn == "words")

    return Watch(look, len(questions), every, settings.patience, out)


@contextmanager
def _flushed_denormals() -> Iterator[None]:
    """Gradients near zero are many times slower as denormal numbers. The mode is the whole thread's, so it is put
    back: whoever called may count on exact small numbers."""
    import torch

    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)


def _point_out_idle_devices(progress: Progress) -> None:
    import torch

    devices = torch.cuda.device_count()
    if devices > 1 and process_count() == 1:
        progress.say(f"torch sees {devices} GPUs, and one trains; --sharding ddp (or fsdp, deepspeed) takes all")


def _tools_of(rows: Sequence[Trajectory]) -> Toolbox:
    return Toolbox(tool for row in rows for tool in row.toolbox())
