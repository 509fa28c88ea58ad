"""What llama.cpp's server answered, as a ``Reply``: at once, or streamed and timed by our own clock."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any, Literal

from lamina.errors import ModelError
from lamina.models.model import Reply, Request
from lamina.models.parsing import read_reply
from lamina.models.speaking import taken_apart

Held = Literal["calls", "speech"] | None
"""What an answer is held to by our own grammar of calls."""


def timed_reply(client: Any, body: dict[str, Any], request: Request, *, path: Path, held: Held) -> Reply:
    """Sends ``body`` with ``client`` (httpx) and reads the answer as it is written. ``first_token_seconds`` runs from
    the sending to the first event, ``seconds`` to the last. Raises ModelError where the engine stops answering."""
    import httpx

    first: float | None = None
    text: list[str] = []
    answer: dict[str, Any] = {}
    started = time.perf_counter()
    try:
        with client.stream("POST", "/completion", json=body | {"stream": True}) as response:
            if response.status_code != 200:
                answer = json.loads(response.read())
            else:
                for line in response.iter_lines():
                    event = _event(line)
                    if event is None:
                        continue
                    first = time.perf_counter() - started if first is None else first
                    answer = event
                    text.append(event.get("content", ""))
                    if event.get("stop"):
                        break
        seconds = time.perf_counter() - started
    except (httpx.HTTPError, ValueError) as error:
        raise ModelError(f"{path}: the engine stopped answering ({error})") from None
    if "timings" in answer:  # the last event: all but the text, which came before it
        answer["content"] = "".join(text)
    elif "error" not in answer:
        raise ModelError(f"{path}: the engine stopped in the middle of an answer")
    else:
        answer.pop("content", None)
    return reply_of(answer, request, seconds, held=held, first=first)


def _event(line: str) -> dict[str, Any] | None:
    """Of a line of a server-sent stream; None for the lines between events. An error may have a name of its own."""
    name, colon, value = line.partition(":")
    if not colon or name not in ("data", "error") or value.strip() == "[DONE]":
        return None
    found = json.loads(value)
    return found if name == "data" else {"error": found}


def reply_of(
    answer: dict[str, Any], request: Request, seconds: float, *, held: Held, first: float | None = None
) -> Reply:
    """``held``: to what the answer was, an array of calls or words beside one. ``first``: seconds to the first token
    by our clock; left out, the engine's own."""
    if "content" not in answer:
        return Reply(text="", problem=_refusal(answer), seconds=seconds)
    text: str = answer["content"]
    truncated = answer.get("stop_type") == "limit"
    said, unread = "", None
    if held == "speech":
        spoken = taken_apart(text, truncated=truncated)
        said, text, unread = spoken.words, spoken.calls, spoken.problem
    elif held == "calls" and text[:1] != "[":
        # llama.cpp decodes freely, and says so to nobody, when llguidance does not take a grammar
        return Reply(text=text, problem="the engine did not follow the grammar", seconds=seconds)
    timings = answer.get("timings", {})
    return Reply(
        text=text,
        **read_reply(text, request.tools, unread, truncated=truncated),
        said=said,
        prompt_tokens=int(answer.get("tokens_evaluated", 0)),
        completion_tokens=int(answer.get("tokens_predicted", 0)),
        seconds=seconds,
        first_token_seconds=timings.get("prompt_ms", 0.0) / 1000 if first is None else first,
        truncated=truncated,
        timings=timings,
    )


def _refusal(answer: dict[str, Any]) -> str:
    error = answer.get("error", {})
    message = error.get("message", str(answer)[:200]) if isinstance(error, dict) else str(error)
    return f"the engine refused the request: {message}"
