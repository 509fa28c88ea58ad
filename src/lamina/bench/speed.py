"""How fast a model answers on this machine: one request at a time, as on a device."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from statistics import median

from lamina.models.model import Model, Reply, Request
from lamina.tools.tool import JSON


def measure_speed(model: Model, requests: Sequence[Request]) -> JSON:
    """Asks one request after the other. Tokens per second and seconds; ``None`` where the backend gives no
    times.

    ``first_token_seconds`` is the median with the shared part of the prompt already in the cache, as in use;
    ``cold_first_token_seconds`` is the very first request. Prompt speed counts only tokens really processed.
    """
    replies = [model.generate([replace(request, seed=0)])[0] for request in requests]
    cold, warm = replies[:1], replies[1:] or replies[:1]
    return {
        "samples": len(replies),
        "tokens_per_second": _rate([_generation(reply) for reply in replies]),
        "prompt_tokens_per_second": _rate([_prompt(reply) for reply in replies]),
        "first_token_seconds": _median([reply.first_token_seconds for reply in warm]),
        "cold_first_token_seconds": _median([reply.first_token_seconds for reply in cold]),
        "request_seconds": _median([reply.seconds or None for reply in warm]),
    }


def _prompt(reply: Reply) -> tuple[float, float]:
    """Tokens and seconds of reading the prompt; the engine's own count leaves out what came from the
    cache."""
    if reply.timings.get("prompt_ms"):
        return reply.timings.get("prompt_n", 0), reply.timings["prompt_ms"] / 1000
    return reply.prompt_tokens, reply.first_token_seconds or 0.0


def _generation(reply: Reply) -> tuple[float, float]:
    if reply.timings.get("predicted_ms"):
        return reply.timings.get("predicted_n", 0), reply.timings["predicted_ms"] / 1000
    if reply.first_token_seconds is None:
        return 0, 0.0
    return max(0, reply.completion_tokens - 1), reply.seconds - reply.first_token_seconds


def _rate(parts: Sequence[tuple[float, float]]) -> float | None:
    tokens, seconds = sum(t for t, _ in parts), sum(s for _, s in parts)
    return tokens / seconds if tokens and seconds > 0 else None


def _median(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return median(known) if known else None
