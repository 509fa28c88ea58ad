"""How likely a Transformers model finds given texts after a prompt."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from lamina.models.continuations import Row

BATCH = 16
"""Texts read together (our choice)."""


@dataclass(frozen=True)
class _Text:
    """What is read of a row for the continuations ``ends`` (number -> last token), which are the same up to there."""

    row: int
    tokens: list[int]
    prompt: int
    ends: dict[int, int]


def likelihoods(model: Any, pad: int, rows: Sequence[Row], on_row: Callable[[int, list[float]], None]) -> None:
    """``on_row(index, sums)`` for every row without a problem: each continuation's log probability, in nats."""
    texts = sorted((text for index, row in enumerate(rows) for text in _texts(index, row)), key=lambda t: len(t.tokens))
    sums: list[dict[int, float]] = [{} for _ in rows]
    for start in range(0, len(texts), BATCH):
        part = texts[start : start + BATCH]
        for text, logs in zip(part, _log_shares(model, pad, part), strict=True):
            said = text.tokens[text.prompt :]
            common = sum(float(logs[place, token]) for place, token in enumerate(said))
            found = sums[text.row]
            found.update({number: common + float(logs[len(said), token]) for number, token in text.ends.items()})
            if len(found) == len(rows[text.row].own):
                on_row(text.row, [found[number] for number in range(len(found))])


def _texts(index: int, row: Row) -> Iterator[_Text]:
    ends: dict[tuple[int, ...], dict[int, int]] = {}
    for number, own in enumerate(row.own):
        ends.setdefault(tuple(own[:-1]), {})[number] = own[-1]
    for before, last in ends.items():
        yield _Text(index, [*row.head, *before], len(row.prompt), last)


def _log_shares(model: Any, pad: int, texts: Sequence[_Text]) -> Iterator[Any]:
    """For each text the log probabilities (places, vocabulary) from the prompt's last token on. Rows are padded on the
    left, so that all end together and only their ends need logits."""
    import torch

    longest = max(len(text.tokens) for text in texts)
    kept = max(len(text.tokens) - text.prompt + 1 for text in texts)
    step = torch.tensor([[pad] * (longest - len(t.tokens)) + t.tokens for t in texts])
    mask = torch.tensor([[0] * (longest - len(t.tokens)) + [1] * len(t.tokens) for t in texts])
    places = (mask.cumsum(1) - 1).clamp(min=0)
    with torch.no_grad():
        logits = model(
            input_ids=step, attention_mask=mask, position_ids=places, use_cache=False, logits_to_keep=kept
        ).logits[:, -kept:]
    for text, ours in zip(texts, logits, strict=True):
        yield torch.log_softmax(ours[-(len(text.tokens) - text.prompt + 1) :].float(), dim=-1)
