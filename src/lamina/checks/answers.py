"""What a model answered where one JSON object was asked for."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any


def answer_in(text: str, keys: Sequence[str]) -> dict[str, Any] | None:
    """The object, where it has all ``keys``; None for half of one, one nested beyond reading, and one that says a key
    twice: whoever says both yes and no has said nothing."""
    try:
        answer = json.loads(text, object_pairs_hook=_distinct)
    except (ValueError, RecursionError):
        return None
    return answer if isinstance(answer, dict) and answer.keys() >= set(keys) else None


def _distinct(items: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(items)
    if len(value) < len(items):
        raise ValueError("a key stands in it twice")
    return value
