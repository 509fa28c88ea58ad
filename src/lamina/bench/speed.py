"""How fast a model answers on this machine: one request at a time, as on a device.

Two passes over the same prompts. The first is as in use: what prompts share stays in the engine's cache. The others,
the rounds, read every prompt from its beginning, so that a prompt's length says what was read."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from statistics import median
from typing import Any

from lamina.bench.machine import Watch
from lamina.bench.timing import MEASURES
from lamina.models.model import Model, Reply, Request
from lamina.tools.tool import JSON

FREE_TOKENS = 32
"""Where the answer is held to one of a few texts (a letter), there is no speed of writing to measure: the timed model
answers freely, to this many tokens (our choice)."""

WARM_UP = 2
"""Requests before a round without a pass in use: the first reads the file into memory."""


def measure_speed(model: Model, requests: Sequence[Request]) -> JSON:
    """Asks one request after the other. Tokens per second and seconds; ``None`` where the backend gives no
    times.

    ``first_token_seconds`` is the median with the shared part of the prompt already in the cache, as in use;
    ``cold_first_token_seconds`` is the very first request. Prompt speed counts only tokens really processed.
    """
    replies = [ask_alone(model, request, cached=True) for request in requests]
    cold, warm = replies[:1], replies[1:] or replies[:1]
    return {
        "samples": len(replies),
        "tokens_per_second": _rate([_generation(reply) for reply in replies]),
        "prompt_tokens_per_second": _rate([_prompt(reply) for reply in replies]),
        "first_token_seconds": _median([reply.first_token_seconds for reply in warm]),
        "cold_first_token_seconds": _median([reply.first_token_seconds for reply in cold]),
        "request_seconds": _median([reply.seconds or None for reply in warm]),
    }


def time_requests(
    model: Model, asked: Sequence[tuple[str, Request]], emit: Callable[..., None], *, in_use: bool, whole: bool
) -> None:
    """One round in a worker: events ``speed`` (``in_use``: the pass with the cache), ``timed`` for each request of
    ``asked`` (key and request; ``whole``: the pass without), and ``machine`` of the last pass. A round that has no pass
    in use warms up with its first requests, which count nowhere."""
    watch = Watch()
    if in_use:
        with watch:
            found = measure_speed(model, [request for _, request in asked])
        emit("speed", **found)
    if whole:
        for _, request in [] if in_use else asked[:WARM_UP]:
            ask_alone(model, request, cached=True)
        watch = Watch()
        with watch:
            for key, request in asked:
                began = time.perf_counter()
                row = timed_row(ask_alone(model, request, cached=False), request)
                emit("timed", key=key, row=row | {"at_seconds": began - watch.started})
    emit("machine", **watch.as_dict())


def ask_alone(model: Model, request: Request, *, cached: bool) -> Reply:
    """One greedy request, streamed where the backend can (``timed``); an answer held to a few texts is asked freely."""
    request = replace(request, seed=0)
    if answers_freely(request):
        request = replace(request, grammar=None, constrained=False, max_tokens=FREE_TOKENS)
    timed: Any = getattr(model, "timed", None)
    return timed(request, cached=cached) if timed is not None else model.generate([request])[0]


def answers_freely(request: Request) -> bool:
    """Whether ``ask_alone`` lifts the constraint: a grammar of the task's own, with no functions to call."""
    return request.grammar is not None and request.tools is None


def timed_row(reply: Reply, request: Request) -> JSON:
    """What one timed request took: tokens, and by our clock and by the engine's timings ``ttft_seconds``, ``itps``
    (prompt tokens read a second), ``otps`` (tokens after the first, a second) and ``total_seconds``. None where there
    is nothing to divide, ``why`` says it."""
    cached = max(0, reply.prompt_tokens - reply.timings.get("prompt_n", reply.prompt_tokens))
    read, written = reply.prompt_tokens - cached, reply.completion_tokens
    first, total = reply.first_token_seconds, reply.seconds
    row: JSON = {
        "prompt_tokens": reply.prompt_tokens,
        "cached_tokens": cached,
        "answer_tokens": written,
        "free": answers_freely(request),
        "truncated": reply.truncated,
        "problem": reply.problem if not reply.text and reply.problem else None,
        "ttft_seconds": first or None,
        "itps": read / first if first and read else None,
        "otps": _after_first(written, total - first) if first else None,
        "total_seconds": total or None,
        "engine": _engine_times(reply),
    }
    if first is None:
        row["why"] = "the backend does not say when the first token came"
    elif row["otps"] is None:
        uncounted = "the backend does not say how many tokens it wrote" if reply.text and not written else None
        row["why"] = uncounted or ("one token was written" if written < 2 else "the answer came at once")
    return row


def untimed_row(problem: str) -> JSON:
    """As ``timed_row``, of a sample that could not be asked."""
    counts = dict.fromkeys(("prompt_tokens", "cached_tokens", "answer_tokens"), 0)
    times = dict.fromkeys((*MEASURES, "engine", "at_seconds"))
    return {**counts, "free": False, "truncated": False, "problem": problem, **times}


def _engine_times(reply: Reply) -> JSON | None:
    """The engine's timings under the same names. It starts to count writing when the first token is there."""
    reading, writing = (reply.timings.get(name, 0.0) / 1000 for name in ("prompt_ms", "predicted_ms"))
    if not reading:
        return None
    read = reply.timings.get("prompt_n", 0)
    return {
        "ttft_seconds": reading,
        "itps": read / reading if read else None,
        "otps": _after_first(reply.timings.get("predicted_n", 0), writing),
        "total_seconds": reading + writing,
    }


def _after_first(tokens: int, seconds: float) -> float | None:
    return (tokens - 1) / seconds if tokens > 1 and seconds > 0 else None


def _prompt(reply: Reply) -> tuple[float, float]:
    """Tokens and seconds of reading the prompt; the engine's own count leaves out what came from the
    cache."""
    if reply.timings.get("prompt_ms"):
        return reply.timings.get("prompt_n", 0), reply.timings["prompt_ms"] / 1000
    return reply.timings.get("prompt_n", reply.prompt_tokens), reply.first_token_seconds or 0.0


def _generation(reply: Reply) -> tuple[float, float]:
    """Tokens after the first and their seconds: the engine's clock of writing starts with the first."""
    if reply.timings.get("predicted_ms"):
        return max(0, reply.timings.get("predicted_n", 0) - 1), reply.timings["predicted_ms"] / 1000
    if reply.first_token_seconds is None:
        return 0, 0.0
    return max(0, reply.completion_tokens - 1), reply.seconds - reply.first_token_seconds


def _rate(parts: Sequence[tuple[float, float]]) -> float | None:
    tokens, seconds = sum(t for t, _ in parts), sum(s for _, s in parts)
    return tokens / seconds if tokens and seconds > 0 else None


def _median(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return median(known) if known else None
