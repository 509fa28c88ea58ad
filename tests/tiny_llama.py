"""A llama of two layers with a vocabulary of its own, made in a second and random: for what must hold of any model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lamina.tools import Tool, Toolbox
from lamina.trajectories import Message, ToolCall, Trajectory, content_id

TEXT = ['[{"name": "split_bill", "arguments": {"total": 84, "people": 4}}]', "Split 84 between four people, please."]
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]


def tiny_tokenizer() -> Any:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    raw = Tokenizer(models.BPE())
    raw.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    raw.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=320, special_tokens=SPECIAL, initial_alphabet=alphabet)
    raw.train_from_iterator(TEXT * 4, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=raw,
        unk_token=SPECIAL[0],
        bos_token=SPECIAL[1],
        eos_token=SPECIAL[2],
        pad_token=SPECIAL[2],
        clean_up_tokenization_spaces=False,
    )


def save_tiny_llama(folder: Path, architecture: str = "llama", seed: int = 0) -> Path:
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    from lamina.models.templates import EXPORT_TEMPLATE

    tokenizer = tiny_tokenizer()
    tokenizer.chat_template = EXPORT_TEMPLATE
    torch.manual_seed(seed)
    config = AutoConfig.for_model(
        architecture,
        vocab_size=len(tokenizer),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=512,
        tie_word_embeddings=True,
        initializer_range=0.2,
        bos_token_id=1,
        eos_token_id=2,
        pad_token_id=2,
    )
    AutoModelForCausalLM.from_config(config).save_pretrained(str(folder))
    tokenizer.save_pretrained(str(folder))
    return folder


def desk_toolbox() -> Toolbox:
    number = {"type": "number"}
    bill = {
        "type": "object",
        "properties": {"total": number, "people": {"type": "integer"}, "tip_percent": {**number, "default": 0}},
        "required": ["total", "people"],
    }
    person = {
        "type": "object",
        "properties": {"name": {"type": "string"}, "email": {"type": ["string", "null"], "default": None}},
    }
    contact = {"type": "object", "properties": {"contact": person}, "required": ["contact"]}
    return Toolbox([Tool("split_bill", "Splits a bill.", bill), Tool("add_contact", "Adds a person.", contact)])


def split_rows(n: int) -> list[Trajectory]:
    """Bills to split, every fourth row a refusal."""
    rows = []
    for i in range(n):
        request = f"Split {i + 20} between {2 + i % 7}" if i % 4 else f"Play {i} songs"
        call = ToolCall.of("split_bill", {"total": i + 20, "people": 2 + i % 7})
        answer = Message(role="assistant", tool_calls=[call] if i % 4 else None)
        rows.append(Trajectory(id=content_id(request), messages=[Message(role="user", content=request), answer]))
    return rows
