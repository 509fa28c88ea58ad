"""Plain ReAct text: Question, Thought, Action, Action Input, Observation, Final Answer; as a text file, or in the
``text`` of rows. Tools stand before ``Begin!``, one a line, where they were told."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from lamina.trajectories.formats.format import Sample
from lamina.trajectories.formats.reading.chat import assistant, call, with_names
from lamina.trajectories.formats.reading.foreign import JSON, foreign, needs, others, record
from lamina.trajectories.formats.reading.loose import loose
from lamina.trajectories.formats.reading.refused import Refused
from lamina.trajectories.formats.reading.toolspecs import tools_of
from lamina.trajectories.trajectory import Trajectory

_MARK = re.compile(
    r"^(Question|Thought|Action Input|Action|Observation|Final Answer|System|Answer)(?: \d+)?:[ \t]?", re.M
)
_INLINE = re.compile(r"\s*([^\s\[\](){}][^\n\[\](){}]*?)\[(.*)\]\s*\Z", re.S)


def detect(sample: Sample) -> str | None:
    text = sample.text or (str(sample.row["text"]) if sample.has("text") else "")
    return "the text has Action: and Thought: or Question: lines" if _is_react(text) else None


def _is_react(text: str) -> bool:
    names = {mark[1] for mark in _MARK.finditer(text)}
    return "Action" in names and bool(names & {"Thought", "Question", "Action Input"})


def read_row(row: Any, path: Path) -> JSON | list[JSON]:
    if isinstance(row, str):
        return [
            _read_text(part)
            for part in re.split(r"(?m)^(?=Question(?: \d+)?:)", row)
            if part.strip() and _MARK.search(part)
        ]
    row = needs(row, "text")
    found = _read_text(str(row["text"]))
    found["id"] = row.get("id")
    return {**found, "meta": {**found["meta"], **({"extra": rest} if (rest := others(row, "id", "text")) else {})}}


def _read_text(text: str) -> JSON:
    head, begin, body = text.rpartition("\nBegin!\n")
    tools = _tools_in(head) if begin else []
    marks = list(_MARK.finditer(body if begin else text))
    text = body if begin else text
    parts = [
        (mark[1], text[mark.end() : after.start() if after else len(text)].removesuffix("\n"))
        for mark, after in zip(marks, [*marks[1:], None], strict=True)
    ]
    if not parts:
        raise Refused("unreadable", "there is no Question:, Thought: or Action: line")
    return record(with_names(_messages(parts)), tools)


def _messages(parts: list[tuple[str, str]]) -> list[JSON]:
    messages: list[JSON] = []
    thought, action = "", ""
    for name, said in parts:
        if name in ("Question", "System"):
            messages.append({"role": "user" if name == "Question" else "system", "content": _unescaped(said)})
        elif name == "Thought":
            thought = "\n".join(filter(None, [thought, _unescaped(said)]))
        elif name == "Action":
            action = said.strip()
            if inline := _INLINE.match(action):  # "Search[Eiffel Tower]"
                _add_call(messages, thought, inline[1], {"input": inline[2]})
                thought, action = "", ""
        elif name == "Action Input":
            _add_call(messages, thought, action, _input(said))
            thought, action = "", ""
        elif name == "Observation":
            messages.append({"role": "tool", "content": _unescaped(said)})
        else:
            messages.append(assistant(_unescaped(said), [], thought))
            thought = ""
    if action:
        _add_call(messages, thought, action, {})
    elif thought:
        messages.append(assistant(thought, []))
    return messages


def _add_call(messages: list[JSON], thought: str, name: str, arguments: JSON) -> None:
    """A call that follows a call with no observation between them, and no thought, is parallel to it."""
    if not name:
        raise Refused("unreadable", "an Action Input has no Action")
    last = messages[-1] if messages else {}
    if last.get("tool_calls") and not thought:
        last["tool_calls"].append(call(name, arguments))
    else:
        messages.append(assistant("", [call(name, arguments)], thought))


def _input(text: str) -> JSON:
    text = text.strip()
    if not text:
        return {}
    try:
        value = loose(text)
    except ValueError:
        value = text
    return value if isinstance(value, dict) else {"input": value}


def _tools_in(head: str) -> list[JSON]:
    rows = []
    for line in head.splitlines():
        if line.startswith('{"') and line.endswith("}"):
            rows.append(loose(line))
    return tools_of(rows)


INTRODUCTION = "Answer the question. You have access to the following tools:"


def write_row(trajectory: Trajectory) -> JSON:
    tools = "\n".join(json.dumps(t.get("function", t), ensure_ascii=False) for t in trajectory.tools)
    lines = [INTRODUCTION, tools, "Begin!"]
    for message in trajectory.messages:
        said = _escaped(message.content)
        thought = getattr(message, "reasoning_content", None) or (said if message.tool_calls else "")
        if message.role == "tool":
            lines.append(f"Observation: {said}")
        elif message.role != "assistant":
            lines.append(f"{'Question' if message.role == 'user' else 'System'}: {said}")
        else:
            lines += [f"Thought: {_escaped(thought)}"] if thought else []
            for made in message.tool_calls or []:
                lines += [f"Action: {made.name}", f"Action Input: {json.dumps(made.arguments, ensure_ascii=False)}"]
            lines += [] if message.tool_calls else [f"Final Answer: {said}"]
    return {"id": trajectory.id, "text": "\n".join(lines)}


def _escaped(text: str) -> str:
    """A line of the text that looks like one of ours is set in by one blank; reading takes it out again."""
    return re.sub(rf"^(?= *(?:{_NAMES})(?: \d+)?:)", " ", text, flags=re.M) if ":" in text else text


def _unescaped(text: str) -> str:
    return re.sub(rf"^ (?= *(?:{_NAMES})(?: \d+)?:)", "", text, flags=re.M) if ":" in text else text


_NAMES = "Question|Thought|Action Input|Action|Observation|Final Answer|System|Answer|Begin!"

FORMAT = foreign("react", "plain ReAct text: Thought, Action, Action Input, Observation", detect, read_row, write_row)
