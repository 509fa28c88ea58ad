"""What a model answered: the one JSON object that was asked for, and how much of a text is kept."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

LONGEST_KEPT = 2000
"""Characters that are kept of what a model wrote for one row: enough to see what went wrong (our choice)."""


def kept(text: str, most: int = LONGEST_KEPT) -> str:
    """The text, or its beginning with a mark that says how long it was."""
    return text if len(text) <= most else f"{text[:most]}… [cut: {len(text):,} characters were written]"


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
