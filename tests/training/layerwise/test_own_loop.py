"""What the page of the verb shows for a loop of one's own runs, and does what it says."""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from lamina.training.layerwise import LayerRates, RateRule, rates_callback

PAGE = Path(__file__).parents[3] / "docs" / "verbs" / "distill.md"


def test_the_loop_on_the_page_trains_and_its_rates_move():
    torch.manual_seed(0)
    (block,) = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(), re.M | re.S)
    made: dict = {}
    exec(compile(block, str(PAGE), "exec"), made)
    assert made["loss"].isfinite()
    assert made["rates"].step == 20
    assert set(made["differences"]) == {"1", "3"}
    assert any(rate != 1 for rate in made["rates"].scales.values())


def trained(tmp_path: Path, steps: int, resumed_at: int = 0) -> tuple[LayerRates, list[float]]:
    """What the trainer of Transformers asks of the callback, step by step."""
    groups = {name: [torch.nn.Parameter(torch.ones(1))] for name in ("low", "high")}
    optimizer = torch.optim.SGD([p for group in groups.values() for p in group], 0.1)
    differences = {"low": 1.0, "high": 3.0}
    made: list[LayerRates] = []

    def rates_of(inner):
        made.append(LayerRates(inner, groups, RateRule()))
        return made[0]

    callback = rates_callback(rates_of, lambda: differences)
    args = SimpleNamespace(output_dir=str(tmp_path))
    state = SimpleNamespace(global_step=resumed_at)
    callback.on_train_begin(args, state, None, optimizer=optimizer)
    for step in range(resumed_at, steps):
        callback.on_pre_optimizer_step(args, state, None)
        state.global_step = step + 1
        (tmp_path / f"checkpoint-{step + 1}").mkdir(exist_ok=True)
        callback.on_save(args, state, None)
    return made[0], list(made[0].scales.values())


def test_rates_in_a_trainers_checkpoint_go_on_as_if_it_had_not_stopped(tmp_path: Path):
    for name in ("whole", "cut"):
        (tmp_path / name).mkdir()
    _, whole = trained(tmp_path / "whole", 6)
    trained(tmp_path / "cut", 3)
    _, continued = trained(tmp_path / "cut", 6, resumed_at=3)
    assert continued == whole
    assert whole[0] < 1 < whole[1]


def test_rates_that_are_not_in_the_checkpoint_begin_anew_and_say_so(tmp_path: Path):
    with pytest.warns(UserWarning, match="begin anew at step 3"):
        trained(tmp_path, 3, resumed_at=3)


def test_a_training_from_its_start_warns_of_nothing(tmp_path: Path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        trained(tmp_path, 1)
