"""Model: what decides. It takes messages and tools and returns text and calls; every backend follows this
protocol: local GGUF, Transformers, an OpenAI-compatible endpoint, a scripted file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol, runtime_checkable

from lamina.tools.tool import JSON, Toolbox
from lamina.trajectories.trajectory import Message, ToolCall

PromptStyle = Literal["full", "compact", "baked", "plain"]
"""``full``: schemas in the prompt. ``compact``: one signature a tool in the prompt. ``baked``: no tools in the prompt,
the model knows them, output still constrained to them. ``plain``: free text for writers and judges, no tools at all."""


@dataclass(frozen=True)
class Request:
    """One thing to ask. ``constraint`` is a JSON Schema the whole answer must satisfy, ``grammar`` an
    llguidance (Lark) grammar; with ``tools`` given and neither set, the answer is constrained to a JSON
    array of calls to those tools (``[]`` means: no call), of a model that was taught to speak with words before it."""

    messages: Sequence[Message]
    tools: Toolbox | None = None
    style: PromptStyle = "plain"
    constraint: JSON | None = None
    grammar: str | None = None
    constrained: bool = True
    prefix: str = ""
    """Text put in the assistant's mouth; generation continues after it and ``Reply.text`` excludes it."""
    raw_prompt: str | None = None
    """A prompt sent as it is, no chat template (base models, few-shot completion); replaces ``messages``."""
    images: Sequence[Path | str] = ()
    """Paths of images that the last user message is about; the model sees them before its text. A model opened without
    ``images=True`` does not take them, and a raw prompt has no place for them (ValueError)."""
    max_tokens: int = 256
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int = 0
    stop: Sequence[str] = ()
    continuations: Sequence[str] = ()
    """Texts whose likelihood after the prompt ``Scorer.score`` gives; ``generate`` does not look at them."""
    choices: Sequence[str] = ()
    """Texts of which the answer is to be one, said beside ``grammar`` for backends that take none: an endpoint is sent
    them as a schema, and may all the same write something else."""

    def __post_init__(self) -> None:
        if self.images and self.raw_prompt is not None:
            raise ValueError("a raw prompt has no place for images; put it into a message")


@dataclass(frozen=True)
class Reply:
    """``calls`` is parsed from ``text`` when the request had tools; ``problem`` says in a sentence why it
    could not be parsed (then ``calls`` is empty, which is NOT the same as a deliberate refusal)."""

    text: str
    calls: list[ToolCall] = field(default_factory=list)
    problem: str | None = None
    repairs: tuple[str, ...] = ()
    """What of ``text`` had to be repaired to read the calls, in words (``parsing.REPAIRS``)."""
    confidence: float | None = None
    """Of the reading of the calls: 1 as asked for, less with each repair, 0 with a problem. None: nothing was read."""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    seconds: float = 0.0
    first_token_seconds: float | None = None
    truncated: bool = False
    timings: dict[str, Any] = field(default_factory=dict)
    likelihoods: list[float] = field(default_factory=list)
    """Of each of the request's continuations, in order: the sum of its tokens' log probabilities (nats)."""
    said: str = ""
    """Words before or instead of calls, of a model that was taught to speak; ``text`` is then the calls alone, ``[]``
    where there are none."""
    sent: str | None = None
    """The whole text that the model was given, where whoever asked wanted to keep it and the backend tells it."""


class Model(Protocol):
    ref: str

    def generate(
        self, requests: Sequence[Request], on_reply: Callable[[int, Reply], None] | None = None
    ) -> list[Reply]:
        """Answers in the order of ``requests``; ``on_reply(index, reply)`` is called as each one is done."""
        ...

    def close(self) -> None: ...


@runtime_checkable
class TellsPrompts(Protocol):
    """A model that says what it sends: those that render their prompts themselves, and endpoints."""

    def prompt_for(self, request: Request) -> str:
        """The text that is sent for a request, or the JSON of a request to an endpoint. Raises PromptError as
        ``generate`` would have a problem."""
        ...


@runtime_checkable
class Scorer(Protocol):
    """A model that can also say how likely it finds a given text: those that run in this process."""

    def score(self, requests: Sequence[Request], on_reply: Callable[[int, Reply], None] | None = None) -> list[Reply]:
        """As ``Model.generate``, but nothing is written: ``Reply.likelihoods`` answers ``Request.continuations``.

        Nothing constrains the continuations. A request that does not fit into the context, or without a prompt, has a
        ``problem``. Raises ModelError for a request with an image: it would be read as if there were none."""
        ...
