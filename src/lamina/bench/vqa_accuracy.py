"""How a short answer about an image is scored against ten people's: VQA accuracy (Antol et al. 2015, arXiv 1505.00468;
the rules of the official evaluation, written anew). The people's answers are brought into the same form, which the
official one does only in part: its files hold them so already, those of VizWiz and TextVQA do not."""

from __future__ import annotations

import re
from collections.abc import Sequence

NUMBERS = {
    word: str(number)
    for number, word in enumerate(
        ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
    )
} | {"none": "0"}
ARTICLES = {"a", "an", "the"}
_MARKS = ';/[]"{}()=+\\_-><@`,?!'
_DIGITS_WITH_COMMA = re.compile(r"\d,\d")
_FULL_STOP = re.compile(r"\.(?!\d)")
"""One that no digit follows."""
_WITH_APOSTROPHE = (
    "ain't aren't can't could've couldn't didn't doesn't don't hadn't hasn't haven't he'd he's how'd how'll how's i'm "
    "i've isn't it'd it'll let's ma'am might've mightn't must've mustn't needn't o'clock oughtn't shan't she's "
    "should've shouldn't somebody's someone's something's that'd that's there'd there's they'd they'll they're "
    "they've wasn't we've weren't what'll what're what's what've when's where'd where's where've who'd who'll who's "
    "who've why'll why's won't would've wouldn't y'all you'd you'll you're you've"
)
CONTRACTIONS = {word.replace("'", ""): word for word in _WITH_APOSTROPHE.split()}
"""Contractions that people type without the apostrophe, where that is no word of its own ("well", "its")."""


def vqa_accuracy(answer: str, people: Sequence[str]) -> float:
    """0 to 1: an answer that three others gave too is right, fewer count a third each. Averaged over the people, each
    left out once, as the official evaluation does (with ten of whom three agree: 0.9)."""
    said = vqa_answer(answer)
    others = [vqa_answer(person) for person in people]
    if not others:
        return 0.0
    same = sum(other == said for other in others)
    return sum(min(1.0, (same - (other == said)) / 3) for other in others) / len(others)


def vqa_answer(text: str) -> str:
    """Lower case, without articles and marks, numbers up to ten as digits, contractions with their apostrophe."""
    words = _unmarked(" ".join(text.split())).lower().split()
    words = [NUMBERS.get(word, word) for word in words if word not in ARTICLES]
    return " ".join(CONTRACTIONS.get(word, word) for word in words)


def _unmarked(text: str) -> str:
    """A mark beside a space goes, and all do where a comma stands in a number; any other becomes a space."""
    kept = text
    in_number = _DIGITS_WITH_COMMA.search(text) is not None
    for mark in _MARKS:
        alone = f"{mark} " in text or f" {mark}" in text or in_number
        kept = kept.replace(mark, "" if alone else " ")
    return _FULL_STOP.sub("", kept)
