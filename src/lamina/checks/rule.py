"""What a verification rule is: a function from a candidate to nothing (it passes) or a rejection with a
reason. One rule a file; the stages of a run are an ordered list of them."""

from __future__ import annotations

from dataclasses import dataclass, field

from lamina.checks.reasons import Reason
from lamina.tools import Toolbox
from lamina.tools.execution import CallResult
from lamina.trajectories import Check, Message, ToolCall


@dataclass(frozen=True)
class Rejection:
    stage: str
    reason: Reason
    detail: str


@dataclass
class Candidate:
    """A row on its way through the checks. ``turns`` holds the calls of each assistant turn (one empty turn:
    a refusal), ``results`` what they really returned, ``notes`` what passed checks had to say."""

    request: str
    turns: list[list[ToolCall]]
    style: str
    writer: str
    seed: int
    now: str
    results: list[list[CallResult]] = field(default_factory=list)
    notes: list[Check] = field(default_factory=list)
    template: str = ""
    group: str = ""
    raw: str | None = None
    augmented: str = ""
    """How the row was made from another one; empty for a row of its own."""
    offered: Toolbox | None = None
    """The tools of the row; None for all there are."""
    wording: str = ""
    script: tuple[Message, ...] = ()
    """The whole conversation but for what tools returned, where it is more than one request."""
    answer: str = ""
    """What the assistant says where it makes no call: the question for a value that was left out."""
    expected_calls: int = 0
    """How many calls one request was to be written for, where its style leaves that open; 0 for what the style says."""
    end_state: dict[str, str] = field(default_factory=dict)
    """What the calls of a conversation left behind (``Session.end``); empty for calls of pure tools, which leave
    nothing."""
    unread: Rejection | None = None
    """Why what was written could not be made a row of; then nothing else of it is checked."""

    @property
    def calls(self) -> list[ToolCall]:
        return [call for turn in self.turns for call in turn]

    def conversation(self, request: str) -> list[Message]:
        """The messages of the row, with what the tools returned after each turn of calls. ``request``: how the user
        says it, where it is one request."""
        script = list(self.script) or [
            Message(role="user", content=request),
            *(
                Message(role="assistant", tool_calls=turn or None, content="" if turn else self.answer)
                for turn in self.turns
            ),
        ]
        messages: list[Message] = []
        returned = iter(self.results)
        for message in script:
            messages.append(message)
            calls = message.tool_calls or []
            messages += [
                Message(role="tool", name=call.name, content=result.text, tool_call_id=call.id)
                for call, result in zip(calls, next(returned, []) if calls else [], strict=False)
            ]
        return messages
