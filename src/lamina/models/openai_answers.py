"""What an OpenAI-compatible endpoint answered, as a ``Reply``: at once, or streamed and timed by our own clock."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from typing import Any

from lamina.models.model import Reply, Request
from lamina.models.parsing import read_reply
from lamina.models.templates import storable
from lamina.tools.tool import JSON

STREAM: dict[str, Any] = {"stream": True, "stream_options": {"include_usage": True}}
"""What is sent besides, so that an answer comes as it is written, with the number of its tokens at the end."""
LONGEST_ERROR = 300
"""Characters of an endpoint's own words."""


ANSWER = "answer"
CHOICE_TOKENS = 64
"""An answer of one word takes more tokens inside an object (our choice)."""


def read_json(content: bytes) -> Any:
    """Bytes that are no UTF-8, as half of a character is that a model wrote, become U+FFFD. Raises ValueError."""
    try:
        return json.loads(content)
    except UnicodeDecodeError:
        return json.loads(content.decode("utf-8", "replace"))


class Streamed:
    """One answer as its parts come in. ``seconds`` is the time to the last part, ``first_token_seconds`` that to the
    first with text in it (what a model thinks to itself included), None where no part had any."""

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        self.first_token_seconds: float | None = None
        self.seconds = 0.0
        self._began = time.perf_counter()
        self._rest = b""
        self._text: list[str] = []
        self._events: list[dict[str, Any]] = []
        self._end: str | None = None

    def hear(self, part: bytes) -> None:
        """A part of the body; lines may be cut anywhere."""
        self.seconds = time.perf_counter() - self._began
        *lines, self._rest = (self._rest + part).split(b"\n")
        for line in lines:
            if (event := _event(line)) is not None:
                self._take(event)

    def answer(self) -> dict[str, Any] | None:
        """The whole answer in the form of one that came at once; None where nothing was streamed."""
        if (last := _event(self._rest)) is not None:
            self._take(last)
            self._rest = b""
        if not self._events:
            return None
        if failed := next((event for event in self._events if "error" in event), None):
            return failed
        usage = next((event["usage"] for event in reversed(self._events) if event.get("usage")), None)
        return {"choices": [{"text": "".join(self._text), "finish_reason": self._end}], "usage": usage}

    def _take(self, event: dict[str, Any]) -> None:
        self._events.append(event)
        choices = event.get("choices")
        choice = _object(choices[0]) if isinstance(choices, list) and choices else {}
        delta = _object(choice.get("delta"))
        text = choice.get("text") or delta.get("content") or ""
        thought = delta.get("reasoning_content") or delta.get("reasoning") or ""
        if self.first_token_seconds is None and (text or thought):
            self.first_token_seconds = self.seconds
        self._text.append(str(text))
        self._end = choice.get("finish_reason") or self._end


def _object(found: Any) -> JSON:
    return found if isinstance(found, dict) else {}


def _event(line: bytes) -> dict[str, Any] | None:
    """Of a line of a server-sent stream; None for lines between events, for the end, and for what is no object."""
    name, colon, value = line.partition(b":")
    if not colon or name.strip() != b"data":
        return None
    try:
        found = read_json(value)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _error_in(row: Any) -> str:
    """Some endpoints answer 200 and tell the error in the body."""
    error = row.get("error") if isinstance(row, dict) else None
    told = error.get("message") if isinstance(error, dict) else error
    return f", but an error: {storable(told)[:LONGEST_ERROR]}" if isinstance(told, str) and told.strip() else ""


def reply_of(row: dict[str, Any], request: Request, seconds: float, first: float | None = None) -> Reply:
    try:
        choice = row["choices"][0]
        text = str(choice.get("text") or choice.get("message", {}).get("content") or "")
    except (KeyError, IndexError, TypeError, AttributeError):
        return Reply(text="", problem=f"the endpoint's answer has no choices{_error_in(row)}", seconds=seconds)
    text = _unwrapped(storable(text).removeprefix(request.prefix), request)
    usage = row.get("usage")
    known = usage.get("prompt_tokens_details") if isinstance(usage, dict) else None
    prompt = _count(usage, "prompt_tokens")
    truncated = choice.get("finish_reason") == "length"
    return Reply(
        text=text,
        **read_reply(text, request.tools, truncated=truncated),
        prompt_tokens=prompt,
        completion_tokens=_count(usage, "completion_tokens"),
        seconds=seconds,
        first_token_seconds=first,
        truncated=truncated,
        timings={"prompt_n": max(0, prompt - _count(known, "cached_tokens"))} if known else {},
    )


def _count(usage: Any, key: str) -> int:
    found = usage.get(key) if isinstance(usage, dict) else None
    return found if isinstance(found, int) else 0


def choice_schema(choices: Sequence[str]) -> JSON:
    """One of the texts, without blanks around it: endpoints want an object at the top."""
    one = {"type": "string", "enum": [choice.strip() for choice in choices]}
    return {"type": "object", "properties": {ANSWER: one}, "required": [ANSWER], "additionalProperties": False}


def _unwrapped(text: str, request: Request) -> str:
    """What is inside our own wrapping: the array of ``{"calls": […]}``, the text of ``{"answer": "…"}``."""
    key = "calls" if request.tools is not None else ANSWER if request.choices else None
    if key is None or not text.lstrip().startswith("{"):
        return text
    try:
        row = json.loads(text)
        if list(row) != [key]:
            return text
        return row[key] if key == ANSWER and isinstance(row[key], str) else json.dumps(row[key], ensure_ascii=False)
    except (ValueError, RecursionError):
        return text
