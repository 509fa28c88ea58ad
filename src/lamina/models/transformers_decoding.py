"""Decoding with a Transformers model, token by token, each row under its own grammar."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from lamina.models.model import Request


@dataclass(frozen=True)
class Decoding:
    """Tokens of each row, and when (``time.perf_counter``) their first ones were chosen."""

    written: list[list[int]]
    first: float


@dataclass(frozen=True)
class Decoder:
    """``pad`` fills the shorter rows on the left, ``ends`` end an answer."""

    model: Any
    tokenizer: Any
    pad: int
    ends: set[int]

    def decode(
        self,
        prompts: Sequence[list[int]],
        rows: Sequence[Answer],
        seen: dict[str, Any] | None,
        on_step: Callable[[], None],
    ) -> Decoding:
        """With the key-value cache; tokens that a row's grammar forbids are masked first. ``seen`` is what the first
        step is given of images; with them a model counts the places of its tokens itself."""
        import torch

        longest = max(len(ids) for ids in prompts)
        step = torch.tensor([[self.pad] * (longest - len(ids)) + ids for ids in prompts])
        mask = torch.tensor([[0] * (longest - len(ids)) + [1] * len(ids) for ids in prompts])
        places = (mask.cumsum(1) - 1).clamp(min=0)
        past, first = None, 0.0
        with torch.no_grad():
            while any(not row.done for row in rows):
                about = {"position_ids": places} if seen is None else seen if past is None else {}
                out = self.model(input_ids=step, attention_mask=mask, past_key_values=past, use_cache=True, **about)
                past = out.past_key_values
                logits = out.logits[:, -1, :].float()
                tokens = [row.take(logits[i : i + 1], self.ends, self.tokenizer) for i, row in enumerate(rows)]
                first = first or time.perf_counter()
                on_step()
                step = torch.tensor([[t if t is not None else self.pad] for t in tokens])
                mask = torch.cat([mask, torch.ones(len(rows), 1, dtype=mask.dtype)], dim=1)
                places = places[:, -1:] + 1
        return Decoding([row.written for row in rows], first or time.perf_counter())


class Answer:
    """One answer as it grows."""

    def __init__(self, matcher: Any, request: Request, most: int):
        import torch

        self.matcher, self.request, self.most = matcher, request, most
        self.written: list[int] = []
        self.done = most <= 0
        self.generator = torch.Generator().manual_seed(request.seed)

    def take(self, logits: Any, ends: set[int], tokenizer: Any) -> int | None:
        """Chooses the next token from ``logits`` (1, vocabulary); None when the answer has ended."""
        import llguidance.numpy as guide  # its counterpart for torch compiles a kernel, which wants a C++ compiler

        if self.done:
            return None
        if self.matcher is not None:
            mask = guide.allocate_token_bitmask(1, logits.shape[1])
            guide.fill_next_token_bitmask(self.matcher, mask, 0)
            guide.apply_token_bitmask_inplace(logits.numpy(), mask)
        token = _choose(logits[0], self.request, self.generator)
        if token in ends:
            self.done = True
            return None
        self.written.append(token)
        if self.matcher is not None:
            self.matcher.consume_token(token)
            self.done = self.matcher.is_stopped()
        if self.request.stop:
            self.done = self.done or any(s in tokenizer.decode(self.written[-8:]) for s in self.request.stop)
        self.done = self.done or len(self.written) >= self.most
        return token


def _choose(logits: Any, request: Request, generator: Any) -> int:
    import torch

    if request.temperature <= 0:
        return int(logits.argmax())
    chances = torch.softmax(logits / request.temperature, dim=-1)
    ordered, order = chances.sort(descending=True)
    kept = ordered * ((ordered.cumsum(0) - ordered) < request.top_p)
    return int(order[torch.multinomial(kept / kept.sum(), 1, generator=generator)])
