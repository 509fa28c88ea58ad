"""Present: a record as plain dialogue, its tools and the way to answer written into the system text, its calls in one
of the fifteen output formats; sections in any order, under several kinds of delimiters (xLAM, arXiv 2409.03215,
section 4)."""

from __future__ import annotations

import json
import random

from lamina.models.output_formats import Calls, find_output_format, output_formats
from lamina.trajectories import Message, Trajectory

SECTIONS = ("TASK", "TOOLS", "FORMAT")
DELIMITERS: dict[str, tuple[str, str]] = {
    "marks": ("[BEGIN OF {name}]\n", "\n[END OF {name}]"),
    "tags": ("<{lower}>\n", "\n</{lower}>"),
    "headings": ("## {name}\n\n", ""),
    "colons": ("{name}:\n", ""),
    "rules": ("--- {name} ---\n", ""),
    "stars": ("*** {name} ***\n", "\n*** END {name} ***"),
}
TASK = "You answer requests by calling the functions that are described here. Call none where none fits."


def present(record: Trajectory, seed: int, *, format: str | None = None, delimiters: str | None = None) -> Trajectory:
    """Draws what is not given: the output format, the delimiters, the order of the sections. ``meta.presented`` says
    which. Thoughts stand before the calls, on lines of their own. Raises InputError for an unknown format."""
    rng = random.Random(f"{seed}:{record.id}")
    form = find_output_format(format or rng.choice(list(output_formats())))
    style = delimiters or rng.choice(list(DELIMITERS))
    order = rng.sample(SECTIONS, len(SECTIONS))
    said = [m.content for m in record.messages if m.role == "system"]
    texts = {
        "TASK": "\n\n".join(filter(None, said)) or TASK,
        "TOOLS": "\n".join(json.dumps(t.get("function", t), ensure_ascii=False) for t in record.tools) or "(none)",
        "FORMAT": form.instruction,
    }
    before, after = DELIMITERS[style]
    parts = [
        before.format(name=name, lower=name.lower()) + texts[name] + after.format(name=name, lower=name.lower())
        for name in order
    ]
    messages = [Message(role="system", content="\n\n".join(parts))]
    for message in (m for m in record.messages if m.role != "system"):
        called: Calls = [(c.name, c.arguments) for c in message.tool_calls or []]
        silent = message.role == "assistant" and not message.content.strip()
        if called or silent:
            lead = f"<think>{message.content}</think>\n" if message.content.strip() else ""
            message = Message(role="assistant", content=lead + form.encode(called))
        if message.role == "tool":
            _add_result(messages, message)
        else:
            messages.append(message.model_copy(deep=True))
    presented = {"format": form.name, "delimiters": style, "order": order}
    meta = {
        **record.meta.model_dump(exclude_none=True),
        "presented": presented,
        "group": record.meta.group or record.id,
    }
    return Trajectory.model_validate({"id": record.id, "messages": [m.model_dump() for m in messages], "meta": meta})


RESULTS = "Results:"


def _add_result(messages: list[Message], result: Message) -> None:
    """Where calls are text, results are told by the user: a chat template wants a call before a tool's message."""
    line = f"{result.name}: {result.content}" if result.name else result.content
    if messages[-1].role == "user" and messages[-1].content.startswith(f"{RESULTS}\n"):
        messages[-1].content += f"\n{line}"
    else:
        messages.append(Message(role="user", content=f"{RESULTS}\n{line}"))


def calls_in(presented: Trajectory) -> list[Calls]:
    """The calls of each turn that makes any, read back from the text."""
    form = find_output_format((presented.meta.model_extra or {})["presented"]["format"])
    found = []
    for message in presented.messages:
        if message.role != "assistant":
            continue
        _, closed, rest = message.content.partition("</think>\n")
        try:
            calls = form.parse(rest if closed and message.content.startswith("<think>") else message.content)
        except ValueError:
            continue  # words, not calls
        if calls:
            found.append(calls)
    return found
