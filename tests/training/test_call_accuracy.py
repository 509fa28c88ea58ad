"""Held-out requests are answered while training goes on, the best weights are kept, and a standstill ends it."""

from __future__ import annotations

import csv
import os
from dataclasses import replace
from pathlib import Path

import pytest

from lamina.errors import InputError
from lamina.tools import Toolbox
from lamina.training import TrainSettings, fine_tune
from lamina.training.call_accuracy import Watch, call_accuracy, hold_out, questions_of
from lamina.training.folder import UNFINISHED
from tiny_llama import split_rows

QUICK = TrainSettings(
    epochs=60, batch=4, learning_rate=5e-3, max_length=200, patience=2, look_every=2, precision="float32"
)


def looked(answers: list[float], folder: Path, patience: int = 2) -> Watch:
    (folder / UNFINISHED).mkdir(exist_ok=True)
    coming = iter(answers)
    return Watch(lambda model: next(coming), 10, 5, patience, folder)


def test_the_weights_that_answered_best_come_back_and_a_standstill_ends_it(tmp_path: Path):
    import torch

    model = torch.nn.Linear(1, 1)
    model.device = torch.device("cpu")
    watch = looked([0.2, 0.6, 0.6, 0.5], tmp_path)
    watch.begin(0)
    seen = []
    for step in range(1, 21):
        model.weight.data.fill_(step)
        watch.after(step, 100, model)
        seen.append(watch.is_enough if watch.looks else None)
    assert watch.looks == [(5, 0.2), (10, 0.6), (15, 0.6), (20, 0.5)]
    assert seen.index(True) == 19, "two looks without gain after the one at step 10"
    watch.restore(model)
    assert model.weight.item() == 10
    assert watch.metrics() == {"call_accuracy": 0.6, "best_step": 10, "last_step": 20, "asked": 10}


def test_looks_after_the_checkpoint_are_had_again(tmp_path: Path):
    import torch

    model = torch.nn.Linear(1, 1)
    first = looked([0.2, 0.6], tmp_path)
    first.begin(0)
    for step in range(1, 11):
        first.after(step, 100, model)
    again = looked([0.6], tmp_path)
    again.begin(7)
    assert again.looks == [(5, 0.2)]
    assert again.after(10, 100, model) == 0.6
    assert [line["step"] for line in csv.DictReader(again.log.open())] == ["5", "10"]


def test_a_training_that_stands_still_ends_early_with_what_answered_best(tiny: Path, toolbox: Toolbox, tmp_path: Path):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from lamina.models.templates import LAMINA_TEMPLATE, with_end_mark
    from lamina.training.rows import token_rows

    held = split_rows(20)[12:]
    metrics = fine_tune(str(tiny), split_rows(12), held, tmp_path, QUICK, toolbox)
    looks = list(csv.DictReader((tmp_path / "call-accuracy.csv").open()))
    assert 0 < metrics["call_accuracy"] == max(float(look["call_accuracy"]) for look in looks)
    assert metrics["last_step"] < metrics["steps"] == 180
    assert metrics["best_step"] < metrics["last_step"]
    assert not (tmp_path / UNFINISHED).exists()
    model, tokenizer = AutoModelForCausalLM.from_pretrained(tmp_path), AutoTokenizer.from_pretrained(tmp_path)
    template = with_end_mark(LAMINA_TEMPLATE, tokenizer.eos_token)
    rows, _ = token_rows(held, toolbox, tokenizer, template, style="baked", max_length=200)
    assert call_accuracy(model, tokenizer, questions_of(held, rows), toolbox) == metrics["call_accuracy"]


def test_a_model_that_is_trained_in_mixed_precision_answers_while_it_is(tiny: Path, toolbox: Toolbox, tmp_path: Path):
    settings = replace(QUICK, precision="mixed", epochs=4, patience=9)
    metrics = fine_tune(str(tiny), split_rows(12), split_rows(20)[12:], tmp_path, settings, toolbox)
    looks = list(csv.DictReader((tmp_path / "call-accuracy.csv").open()))
    assert [int(look["step"]) for look in looks] == [6, 12]
    assert (metrics["asked"], metrics["last_step"], metrics["precision"]) == (8, 12, "mixed")


def test_rows_are_held_out_where_none_is_marked():
    rows = split_rows(40)
    train, held = hold_out(rows, [], QUICK)
    assert (len(train), len(held)) == (36, 4)
    assert {row.id for row in train} | {row.id for row in held} == {row.id for row in rows}
    assert hold_out(rows, [], TrainSettings()) == (rows, [])
    assert hold_out(rows[1:], rows[:1], QUICK) == (rows[1:], rows[:1])


def test_a_watch_without_a_row_to_ask_is_refused(tiny: Path, toolbox: Toolbox, tmp_path: Path):
    with pytest.raises(InputError, match="patience needs held-out rows"):
        fine_tune(str(tiny), split_rows(1), [], tmp_path, QUICK, toolbox)
    with pytest.raises(InputError, match="patience"):
        TrainSettings(patience=-1)


def test_wandb_files_a_training_under_our_name_unless_the_user_has_a_project(tmp_path: Path, monkeypatch):
    from lamina.training.trainer import train_config

    monkeypatch.setenv("WANDB_PROJECT", "mine")
    train_config(tmp_path, TrainSettings(report_to="wandb"), 1, False)
    assert os.environ["WANDB_PROJECT"] == "mine"
    monkeypatch.delenv("WANDB_PROJECT")
    train_config(tmp_path, TrainSettings(), 1, False)
    assert "WANDB_PROJECT" not in os.environ
    train_config(tmp_path, TrainSettings(report_to="wandb"), 1, False)
    assert os.environ["WANDB_PROJECT"] == "lamina"


def test_numbers_cannot_go_to_a_library_that_is_absent(tiny: Path, toolbox: Toolbox, tmp_path: Path, monkeypatch):
    import importlib.util

    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "wandb" else find(name))
    told = TrainSettings(report_to="wandb")
    with pytest.raises(InputError, match="wandb, which is not installed; pip install wandb"):
        fine_tune(str(tiny), split_rows(4), [], tmp_path, told, toolbox)
    assert told.identity() == TrainSettings().identity(), "who is told makes no other training"
