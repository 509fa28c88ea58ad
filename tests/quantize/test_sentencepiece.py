"""A tokenizer of SentencePiece's kind cuts a text in llama.cpp as it does in Transformers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lamina.errors import InputError
from lamina.models.llama_library import loaded_model, tokens_of
from lamina.quantize import export_gguf
from tiny_models import save_tiny, sentencepiece_tokenizer

TEXTS = (
    "Split 84 between four people, please.",
    "  two  spaces,\n\ta tab, é, 日本 and 🎉 that no piece has",
    'the total<call>[{"name": "split_bill"}]\n\nand more\n',
    "▁ is no space",
    "Two  spaces,\n\ta tab, é, 日本 and 🎉 within",
)


NEITHER_MARKED_NOR_INDENTED = [text for text in TEXTS if "<call>" not in text and text[0] not in " ▁"]
"""Transformers 5 puts no space before text after a token of its own, nor before one that is there; llama.cpp does."""


@pytest.mark.parametrize(
    ("form", "texts"), [("prepended", TEXTS), ("metaspace", NEITHER_MARKED_NOR_INDENTED), ("none", TEXTS)]
)
def test_text_is_cut_into_the_same_tokens(form: str, texts: tuple[str, ...], tmp_path: Path):
    tokenizer = sentencepiece_tokenizer(form)
    export_gguf(save_tiny(tmp_path / "model", "llama", tokenizer), tmp_path / "m.gguf", "F16")
    with loaded_model(tmp_path / "m.gguf") as model:
        for text in texts:
            wanted = tokenizer.encode(text, add_special_tokens=False)
            assert tokens_of(model, text) == wanted, tokenizer.convert_ids_to_tokens(wanted)


def test_the_file_says_which_tokens_are_bytes_marks_and_unknown_and_that_texts_are_opened(tmp_path: Path):
    from gguf import GGUFReader, TokenType

    tokenizer = sentencepiece_tokenizer()
    export_gguf(save_tiny(tmp_path / "model", "llama", tokenizer), tmp_path / "m.gguf", "F16")
    fields = {key: field.contents() for key, field in GGUFReader(tmp_path / "m.gguf").fields.items()}
    types = dict(zip(fields["tokenizer.ggml.tokens"], map(TokenType, fields["tokenizer.ggml.token_type"]), strict=True))
    assert types["<unk>"] == TokenType.UNKNOWN
    assert types["<s>"] == types["</s>"] == TokenType.CONTROL
    assert types["<0x41>"] == TokenType.BYTE
    assert types["<call>"] == TokenType.USER_DEFINED
    assert types["people"] == TokenType.NORMAL
    assert fields["tokenizer.ggml.add_bos_token"] is True


def test_a_model_that_was_trained_here_is_asked_without_an_opening_token_as_it_was_trained(tmp_path: Path):
    from gguf import GGUFReader

    folder = save_tiny(tmp_path / "model", "llama", sentencepiece_tokenizer())
    (folder / "lamina.json").write_text(json.dumps({"prompt_style": "full", "tools": []}))
    export_gguf(folder, tmp_path / "m.gguf", "F16")
    assert GGUFReader(tmp_path / "m.gguf").fields["tokenizer.ggml.add_bos_token"].contents() is False


def test_merges_that_no_scores_give_are_refused(tmp_path: Path):
    folder = save_tiny(tmp_path / "model", "llama", sentencepiece_tokenizer())
    said = json.loads((folder / "tokenizer.json").read_text())
    said["model"]["merges"] = said["model"]["merges"][::2]
    (folder / "tokenizer.json").write_text(json.dumps(said))
    with pytest.raises(InputError, match=r"tokenizer\.json: \d+ of \d+ pairs .* are not merged"):
        export_gguf(folder, tmp_path / "m.gguf")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"normalizer": {"type": "NFKC"}}, "its normalizer is not one known here"),
        ({"pre_tokenizer": {"type": "Whitespace"}}, "its pre-tokenizer is not one known here"),
        ({"model": {"type": "Unigram", "vocab": {}}}, "a Unigram tokenizer of this kind is not supported"),
    ],
)
def test_a_tokenizer_that_llama_cpp_would_cut_with_otherwise_is_refused(tmp_path: Path, change: dict, said: str):
    folder = save_tiny(tmp_path / "model", "llama", sentencepiece_tokenizer())
    file = folder / "tokenizer.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | change))
    with pytest.raises(InputError, match=said):
        export_gguf(folder, tmp_path / "m.gguf")
