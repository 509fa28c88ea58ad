"""How an agent is asked, and how its answers are read: Act, ReAct and PRAct, in text or as native calls.

The prompt of PRAct has the paper's order: actions, principles, example, and then the trajectory so far. All that does
not change from step to step stands first, so that engines and endpoints can share it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from lamina.agents.principles import Principles
from lamina.models.model import Model, PromptStyle, Reply, Request
from lamina.models.parsing import parse_calls
from lamina.tools.tool import Toolbox
from lamina.trajectories.trajectory import Message, ToolCall

Method = Literal["act", "react", "pract"]
Channel = Literal["native", "text"]
METHODS: tuple[Method, ...] = ("act", "react", "pract")
OBSERVATION, ACTION, THOUGHT = "Observation:", "Action:", "Thought:"


@dataclass(frozen=True)
class Manner:
    """``act``: calls alone. ``react``: a thought before each. ``pract``: ReAct with the principles in the prompt.

    ``native``: tools and calls go through the model's own form, and without thoughts its answer is constrained to it;
    ``text``: all of it is written out, which any model can follow. ``style`` is of ``native`` alone.
    ``thoughts`` off leaves them out of ``react`` and ``pract``: for models that were tuned to write calls alone."""

    method: Method = "act"
    channel: Channel = "native"
    style: PromptStyle = "full"
    max_tokens: int = 256
    temperature: float = 0.0
    thoughts: bool = True

    @property
    def thinks(self) -> bool:
        return self.method != "act" and self.thoughts


def manner_of(
    model: Model,
    method: Method,
    channel: Channel | None = None,
    style: PromptStyle | None = None,
    *,
    temperature: float = 0.0,
) -> Manner:
    """What suits the model, where it is not said: one that Lamina tuned is asked as it was tuned, in its own style and
    without thoughts; any other (``foreign``, or behind an endpoint) in text."""
    tuned = not getattr(model, "foreign", True)
    own: PromptStyle | None = getattr(model, "prompt_style", None)
    chosen = channel or ("native" if tuned else "text")
    return Manner(method, chosen, style or own or "full", temperature=temperature, thoughts=not tuned)


@dataclass(frozen=True)
class Turn:
    """One answer, read: ``problem`` says why there are no calls; without one, no calls means that the agent is done."""

    thought: str
    calls: list[ToolCall]
    problem: str | None = None


def request_of(
    manner: Manner, toolbox: Toolbox, messages: Sequence[Message], principles: Principles, seed: int = 0
) -> Request:
    """The request for the next turn after ``messages`` (user first)."""
    shown = principles.among(toolbox) if manner.method == "pract" else Principles()
    settings = {"max_tokens": manner.max_tokens, "temperature": manner.temperature, "seed": seed}
    if manner.channel == "text":
        system = Message(role="system", content=text_system(manner, toolbox, shown))
        return Request(messages=[system, *_written(manner, messages)], stop=(f"\n{OBSERVATION}",), **settings)  # type: ignore[arg-type]
    parts = [*(["Think first, in one sentence, then write the calls."] if manner.thinks else []),
             *([f"Principles:\n{shown.in_words()}"] if shown else [])]  # fmt: skip
    head = [Message(role="system", content="\n".join(parts))] if parts else []
    return Request(
        messages=[*head, *messages], tools=toolbox, style=manner.style, constrained=not manner.thinks, **settings  # type: ignore[arg-type]
    )  # fmt: skip


def text_system(manner: Manner, toolbox: Toolbox, principles: Principles) -> str:
    form = f"{THOUGHT} what to do next and why\n" if manner.thinks else ""
    parts = [
        "You serve a request with the actions below, step by step. Each of your turns has this form and nothing else:\n"
        f'{form}{ACTION} {{"name": "…", "arguments": {{…}}}}\n'
        "An array of such objects calls several at once. What came of it follows as an observation.",
        f"Actions:\n{listed(toolbox)}",
        *([f"Principles:\n{principles.in_words()}"] if principles else []),
        example_of(toolbox, thinks=manner.thinks),
    ]
    return "\n\n".join(parts)


def example_of(toolbox: Toolbox, *, thinks: bool) -> str:
    """A turn with the first action there is: models of half a billion parameters call whatever name an example has."""
    tool = next(iter(toolbox))
    arguments = {name: _placeholder(tool.properties[name]) for name in tool.required}
    thought = [f"{THOUGHT} {tool.name} tells me what I need next."] if thinks else []
    action = json.dumps({"name": tool.name, "arguments": arguments}, ensure_ascii=False)
    return "\n".join(["Example of the form, not of the values:", *thought, f"{ACTION} {action}"])


def _placeholder(schema: dict[str, object]) -> object:
    values = schema.get("enum")
    if isinstance(values, list):
        return values[0]
    return {"integer": 1, "number": 1.5, "boolean": True, "array": [], "object": {}}.get(str(schema.get("type")), "…")


def listed(toolbox: Toolbox) -> str:
    """One line an action: name, arguments with their kinds, description."""
    lines = []
    for tool in toolbox:
        arguments = ", ".join(
            _argument(name, schema, name in tool.required) for name, schema in tool.properties.items()
        )
        lines.append(f"- {tool.name}({arguments}): {' '.join(tool.description.split())}")
    return "\n".join(lines)


def _argument(name: str, schema: dict[str, object], required: bool) -> str:
    values = schema.get("enum")
    kind = (
        " | ".join(json.dumps(v, ensure_ascii=False) for v in values)
        if isinstance(values, list)
        else schema.get("type")
    )
    about = schema.get("description")
    return f"{name}{'' if required else '?'}: {kind or 'any'}{f' ({about})' if about else ''}"


def read_turn(manner: Manner, reply: Reply, toolbox: Toolbox | None = None) -> Turn:
    """Reads an answer; with a ``toolbox`` calls that don't fit it are a problem, else whoever executes them says so."""
    if not reply.text.strip():
        return Turn("", [], reply.problem or "the answer is empty")
    if manner.channel == "text":
        return _read_text(reply, toolbox)
    if toolbox is not None and (reply.problem or not manner.thinks):
        return Turn(_before_calls(reply.text) if manner.thinks else reply.said, reply.calls, reply.problem)
    calls, problem = parse_calls(reply.text, toolbox, truncated=reply.truncated)
    return Turn(_before_calls(reply.text) if manner.thinks else reply.said, calls, problem)


