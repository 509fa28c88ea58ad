"""Random models of two or more layers of any architecture, with no weight left at its initial value."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tiny_llama import tiny_tokenizer


def save_tiny(folder: Path, architecture: str, tokenizer: Any = None, seed: int = 3, **more: Any) -> Path:
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    tokenizer = tokenizer or tiny_tokenizer()
    torch.manual_seed(seed)
    shape = {
        "vocab_size": len(tokenizer), "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2,
        "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 512, "initializer_range": 0.2,
        "bos_token_id": tokenizer.bos_token_id, "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
    }  # fmt: skip
    model = AutoModelForCausalLM.from_config(AutoConfig.for_model(architecture, **(shape | more)))
    with torch.no_grad():
        for values in model.parameters():
            if (
                values.ndim == 1
            ):  # norms and biases begin as all ones and zeros, which would hide one mistaken for another
                values.add_(torch.randn_like(values) * 0.3)
    model.save_pretrained(str(folder))
    tokenizer.save_pretrained(str(folder))
    return folder


def logits_of(folder: Path, rows: list[list[int]]) -> list[Any]:
    """By Transformers, (tokens, vocabulary) a row."""
    import torch
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(folder)
    with torch.no_grad():
        return [model(torch.tensor([row])).logits[0].numpy() for row in rows]


def greedy(folder: Path, prompt: list[int], n: int) -> list[int]:
    """The tokens that Transformers goes on with, at most ``n``."""
    import torch
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(folder)
    ids = torch.tensor([prompt])
    made = model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=n, do_sample=False)
    return made[0, len(prompt) :].tolist()


def sentencepiece_tokenizer(form: str = "prepended") -> Any:
    """A tokenizer as Transformers makes one from a SentencePiece model: pieces of bytes, every pair that makes a piece
    merged, in the order of scores. ``form``: how a space comes before a text, ``prepended`` (Llama 2, Mistral),
    ``metaspace`` (the same, as Transformers 5 writes it) or ``none`` (Gemma)."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    marked = normalizers.Replace(" ", "▁")
    learnt = Tokenizer(models.BPE(unk_token="<unk>"))
    learnt.normalizer = marked
    learnt.train_from_iterator(PIECES * 4, trainers.BpeTrainer(vocab_size=120, special_tokens=["<unk>"]))
    pieces = sorted(learnt.get_vocab(), key=learnt.get_vocab().__getitem__)
    names = ["<unk>", "<s>", "</s>", *(f"<0x{i:02X}>" for i in range(256)), *(p for p in pieces if p != "<unk>")]
    vocabulary = {name: i for i, name in enumerate(names)}
    merges = [
        (name[:at], name[at:])
        for name in pieces
        for at in range(1, len(name))
        if name[:at] in vocabulary and name[at:] in vocabulary
    ]
    raw = Tokenizer(models.BPE(vocabulary, merges, unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    if form == "metaspace":
        raw.pre_tokenizer = pre_tokenizers.Metaspace("▁", prepend_scheme="first", split=False)
    else:
        prepended = [normalizers.Prepend("▁")] if form == "prepended" else []
        raw.normalizer = normalizers.Sequence([*prepended, marked])
    raw.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    raw.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", vocabulary["<s>"])])
    raw.add_tokens([AddedToken("<call>", special=False, normalized=False), AddedToken("\n\n", normalized=False)])
    return PreTrainedTokenizerFast(
        tokenizer_object=raw,
        unk_token="<unk>",
        bos_token="<s>",
        eos_token="</s>",
        pad_token="</s>",
        clean_up_tokenization_spaces=False,
    )


PIECES = [
    '[{"name": "split_bill", "arguments": {"total": 84, "people": 4}}]',
    "Split 84 between four people, please. Add the people to the bill and split the total between them.",
]
