"""Under which name llama.cpp cuts a text as a byte-level ``tokenizer.json`` does (``tokenizer.ggml.pre``), before pairs
are merged. What is not recognised by its very expressions has no name here: a text that is cut elsewhere is other
tokens, and the model answers worse without a word of why."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Any

_SPLITS = {
    "qwen2": r"\p{N}|",
    "llama-bpe": r"\p{N}{1,3}|",
}
"""What tells llama.cpp's named pre-tokenizers apart that cut with one regular expression."""
_LETTERS_WITH_CASE = """\
41-5A 61-7A B5 C0-D6 D8-F6 F8-1BA 1BC-1BF 1C4-293 295-2AF 370-373 376 377 37B-37D 37F 386 388-38A 38C 38E-3A1
3A3-3F5 3F7-481 48A-52F 531-556 10A0-10C5 13A0-13F5 13F8-13FD 1C90-1CBA 1CBD-1CBF 1D00-1D2B 1D6B-1D77 1D79-1D9A
1E00-1F15 1F18-1F1D 1F20-1F45 1F48-1F4D 1F50-1F57 1F59 1F5B 1F5D 1F5F-1F7D 1F80-1FB4 1FB6-1FBC 1FBE 1FC2-1FC4
1FC6-1FCC 1FD0-1FD3 1FD6-1FDB 1FE0-1FEC 1FF2-1FF4 1FF6-1FFC 2102 2107 210A-2113 2115 2119-211D 2124 2126 2128
212A-212D 212F-2134 2139 213C-213F 2145-2149 214E 2183 2184 2C00-2C7B 2C7E-2CE4 2CEB-2CEE 2CF2 2CF3 A640-A66D
A680-A69B A722-A76F A771-A787 A78B-A78E AB70-ABBF FB00-FB06 FB13-FB17 FF21-FF3A FF41-FF5A 10400-1044F
104B0-104D3 104D8-104FB 10C80-10CB2 10CC0-10CF2 118A0-118DF 1E900-1E943"""
"""The letters that DeepSeek-LLM's second expression lists, as ranges of code points (hexadecimal)."""
_IDEOGRAPHS = "[一-龥ࠀ-一가-퟿]+"


def _listed(ranges: str) -> str:
    return "".join("-".join(chr(int(end, 16)) for end in one.split("-")) for one in ranges.split())


_DEEPSEEK = {
    "deepseek-coder": ("[\r\n]", r"\s?\p{L}+", r"\s?\p{P}+", _IDEOGRAPHS),
    "deepseek-llm": (
        "[\r\n]", rf"\s?[{_listed(_LETTERS_WITH_CASE)}]+", r"\s?[!-/:-~！-／：-～‘-‟　-。]+", r"\s+$", _IDEOGRAPHS,
    ),
}  # fmt: skip
"""The expressions that these cut with one after the other, before single digits. DeepSeek-Coder's is that of the Coder
models up to version 1, DeepSeek-LLM's that of DeepSeek-LLM, -MoE, -Math, V2 and of Coder 7B version 1.5."""
KNOWN = ("smollm", "gpt-2", *_DEEPSEEK, *_SPLITS)


def pre_tokenizer_name(pre_tokenizer: dict[str, Any], tokens: Sequence[str]) -> str | None:
    """``pre_tokenizer`` of ``tokenizer.json``; ``tokens``: the vocabulary. None for one that is not known here."""
    parts = pre_tokenizer.get("pretokenizers", [pre_tokenizer])
    kinds = [p["type"] for p in parts]
    if kinds == ["Digits", "ByteLevel"] and parts[0]["individual_digits"]:
        return "smollm"
    if kinds == ["ByteLevel"] and parts[0]["use_regex"]:
        return "gpt-2"
    if kinds[-2:] == ["Digits", "ByteLevel"] and set(kinds[:-2]) == {"Split"}:
        return _of_deepseek(parts, tokens)
    if kinds == ["Split", "ByteLevel"]:
        pattern = parts[0]["pattern"].get("Regex", "")
        return next((name for name, mark in _SPLITS.items() if mark in pattern), None)
    return None


def _of_deepseek(parts: Sequence[dict[str, Any]], tokens: Sequence[str]) -> str | None:
    *splits, digits, byte_level = parts
    isolated = all(split["behavior"] == "Isolated" and not split.get("invert") for split in splits)
    if not isolated or not digits["individual_digits"] or byte_level["use_regex"]:
        return None
    cuts = [_plain(split["pattern"].get("Regex", "")) for split in splits]
    name = next((name for name, own in _DEEPSEEK.items() if cuts == [_plain(cut) for cut in own]), None)
    if name == "deepseek-llm" and any(len(token) > 1 and token.isdecimal() for token in tokens):
        return None  # llama.cpp leaves its numbers whole, which is the same as long as no token has two digits
    return name


def _plain(pattern: str) -> str:
    """Some copies of the expressions write line ends as escapes, some have composed letters."""
    return unicodedata.normalize("NFC", pattern.replace("\\r\\n", "\r\n"))