def _read_text(reply: Reply, toolbox: Toolbox | None) -> Turn:
    """Everything after an observation that the model made up itself is cut off."""
    text, *more = re.split(rf"^\s*{OBSERVATION}", reply.text, maxsplit=1, flags=re.M)
    before, mark, after = text.partition(ACTION)
    thought = before.strip().removeprefix(THOUGHT).strip()
    if not mark:
        return Turn(thought, [], f"there is no line '{ACTION} …'")
    # The form asks for one action a turn; a model that goes on inventing turns is held to its first.
    action, *others = re.split(rf"^\s*(?:{THOUGHT}|{ACTION})", after, maxsplit=1, flags=re.M)
    calls, problem = parse_calls(action, toolbox, truncated=reply.truncated and not (more or others))
    return Turn(thought, calls, problem)


def _before_calls(text: str) -> str:
    return re.split(r"```|[\[{]|<tool_call>", text, maxsplit=1)[0].strip()


def _written(manner: Manner, messages: Iterable[Message]) -> list[Message]:
    """Calls and results as text turns; results that follow each other are one turn."""
    rows: list[Message] = []
    for message in messages:
        if message.role == "assistant":
            rows.append(Message(role="assistant", content=written_turn(message, manner.thinks)))
        elif message.role == "tool":
            shown = f"{OBSERVATION} {message.content}"
            if rows[-1].role == "user" and rows[-1].content.startswith(OBSERVATION):
                rows[-1] = Message(role="user", content=f"{rows[-1].content}\n{shown}")
            else:
                rows.append(Message(role="user", content=shown))
        else:
            rows.append(Message(role=message.role, content=message.content))
    return rows


def written_turn(message: Message, thinks: bool = True) -> str:
    """What an assistant message is as text; one that could not be read stays as it was."""
    if not message.tool_calls:
        return message.content
    calls = [{"name": c.name, "arguments": c.arguments} for c in message.tool_calls]
    action = json.dumps(calls[0] if len(calls) == 1 else calls, ensure_ascii=False)
    thought = f"{THOUGHT} {message.content}\n" if thinks and message.content else ""
    return f"{thought}{ACTION} {action}"
