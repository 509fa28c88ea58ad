"""Parity counts answers that mean the same and shows those that do not."""

from __future__ import annotations

import pytest

from lamina.models import Reply, Request
from lamina.quantize import parity
from lamina.quantize.parity_check import wilson
from lamina.tools import Toolbox
from lamina.trajectories import Message, ToolCall


def said(name: str, **arguments) -> Reply:
    return Reply(text=f"{name} {arguments}", calls=[ToolCall.of(name, arguments)])


def asked(n: int) -> list[Request]:
    return [Request([Message(role="user", content=f"request {i}")]) for i in range(n)]


class Parrot:
    ref = "parrot"

    def __init__(self, replies: list[Reply]):
        self.replies = replies

    def generate(self, requests, on_reply=None):
        assert len(requests) == len(self.replies)
        return self.replies

    def close(self) -> None: ...


def test_equal_calls_are_parity_whatever_their_text(toolbox: Toolbox):
    ours = said("split_bill", total=84, people=4)
    theirs = said("split_bill", people=4, total=84.0, tip_percent=0)
    found = parity(Parrot([ours]), Parrot([theirs]), asked(1), toolbox)
    assert found["rate"] == 1
    assert found["differences"] == []


def test_a_difference_is_counted_and_shown(toolbox: Toolbox):
    ours = [said("split_bill", total=84, people=4), Reply(text="[]")]
    theirs = [said("split_bill", total=84, people=5), Reply(text="[]")]
    found = parity(ours, Parrot(theirs), asked(2), toolbox)
    assert (found["rate"], found["n"], found["same"]) == (0.5, 2, 1)
    assert found["differences"] == [{"request": "request 0", "reference": ours[0].text, "candidate": theirs[0].text}]


def test_nonsense_is_not_a_refusal():
    found = parity([Reply(text="[]")], [Reply(text="[{", problem="not JSON")], asked(1))
    assert found["rate"] == 0


def test_the_interval_is_wilsons():
    low, high = wilson(297, 300)
    assert low == pytest.approx(0.9711, abs=1e-3)
    assert high == pytest.approx(0.9966, abs=1e-3)
    assert wilson(0, 0) == (None, None)
