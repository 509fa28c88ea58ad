"""The folder that a training leaves, as Transformers, llama.cpp and a reader of the hub take it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from lamina.models.gguf_header import gguf_metadata
from lamina.models.template_rendering import render
from lamina.models.templates import LAMINA_TEMPLATE, without_marks
from lamina.quantize import export_gguf
from lamina.tools import Toolbox
from lamina.training import TrainSettings, fine_tune
from lamina.training.model_card import model_card
from tiny_llama import split_rows

FEW = TrainSettings(epochs=1, batch=4, learning_rate=2e-3, max_length=200, precision="float32")


@pytest.fixture(scope="module")
def folder(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tiny_llama import desk_toolbox

    out = tmp_path_factory.mktemp("left") / "model"
    fine_tune(str(tiny), split_rows(8), [], out, FEW, desk_toolbox())
    return out


def test_transformers_finds_in_it_which_tokens_are_the_assistants(folder: Path):
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(str(folder))
    talk = [{"role": "user", "content": "Play"}, {"role": "assistant", "content": "[]"}]
    made = tokenizer.apply_chat_template(talk, tokenize=True, return_dict=True, return_assistant_tokens_mask=True)
    learnt = [token for token, mine in zip(made["input_ids"], made["assistant_masks"], strict=True) if mine]
    assert tokenizer.decode(learnt) == "[]<|im_end|>"


def test_its_file_has_the_template_without_marks(folder: Path, tmp_path: Path):
    made = export_gguf(folder, tmp_path / "model.gguf")
    template = gguf_metadata(Path(made["path"]))["tokenizer.chat_template"]
    assert "generation" not in template.replace("add_generation_prompt", "")
    talk = [{"role": "user", "content": "Play"}, {"role": "assistant", "content": "[]"}]
    assert render(template, talk, None) == render((folder / "chat_template.jinja").read_text("utf-8"), talk, None)


@pytest.mark.parametrize(
    "template",
    [
        LAMINA_TEMPLATE,
        "a \n {%- generation -%} \n b {%- endgeneration %}\n c",
        "a\n  {% generation %}\n  b\n  {% endgeneration %}\nc",
        "a {%generation%} b {%+ endgeneration -%} c",
        "a\n  {%+ generation +%}\n  b{% endgeneration -%}\n c",
    ],
)
def test_a_template_without_its_marks_writes_the_same(template: str):
    talk = [{"role": "user", "content": "Play"}, {"role": "assistant", "content": "[]"}]
    bare = without_marks(template)
    assert "endgeneration" not in bare
    assert render(bare, talk, None) == render(template, talk, None)


def test_its_card_says_base_tools_and_training_and_no_path(folder: Path, tiny: Path, toolbox: Toolbox):
    card = (folder / "README.md").read_text("utf-8")
    metrics = json.loads((folder / "training.json").read_text())["metrics"]
    assert "- `split_bill`: Splits a bill." in card
    assert f"| loss | {metrics['loss']} |" in card
    assert "| learning_rate | 0.002 |" in card
    assert "the prompt holds the request alone" in card
    assert tiny.name in card
    assert str(tiny.parent) not in card
    assert "base_model" not in card
    adapters = replace(FEW, update="lora", prompt_style="full")
    published = model_card(adapters, toolbox, {**metrics, "base": "hf:org/small"})
    assert 'base_model: "org/small"' in published
    assert "| lora_rank | 32 |" in published
    assert "tools=tools" in published
