"""What rows cost: what each model was asked, read, wrote and took, by its role, and how many calls of tools ran.

It is committed with the rows it was spent on, so that a run that was killed and continued adds up. What a killed batch
had spent by then is in no row and is not counted."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from lamina.models import Model, Reply, Request
from lamina.models.model import PromptStyle
from lamina.tools.execution import Executor

WRITER, JUDGE, ROUND_TRIP = "writer", "judge", "round trip"
"""The roles of models in a synthesis."""


@dataclass
class Spent:
    """On one role. ``seconds``: what one had to wait for its answers."""

    requests: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    seconds: float = 0.0


class Metered:
    """A model whose answers are counted."""

    def __init__(self, model: Model):
        self.ref = model.ref
        self.prompt_style: PromptStyle | None = getattr(model, "prompt_style", None)
        self.spent = Spent()
        self._model = model

    def generate(
        self, requests: Sequence[Request], on_reply: Callable[[int, Reply], None] | None = None
    ) -> list[Reply]:
        started = time.monotonic()
        replies = self._model.generate(requests, on_reply)
        self.spent.seconds += time.monotonic() - started
        self.spent.requests += len(replies)
        self.spent.prompt_tokens += sum(reply.prompt_tokens for reply in replies)
        self.spent.completion_tokens += sum(reply.completion_tokens for reply in replies)
        return replies

    def close(self) -> None:
        self._model.close()


class Costs:
    """Of one synthesis, since the last commit."""

    def __init__(self, executor: Executor):
        self._executor = executor
        self._models: dict[str, Metered] = {}
        self._began, self._ran = time.monotonic(), executor.ran

    def metered(self, role: str, model: Model) -> Model:
        """``model``, with what it is asked booked under ``role``."""
        self._models[role] = Metered(model)
        return self._models[role]

    def taken(self) -> dict[str, Any]:
        """``{"models": {role: {…}}, "tool_calls", "seconds"}`` since this was last asked."""
        models = {role: asdict(one.spent) for role, one in self._models.items() if one.spent.requests}
        for one in self._models.values():
            one.spent = Spent()
        now, ran = time.monotonic(), self._executor.ran
        found = {"models": models, "tool_calls": ran - self._ran, "seconds": now - self._began}
        self._began, self._ran = now, ran
        return found


def summed(costs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Several as one."""
    total: dict[str, Any] = {"models": {}, "tool_calls": 0, "seconds": 0.0}
    for cost in costs:
        total["tool_calls"] += cost["tool_calls"]
        total["seconds"] += cost["seconds"]
        for role, spent in cost["models"].items():
            known = total["models"].setdefault(role, asdict(Spent()))
            for name, amount in spent.items():
                known[name] += amount
    return total


def tokens_of(cost: Mapping[str, Any]) -> int:
    """Read and written, by all models together."""
    return sum(spent["prompt_tokens"] + spent["completion_tokens"] for spent in cost["models"].values())
