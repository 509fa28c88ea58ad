"""What ``--dry-run`` computes is what the training then reads."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from lamina.tools import Toolbox
from lamina.training import TrainSettings, fine_tune
from lamina.training.memory import Weights
from lamina.training.planning import operations, plan_training
from lamina.training.rows import TrainingData
from lamina.trajectories import Message, ToolCall
from tiny_llama import split_rows

SFT = TrainSettings(epochs=1.5, batch=2, accumulate=2, learning_rate=1e-3, max_length=200, precision="float32")
DPO = replace(SFT, method="dpo", update="lora", lora_rank=4)
WRONG = [ToolCall.of("split_bill", {"total": 1, "people": 1, "tip_percent": 15})]


def talking(n: int):
    """Rows of two turns, of which preferences learn the first."""
    more = [Message(role="user", content="Thank you"), Message(role="assistant", content="")]
    return [row.model_copy(update={"messages": [*row.messages, *more]}) for row in split_rows(n)]


@pytest.mark.parametrize("settings", [SFT, DPO, replace(SFT, patience=2)], ids=["sft", "dpo", "patience"])
def test_rows_steps_and_tokens_are_those_of_the_training(
    settings: TrainSettings, tiny: Path, toolbox: Toolbox, tmp_path: Path
):
    rows = talking(10)
    wrong = {row.id: WRONG for row in rows[:9]} if settings.method == "dpo" else None
    plan = plan_training(str(tiny), TrainingData(rows, [], toolbox, "x"), settings, wrong=wrong)
    made = fine_tune(str(tiny), rows, [], tmp_path, settings, toolbox, wrong=wrong)
    assert (plan["rows"], plan["held_rows"]) == (made["rows"], made["validation_rows"])
    assert [one["reason"] for one in plan["refused"]] == [one["reason"] for one in made["refused"]]
    assert plan["trained_parameters"] == made["trainable_parameters"]
    assert plan["steps"] == made["steps"]
    if not settings.patience:  # it may stop before
        assert plan["tokens"] == made["tokens"]


def test_wrong_answers_that_are_not_known_yet_count_as_long_as_the_right_ones(tiny: Path, toolbox: Toolbox):
    data = TrainingData(split_rows(8), [], toolbox, "x")
    supervised = plan_training(str(tiny), data, replace(SFT, batch=1))
    preferring = plan_training(str(tiny), data, replace(DPO, batch=1))
    assert preferring["tokens"] == 2 * supervised["tokens"]
    assert preferring["learnt_tokens"] == 2 * supervised["learnt_tokens"]
    assert "as long as the right ones" in preferring["tokens_are"]


def test_preferring_reads_each_token_once_more_with_the_base():
    weights = Weights(1000, 1000, 10, 990)
    adapters = replace(DPO, method="sft")
    assert operations(weights, adapters) == 4020
    assert operations(weights, DPO) == 6020
