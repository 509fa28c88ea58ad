"""Every call of a model while learning: logged with its cost before anything is done with it, and never made twice.

A learner that was killed starts over, and is given the answers that are there; it asks again from where it was.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from lamina.agents.rollouts import Ask
from lamina.models.model import Model, Reply, Request
from lamina.runs import RecordStore, Row
from lamina.trajectories.trajectory import content_id, json_line

ASKED = "asked"
TEST = "test"
"""The part of the work that no limit cuts short: what is learnt gets its figure."""
KEPT = (
    "text", "said", "problem", "repairs", "confidence", "prompt_tokens", "completion_tokens", "seconds", "truncated",
)  # fmt: skip


@dataclass(frozen=True)
class Limits:
    """Over the whole of a run, what was done before a kill included. None: no limit. ``seconds`` is what one had to
    wait for the model: the slowest of those that were asked together."""

    calls: int | None = None
    tokens: int | None = None
    seconds: float | None = None


class SpentError(Exception):
    """A limit is reached; the text says which."""


@dataclass(frozen=True)
class Cost:
    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    seconds: float = 0.0

    def __add__(self, other: Cost) -> Cost:
        return Cost(
            self.calls + other.calls,
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
            self.seconds + other.seconds,
        )

    def as_row(self) -> dict[str, Any]:
        return {**asdict(self), "seconds": round(self.seconds, 3)}


class Ledger:
    """``cost`` by part of the work; ``answered`` counts what was found in the store, ``asked`` what was not."""

    def __init__(self, store: RecordStore, limits: Limits | None = None):
        self._store, self._limits = store, limits or Limits()
        self.cost: dict[str, Cost] = {}
        self.asked = self.answered = 0
        self._counted: dict[str, set[str]] = {}

    @property
    def limited(self) -> bool:
        return self._limits != Limits()

    @property
    def total(self) -> Cost:
        return sum(self.cost.values(), Cost())

    def asking(self, model: Model, part: str, on_reply: Callable[[], None] | None = None) -> Ask:
        """Asks ``model`` and books it under ``part``; ``on_reply`` is told of each answer. Raises SpentError before a
        call beyond a limit, TEST aside."""
        return lambda pairs: self._ask(model, part, pairs, on_reply)

    def booked(self, model: Model, part: str) -> Model:
        """The same model for an environment, such as the customer that it plays. Episodes that are found whole don't
        ask again, so what was asked before a kill is booked here, and each question once."""
        counted = self._counted.setdefault(part, set())
        for row in self._store.iterate(ASKED):
            asked = json.loads(row.payload)
            if asked["part"] == part and row.id not in counted:
                counted.add(row.id)
                self._book(part, [_reply_of(asked)])
        return _Booked(model, self.asking(model, part))

    def book(self, part: str, cost: Cost) -> None:
        """Books calls whose fruit was found whole in the store."""
        self.cost[part] = self.cost.get(part, Cost()) + cost
        self.answered += cost.calls

    def _ask(
        self, model: Model, part: str, pairs: Sequence[tuple[str, Request]], on_reply: Callable[[], None] | None
    ) -> list[Reply]:
        if part != TEST:
            self._check(len(pairs))
        ids = [content_id(model.ref, part, slot, _plain(request)) for slot, request in pairs]
        found = {i: reply for i, one in enumerate(ids) if (reply := self._known(one)) is not None}
        missing = [i for i in range(len(pairs)) if i not in found]
        before = self._store.count(ASKED)
        if on_reply is not None:
            for _ in found:
                on_reply()

        def keep(index: int, reply: Reply) -> None:
            place = missing[index]
            slot, request = pairs[place]
            row = {"part": part, "slot": slot, "model": model.ref, **asked_row(request, reply)}
            self._store.put([Row(ASKED, ids[place], before + index, json_line(row))])
            found[place] = reply
            if on_reply is not None:
                on_reply()

        if missing:
            model.generate([pairs[i][1] for i in missing], keep)
        self.asked += len(missing)
        self.answered += len(pairs) - len(missing)
        replies = [found[i] for i in range(len(pairs))]
        counted = self._counted.get(part)
        self._book(part, [r for one, r in zip(ids, replies, strict=True) if counted is None or one not in counted])
        if counted is not None:
            counted.update(ids)
        return replies

    def _known(self, identity: str) -> Reply | None:
        row = self._store.get(ASKED, identity)
        return _reply_of(json.loads(row.payload)) if row else None

    def _check(self, more: int) -> None:
        total, limits = sum((c for part, c in self.cost.items() if part != TEST), Cost()), self._limits
        if limits.calls is not None and total.calls + more > limits.calls:
            raise SpentError(f"{total.calls} of {limits.calls} calls are made and {more} more are due")
        if limits.tokens is not None and total.prompt_tokens + total.completion_tokens >= limits.tokens:
            raise SpentError(f"the {limits.tokens} tokens are used up")
        if limits.seconds is not None and total.seconds >= limits.seconds:
            raise SpentError(f"the {limits.seconds:g} seconds are used up")

    def _book(self, part: str, replies: Sequence[Reply]) -> None:
        self.cost[part] = self.cost.get(part, Cost()) + Cost(
            len(replies),
            sum(r.prompt_tokens for r in replies),
            sum(r.completion_tokens for r in replies),
            max((r.seconds for r in replies), default=0.0),
        )


class _Booked:
    """Asked again the same, it says the same."""

    def __init__(self, model: Model, ask: Ask):
        self.ref, self._model, self._ask = model.ref, model, ask

    def generate(
        self, requests: Sequence[Request], on_reply: Callable[[int, Reply], None] | None = None
    ) -> list[Reply]:
        replies = self._ask([("", request) for request in requests])
        for index, reply in enumerate(replies):
            if on_reply is not None:
                on_reply(index, reply)
        return replies

    def close(self) -> None:
        self._model.close()


def asked_row(request: Request, reply: Reply) -> dict[str, Any]:
    """A request to a model and its answer, as they are written down."""
    return {"request": _plain(request), "reply": {name: getattr(reply, name) for name in KEPT}}


def _reply_of(asked: dict[str, Any]) -> Reply:
    reply = asked["reply"]
    return Reply(**{**reply, "repairs": tuple(reply.get("repairs", ()))})


def _plain(request: Request) -> dict[str, Any]:
    return {
        "messages": [m.model_dump(exclude_none=True) for m in request.messages],
        "tools": request.tools.fingerprint() if request.tools is not None else None,
        "max_tokens": request.max_tokens,
        "temperature": request.temperature,
        "seed": request.seed,
    }
