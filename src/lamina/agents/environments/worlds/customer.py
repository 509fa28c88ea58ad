"""The customer of a service desk: one that follows a script, or any model.

The script is made of what tau-bench tells the model that plays the user. It gives what it knows when it is asked,
agrees when it is asked to, and never invents: simpler than a person, and the same every time (our choice)."""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from typing import Protocol

from lamina.models.model import Model, Request
from lamina.tools.tool import JSON
from lamina.trajectories.trajectory import Message

STOP = "###STOP###"
_ASKS_CONSENT = re.compile(r"\b(confirm|proceed|go ahead|is (this|that|it) (right|correct|okay|ok|fine)|yes)\b", re.I)
_ASKS_WHO = re.compile(r"\b(name|zip|e-?mail|user id|identity|verify|who|address|birth|payment|card)\b", re.I)
_SPOKEN = (
    ("you are", "I am"), ("you're", "I'm"), ("you have", "I have"), ("you've", "I've"), ("you'd", "I'd"),
    ("you'll", "I'll"), ("yourself", "myself"), ("yours", "mine"), ("your", "my"),
)  # fmt: skip
_OBJECT = re.compile(r"\b(for|to|with|tell|tells|told|give|gives|help|helps|let|lets|ask|asks) you\b(?!')", re.I)
AGREES, SILENT = "Yes, please go ahead.", "I have nothing to add."


class Customer(Protocol):
    def opening(self, scenario: JSON) -> str:
        """What it says first."""
        ...

    def answer(self, scenario: JSON, said: Sequence[tuple[str, str]]) -> str:
        """``said``: ("agent" or "customer", text) from the opening on, the agent last. STOP in it ends it."""
        ...


class Scripted:
    """Reads ``reason_for_call``, ``known_info``, ``unknown_info`` and ``task_instructions`` of the scenario."""

    def opening(self, scenario: JSON) -> str:
        return spoken(str(scenario.get("reason_for_call") or "I need help."))

    def answer(self, scenario: JSON, said: Sequence[tuple[str, str]]) -> str:
        asked = said[-1][1]
        told = {text for who, text in said if who == "customer"}
        about = spoken(" ".join(filter(None, (scenario.get("known_info"), scenario.get("unknown_info")))))
        wishes = spoken(str(scenario.get("task_instructions") or ""))
        if _ASKS_CONSENT.search(asked):
            return AGREES
        untold = [text for text in (about, wishes) if len(text) > 1 and text not in told]
        if _ASKS_WHO.search(asked) and about:
            return about
        return untold[0] if untold else SILENT


class Played:
    """A model that is told the scenario. One question at a time: a model answers one caller."""

    def __init__(self, model: Model) -> None:
        self.model, self._turn = model, threading.Lock()

    def opening(self, scenario: JSON) -> str:
        return self._say(scenario, [("agent", "Hello, how can I help you?")])

    def answer(self, scenario: JSON, said: Sequence[tuple[str, str]]) -> str:
        return self._say(scenario, said)

    def _say(self, scenario: JSON, said: Sequence[tuple[str, str]]) -> str:
        told = "\n".join(f"{key.replace('_', ' ')}: {value}" for key, value in scenario.items() if value)
        system = (
            "You play a customer who writes to a service desk. Write the customer's next message and nothing else, one "
            "or two sentences. Say only what serves the scenario, bit by bit, in your own words; invent nothing that "
            f"is not in it. When all is done, or you are handed to somebody else, write {STOP}.\n\nScenario:\n{told}"
        )
        messages = [Message(role="system", content=system)]
        messages += [Message(role="user" if who == "agent" else "assistant", content=text) for who, text in said]
        with self._turn:
            reply = self.model.generate([Request(messages=messages, max_tokens=160)])[0]
        return reply.text.strip() or SILENT


def spoken(text: str) -> str:
    """Instructions to a customer as the customer says them: "you want" is "I want" (rules of thumb)."""
    text = _OBJECT.sub(lambda m: m[0][:-3] + "me", text.strip())
    for written, said in _SPOKEN:
        text = re.sub(rf"\b{written}\b", lambda m, s=said: _as_big(m[0], s), text, flags=re.I)  # type: ignore[misc]
    return re.sub(r"\byou\b", "I", text, flags=re.I)


def _as_big(found: str, said: str) -> str:
    return said[0].upper() + said[1:] if found[0].isupper() else said
