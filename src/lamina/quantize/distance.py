"""How far a file's next-token distributions are from those of a reference file, on given prompts and answers."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
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


def distances(
    reference: Path, files: Sequence[Path], texts: Sequence[Said], on_text: Callable[[], None] | None = None
) -> list[JSON]:
    """One object a file: ``perplexity`` of the answers; against the reference, ``kl`` (mean divergence in nats),
    ``logit_rmse`` (root mean square difference of the logits, each row's mean taken off: a shift changes nothing) and
    ``same_top`` (share of the tokens at which both have the same favourite); ``tokens`` measured. ``on_text`` is called
    as each text is done.

    All files are read side by side, so that memory does not grow with the texts. Raises InputError without a text."""
    if not texts:
        raise InputError("there is nothing to measure perplexity on", mend="give requests with their right calls")
    prompts, answers = token_ids(reference, [t.prompt for t in texts]), token_ids(reference, [t.answer for t in texts])
    rows = [p + a for p, a in zip(prompts, answers, strict=True)]
    sums = [_Sums() for _ in files]
    streams = zip(*(token_logits(file, rows) for file in (reference, *files)), strict=True)
    for row, prompt, (expected, *given) in zip(rows, prompts, streams, strict=True):
        start = max(len(prompt), 1)
        for total, logits in zip(sums, given, strict=True):
            total.add(np.asarray(row[start:]), expected[start - 1 : -1], logits[start - 1 : -1])
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
