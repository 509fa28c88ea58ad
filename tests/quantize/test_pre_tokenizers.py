"""A text is cut in a GGUF file as its tokenizer.json cuts it, and what llama.cpp would cut otherwise is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lamina.errors import InputError
from lamina.quantize import export_gguf
from lamina.quantize.pre_tokenizers import _DEEPSEEK, pre_tokenizer_name
from tiny_llama import SPECIAL

TEXTS = (
    "<|im_start|>user\nSplit 84 between four people,  please 3.5<|im_end|>\n<|im_start|>assistant\n",
    "Split 84 between\r\nfour  people, 12½ x² don't",
    '[{"name": "split_bill", "arguments": {"total": 8400, "people": 4}}]\n\n',
    "Teilt die Rechnung, Ἀθήνα ώ ᾶ, Ђорђе \u0627\u0644\u062d\u0633\u0627\u0628 日本語 한국어、「はい」。 ",
    "\tdef f(x):\n\t\treturn x**2 + 1  # ok   \n   ",
    "x~(y)~(z) <(a)> a ~~ b != c ‘quoted’ „low‟ Ⅻ ① 𐐀𐐁 🙂",
)


def cut_by(cuts: tuple[str, ...], digits: bool = True) -> Any:
    """A tokenizer that learned its merges from TEXTS, cut as it will cut them."""
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    raw = Tokenizer(models.BPE())
    raw.pre_tokenizer = pre_tokenizers.Sequence([
        *(pre_tokenizers.Split(Regex(cut), "isolated") for cut in cuts),
        *([pre_tokenizers.Digits(individual_digits=True)] if digits else []),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
    ])  # fmt: skip
    raw.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=1200, special_tokens=SPECIAL, initial_alphabet=alphabet)
    raw.train_from_iterator(list(TEXTS) * 3, trainer)
    return PreTrainedTokenizerFast(tokenizer_object=raw, bos_token=SPECIAL[1], eos_token=SPECIAL[2])


@pytest.mark.parametrize("name", sorted(_DEEPSEEK))
def test_the_engine_cuts_as_the_deepseek_tokenizers_do(name: str, tmp_path: Path):
    from gguf import GGUFReader

    from lamina.models.llama_library import loaded_model, tokens_of
    from tiny_models import save_tiny

    tokenizer = cut_by(_DEEPSEEK[name])
    export_gguf(save_tiny(tmp_path / "model", "llama", tokenizer), tmp_path / "m.gguf", "F16")
    assert GGUFReader(tmp_path / "m.gguf").fields["tokenizer.ggml.pre"].contents() == name
    with loaded_model(tmp_path / "m.gguf") as model:
        for text in TEXTS:
            assert tokens_of(model, text) == tokenizer.encode(text, add_special_tokens=False), text


def test_these_texts_tell_the_two_apart():
    cuts = [cut_by(_DEEPSEEK[name]).backend_tokenizer.pre_tokenizer for name in ("deepseek-coder", "deepseek-llm")]
    assert ("~(", (1, 3)) in cuts[1].pre_tokenize_str(TEXTS[-1])
    assert ("~(", (1, 3)) not in cuts[0].pre_tokenize_str(TEXTS[-1])


def described(cuts: tuple[str, ...], **digits: bool) -> dict:
    return json.loads(cut_by(cuts, **digits).backend_tokenizer.to_str())["pre_tokenizer"]


def test_expressions_that_are_not_quite_those_have_no_name():
    llm = _DEEPSEEK["deepseek-llm"]
    assert pre_tokenizer_name(described(llm), ["a"]) == "deepseek-llm"
    assert pre_tokenizer_name(described(llm[:-1]), ["a"]) is None
    assert pre_tokenizer_name(described((*llm[:1], r"\s?[A-Za-z]+", *llm[2:])), ["a"]) is None
    assert pre_tokenizer_name(described(llm, digits=False), ["a"]) is None
    removed = described(llm)
    removed["pretokenizers"][3]["behavior"] = "Removed"
    assert pre_tokenizer_name(removed, ["a"]) is None


def test_a_vocabulary_of_whole_numbers_is_refused_where_llama_cpp_would_use_it(tmp_path: Path):
    from tiny_models import save_tiny

    assert pre_tokenizer_name(described(_DEEPSEEK["deepseek-llm"]), ["8", "84"]) is None
    assert pre_tokenizer_name(described(_DEEPSEEK["deepseek-coder"]), ["8", "84"]) == "deepseek-coder"
    folder = save_tiny(tmp_path / "model", "llama", cut_by(_DEEPSEEK["deepseek-llm"][1:]))
    with pytest.raises(InputError, match="pre-tokenizer is not one known here"):
        export_gguf(folder, tmp_path / "m.gguf", "F16")
