"""Direct preference optimization: pairs of a right and a wrong answer to the same request, through TRL's trainer.

The right answer is the row's. Wrong ones come from a weaker or earlier model that answers the training requests (xLAM,
arXiv 2409.03215), from a file of anybody's answers, or from what a synthesis run rejected; each is compared with the
right one first, and an answer that means the same is no wrong one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lamina.errors import WorkFailedError
from lamina.models.model import PromptStyle
from lamina.tools import Toolbox
from lamina.tools.tool import JSON
from lamina.training.processes import process_count
from lamina.training.rows import IGNORED, RAISE, Row, token_rows
from lamina.training.trainer import attend, known_renaming, on_one_device
from lamina.trajectories import Message, ToolCall, Trajectory, compare_calls

if TYPE_CHECKING:
    from lamina.training.call_accuracy import Watch
    from lamina.training.trainer import TrainingLog

Answers = Mapping[str, Sequence[ToolCall]]
"""Calls by the id of the row that they answer."""


@dataclass(frozen=True)
class Pair:
    """Tokens of one pair, as TRL's collator takes them."""

    id: str
    prompt_ids: list[int]
    chosen_ids: list[int]
    rejected_ids: list[int]


@dataclass
class Pairing:
    """``refused``: ``{"id", "reason"}`` of each row that gave no pair."""

    pairs: list[Pair] = field(default_factory=list)
    refused: list[JSON] = field(default_factory=list)


def make_pairs(
    rows: Sequence[Trajectory],
    answers: Answers,
    toolbox: Toolbox,
    tokenizer: Any,
    template: str,
    *,
    style: PromptStyle,
    max_length: int,
    mend: str = RAISE,
) -> Pairing:
    """Rows with a wrong answer as pairs; the others are refused with their reason. A wrong answer may call what is not
    on offer: an invented function is what a model most needs to learn to leave."""
    made = Pairing()
    for row in rows:
        wrong = answers.get(row.id)
        right = row.turns[0] if row.turns else None
        if wrong is None or right is None:
            why = "no assistant turn to learn from" if right is None else "no answer to compare with"
        elif compare_calls(right, wrong, row.toolbox() if row.tools else toolbox, now=row.meta.now).exact:
            why = "the answer to reject is right"
        else:
            told: list[Row] = []
            for calls in (right, wrong):
                one, refused = token_rows(
                    [answered(row, calls)], toolbox, tokenizer, template,
                    style=style, max_length=max_length, any_name=calls is wrong, mend=mend,
                )  # fmt: skip
                if refused:
                    break
                told += one
            else:
                made.pairs.append(_pair(row.id, *told))
                continue
            why = refused[0]["reason"]
        made.refused.append({"id": row.id, "reason": why})
    return made


def before_answer(row: Trajectory) -> list[Message]:
    first = next((i for i, m in enumerate(row.messages) if m.role == "assistant"), len(row.messages))
    return row.messages[:first]


def answered(row: Trajectory, calls: Sequence[ToolCall]) -> Trajectory:
    answer = Message(role="assistant", tool_calls=list(calls) or None)
    return row.model_copy(update={"messages": [*before_answer(row), answer]})


def _pair(id: str, chosen: Row, rejected: Row) -> Pair:
    start = next(i for i, label in enumerate(chosen.labels) if label != IGNORED)
    answers = [[token for token in row.labels[start:] if token != IGNORED] for row in (chosen, rejected)]
    return Pair(id, chosen.input_ids[:start], *answers)


def preference_config(config: Any, settings: Any) -> Any:
    """The DPO form of an SFT configuration: the same run, another loss."""
    from trl.trainer.dpo_config import DPOConfig

    known = (
        "output_dir", "use_cpu", "bf16", "per_device_train_batch_size", "gradient_accumulation_steps", "learning_rate",
        "ddp_find_unused_parameters",
        "lr_scheduler_type", "warmup_steps", "weight_decay", "seed", "data_seed", "disable_tqdm",
        "gradient_checkpointing", "gradient_checkpointing_kwargs", "dataloader_pin_memory", "save_strategy",
        "save_total_limit", "logging_strategy", "logging_steps", "report_to", "project", "run_name",
        "train_sampling_strategy", "num_train_epochs",
    )  # fmt: skip
    with known_renaming():
        made = DPOConfig(**{name: getattr(config, name) for name in known}, max_length=None, beta=settings.beta)
    return on_one_device(made)


def make_preference_trainer(
    model: Any,
    tokenizer: Any,
    config: Any,
    pairs: Sequence[Pair],
    order: Sequence[int],
    log: TrainingLog,
    watch: Watch | None = None,
) -> Any:
    """TRL's DPOTrainer on pairs that are tokens already. The base without its adapter is the reference."""
    import torch
    from datasets import Dataset  # type: ignore[import-untyped]
    from trl.trainer.dpo_trainer import DPOTrainer

    class PreferenceTrainer(DPOTrainer):
        def _prepare_dataset(self, dataset: Any, *args: Any, **kwargs: Any) -> Any:
            return dataset

        def compute_loss(self, model: Any, inputs: Any, *args: Any, **kwargs: Any) -> Any:
            compute: Any = super().compute_loss  # untyped
            loss = compute(model, inputs, *args, **kwargs)
            if not torch.isfinite(loss):
                step = self.state.global_step + 1
                what = f"training diverged at step {step}: the loss is {loss.item()}; lower the learning rate"
                raise WorkFailedError(what)
            preferred = self._metrics["train"]["rewards/accuracies"]
            share = 1 / (self.current_gradient_accumulation_steps * process_count())
            log.saw(loss.item(), preferred[-1] if preferred else math.nan, inputs["input_ids"].numel(), share)
            return loss

        def create_model_card(self, *args: Any, **kwargs: Any) -> None:
            """A checkpoint needs none."""

    columns = ("prompt_ids", "chosen_ids", "rejected_ids")
    data = Dataset.from_dict({name: [getattr(pair, name) for pair in pairs] for name in columns}).select(order)
    trainer = PreferenceTrainer(model=model, args=config, train_dataset=data, processing_class=tokenizer)
    return attend(trainer, log, watch)
