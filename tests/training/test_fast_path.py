"""The shortcuts that make training quick compute the same numbers as the plain way."""

from __future__ import annotations

from pathlib import Path

import pytest

from lamina.models.templates import LAMINA_TEMPLATE
from lamina.tools import Toolbox
from lamina.training.rows import IGNORED, token_rows
from lamina.training.trainer import order_of_rows
from tiny_llama import split_rows, tiny_tokenizer


@pytest.fixture
def model(tiny: Path):
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(tiny)


def adapted(model):
    import torch
    from peft import LoraConfig, get_peft_model

    torch.manual_seed(0)
    made = get_peft_model(model, LoraConfig(r=4, lora_alpha=8, target_modules="all-linear", init_lora_weights=False))
    return made


def test_the_short_lora_has_pefts_outputs_and_gradients(model):
    import torch

    from lamina.training.lora import restore, shorten

    made = adapted(model)
    ids = torch.arange(20).view(2, 10)

    def run():
        made.zero_grad()
        loss = made(input_ids=ids, labels=ids).loss
        loss.backward()
        return loss.item(), {n: p.grad.clone() for n, p in made.named_parameters() if p.grad is not None}

    plain_loss, plain = run()
    assert shorten(made) == 14
    short_loss, short = run()
    assert short_loss == pytest.approx(plain_loss, rel=1e-5)
    assert plain.keys() == short.keys()
    assert all(torch.allclose(plain[n], short[n], rtol=1e-3, atol=1e-6) for n in plain)
    restore(made)
    assert run()[0] == plain_loss


def test_rows_laid_end_to_end_score_as_each_alone(model, toolbox: Toolbox):
    import torch

    from lamina.training.packing import collate, use_row_attention

    rows, _ = token_rows(split_rows(5), toolbox, tiny_tokenizer(), LAMINA_TEMPLATE, style="baked", max_length=200)
    with torch.no_grad():
        alone = torch.cat([model(input_ids=torch.tensor([row.input_ids])).logits[0] for row in rows])
        use_row_attention(model)
        batch = collate([{"input_ids": row.input_ids, "labels": row.labels} for row in rows])
        labels = batch.pop("labels")
        together = model(**batch).logits[0]
    assert torch.allclose(alone, together, atol=1e-4)
    starts = (batch["position_ids"][0] == 0).nonzero().flatten()
    assert all(labels[0, start] == IGNORED for start in starts)


def test_a_sliding_window_is_kept_within_rows(toolbox: Toolbox):
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    from lamina.training.packing import collate, use_row_attention

    torch.manual_seed(0)
    sizes = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = AutoConfig.for_model("mistral", vocab_size=50, num_key_value_heads=1, sliding_window=4, **sizes)
    model = AutoModelForCausalLM.from_config(config)
    rows = [list(range(n)) for n in (3, 17, 9)]
    with torch.no_grad():
        alone = torch.cat([model(input_ids=torch.tensor([row])).logits[0] for row in rows])
        use_row_attention(model)
        batch = collate([{"input_ids": row, "labels": row} for row in rows])
        batch.pop("labels")
        together = model(**batch).logits[0]
    assert torch.allclose(alone, together, atol=1e-4)


def test_each_epoch_sees_every_row_once_in_an_order_of_its_own():
    order = order_of_rows(10, 3, seed=1)
    epochs = [order[i : i + 10] for i in (0, 10, 20)]
    assert all(sorted(epoch) == list(range(10)) for epoch in epochs)
    assert epochs[0] != epochs[1]
    assert order == order_of_rows(10, 3, seed=1) != order_of_rows(10, 3, seed=2)
    assert len(order_of_rows(10, 0.5, seed=1)) == 5
