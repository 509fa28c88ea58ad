"""How far a file's next-token distributions are from those of a reference file, on given prompts and answers."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lamina.errors import InputError
from lamina.quantize.ggml import Array
from lamina.quantize.likelihood import token_ids, token_logits
from lamina.tools.tool import JSON


@dataclass(frozen=True)
class Said:
    """A prompt, as it is sent, and what follows it. Only the tokens of ``answer`` are measured."""

    prompt: str
    answer: str


@dataclass(frozen=True)
class Cut:
    """A text in tokens. Only those of ``answer`` are measured."""

    prompt: list[int]
    answer: list[int]

    @property
    def row(self) -> list[int]:
        return self.prompt + self.answer


def distances(
    reference: Path, files: Sequence[Path], texts: Sequence[Said], on_text: Callable[[], None] | None = None
) -> list[JSON]:
    """``distances_from`` a GGUF file, whose tokenizer cuts the texts."""
    prompts, answers = token_ids(reference, [t.prompt for t in texts]), token_ids(reference, [t.answer for t in texts])
    cut = [Cut(prompt, answer) for prompt, answer in zip(prompts, answers, strict=True)]
    return distances_from(token_logits(reference, [text.row for text in cut]), files, cut, on_text)


def distances_from(
    reference: Iterator[Array], files: Sequence[Path], texts: Sequence[Cut], on_text: Callable[[], None] | None = None
) -> list[JSON]:
    """``reference``: of each text the logits that those of the files are compared with, read one after the other.

    One object a file: ``perplexity`` of the answers; against the reference, ``kl`` (mean divergence in nats),
    ``logit_rmse`` (root mean square difference of the logits, each row's mean taken off: a shift changes nothing) and
    ``same_top`` (share of the tokens at which both have the same favourite); ``tokens`` measured. ``on_text`` is called
    as each text is done.

    All files are read side by side, so that memory does not grow with the texts. Raises InputError without a text."""
    if not texts:
        raise InputError("there is nothing to measure perplexity on", mend="give requests with their right calls")
    rows = [text.row for text in texts]
    sums = [_Sums() for _ in files]
    streams = zip(reference, *(token_logits(file, rows) for file in files), strict=True)
    for text, row, (expected, *given) in zip(texts, rows, streams, strict=True):
        start = max(len(text.prompt), 1)
        for total, logits in zip(sums, given, strict=True):
            known = min(expected.shape[1], logits.shape[1])  # a folder may have more rows of weights than tokens
            total.add(np.asarray(row[start:]), expected[start - 1 : -1, :known], logits[start - 1 : -1, :known])
        if on_text is not None:
            on_text()
    return [total.figures() for total in sums]


@dataclass
class _Sums:
    tokens: int = 0
    surprise: float = 0.0
    divergence: float = 0.0
    squares: float = 0.0
    same: int = 0

    def add(self, tokens: Array, expected: Array, given: Array) -> None:
        """``tokens`` (n), logits (n, vocabulary)."""
        ours, theirs = _log_shares(expected), _log_shares(given)
        self.tokens += len(tokens)
        self.surprise -= float(theirs[np.arange(len(tokens)), tokens].sum())
        self.divergence += float((np.exp(ours) * (ours - theirs)).sum())
        difference = expected - given
        difference -= difference.mean(axis=1, keepdims=True)
        self.squares += float(np.square(difference).mean(axis=1).sum())
        self.same += int((ours.argmax(axis=1) == theirs.argmax(axis=1)).sum())

    def figures(self) -> JSON:
        return {
            "tokens": self.tokens,
            "perplexity": math.exp(self.surprise / self.tokens),
            "kl": self.divergence / self.tokens,
            "logit_rmse": math.sqrt(self.squares / self.tokens),
            "same_top": self.same / self.tokens,
        }


def _log_shares(logits: Array) -> Array:
    """Log probabilities (rows, vocabulary), float64: differences of near-equal ones are what is measured."""
    shifted = logits.astype(np.float64) - logits.max(axis=1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True)))
