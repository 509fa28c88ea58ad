"""How likely a model finds given texts after a prompt: what the backends that can say it have in common."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lamina.errors import ModelError
from lamina.models.model import Model, Reply, Request, Scorer


@dataclass(frozen=True)
class Row:
    """Token ids: ``prompt``, ``shared`` (what all continuations begin with, never all of one) and what is each's own.
    ``problem`` says why it cannot be scored."""

    prompt: list[int]
    shared: list[int]
    own: list[list[int]]
    problem: str | None = None

    @property
    def head(self) -> list[int]:
        return self.prompt + self.shared

    @property
    def size(self) -> int:
        """Tokens to be read: a last token is only looked up."""
        return len(self.prompt) + len(self.shared) + sum(len(c) - 1 for c in self.own)


def cut_row(tokens: Callable[[str], list[int]], prompt: str, continuations: Sequence[str], context: int) -> Row:
    """Prompt and continuation are cut into tokens together, and the continuation is what stands after as many tokens as
    the prompt alone has; blanks at the prompt's end count to the continuation, since most vocabularies know words with
    a blank before them. Both rules are those of lm-evaluation-harness, so that sums can be compared with it."""
    bare = prompt.rstrip()
    head = tokens(bare) if bare else []
    if not head:
        return Row([], [], [], "the prompt is empty")
    found = [tokens(prompt + text)[len(head) :] for text in continuations]
    if not found or not all(found):
        return Row(head, [], [], "a continuation is empty" if found else "there is no continuation")
    longest = len(head) + max(map(len, found))
    if longest > context:
        what = f"the prompt and its longest continuation have {longest} tokens"
        return Row(head, [], [], f"{what}, the model's context {context}")
    common = shared_length([f[:-1] for f in found])
    return Row(head, found[0][:common], [f[common:] for f in found])


def shared_length(lists: Sequence[list[int]]) -> int:
    """How many numbers all of the lists begin with."""
    first, last = min(lists), max(lists)  # all others stand between these two
    return next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), min(len(first), len(last)))


def refuse_images(ref: str, requests: Sequence[Request]) -> None:
    """Raises ModelError where a request to be scored has an image: likelihoods are those of text alone."""
    if any(request.images for request in requests):
        raise ModelError(f"{ref}: likelihoods are of text alone, and a request has an image; have the answer written")


def replies_of(
    requests: Sequence[Request],
    rows: Sequence[Row],
    likelihoods: Callable[[Sequence[Row], Callable[[int, list[float]], None]], None],
    on_reply: Callable[[int, Reply], None] | None,
) -> list[Reply]:
    """The replies of a backend whose ``likelihoods(rows, on_row)`` calls ``on_row(index, sums)`` for every row without
    a problem. ``Reply.text`` is the likeliest continuation."""
    replies = [Reply(text="", problem=row.problem, prompt_tokens=len(row.prompt)) for row in rows]
    before = time.perf_counter()

    def take(index: int, sums: list[float]) -> None:
        nonlocal before
        row, now = rows[index], time.perf_counter()
        likeliest = requests[index].continuations[sums.index(max(sums))]
        replies[index] = reply = Reply(likeliest, prompt_tokens=len(row.prompt), seconds=now - before, likelihoods=sums)
        before = now
        if on_reply is not None:
            on_reply(index, reply)

    likelihoods(rows, take)
    for index, row in enumerate(rows):
        if row.problem is not None and on_reply is not None:
            on_reply(index, replies[index])
    return replies


def score_requests(
    model: Model, requests: Sequence[Request], on_reply: Callable[[int, Reply], None] | None = None
) -> list[Reply]:
    """``Scorer.score``. Raises ModelError for a model that cannot say it."""
    if not isinstance(model, Scorer):
        mend = "take a GGUF file, a folder or hf:ORG/NAME"
        raise ModelError(f"{model.ref}: this kind of model does not say how likely a given text is; {mend}")
    return model.score(requests, on_reply)
