"""What a model cannot do, and what of the rest is done all the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from lamina.bench.driving import drive
from lamina.bench.tasks import Conversation, Outcome
from lamina.errors import ModelError
from lamina.models.model import Reply, Request
from lamina.trajectories import Message


class Writer:
    """Writes, and says no likelihoods."""

    ref = "writer"

    def generate(
        self, requests: Sequence[Request], on_reply: Callable[[int, Reply], None] | None = None
    ) -> list[Reply]:
        return [Reply("x") for _ in requests]

    def close(self) -> None: ...


class Dead(Writer):
    def generate(
        self, requests: Sequence[Request], on_reply: Callable[[int, Reply], None] | None = None
    ) -> list[Reply]:
        raise ModelError("gone")


def asking(request: Request) -> Conversation:
    yield request
    return Outcome(True, {})


WRITTEN = Request([Message(role="user", content="x")])
COMPARED = Request([], raw_prompt="x", continuations=["a", "b"])


def test_an_error_of_the_model_is_not_swallowed() -> None:
    with pytest.raises(ModelError, match="gone"):
        drive(Dead(), [("a", asking(WRITTEN))], lambda key, outcome: None)


def test_what_a_model_can_write_is_written_before_it_is_asked_to_compare() -> None:
    ended: list[str] = []
    with pytest.raises(ModelError, match="does not say how likely"):
        drive(Writer(), [("a", asking(COMPARED)), ("b", asking(WRITTEN))], lambda key, outcome: ended.append(key))
    assert ended == ["b"]
