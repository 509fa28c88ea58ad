"""FunctionGemma's objects, ``{city:<escape>Paris<escape>,days:3}``: names stand bare, texts between two marks that hold
whatever is in them, all else as in JSON."""

from __future__ import annotations

import json
import re
from typing import Any

from lamina.models.json_spans import DEEPEST, load_value

OPENED = "<start_function_call>"
_TOKEN = re.compile(
    r"\s*(?:(?P<bracket>[{}\[\]])|(?P<mark>[,:])|<escape>(?P<text>.*?)<escape>|(?P<word>[^\s,:{}\[\]<]{1,400}))", re.S
)
_TEXTS = re.compile(r"<escape>.*?<escape>", re.S)
_KEY_FOLLOWS = re.compile(r"\s*:")
_WORDS = {"None": "null", "True": "true", "False": "false"}
"""As a chat template writes what it does not know."""


def escaped_object(text: str, start: int) -> tuple[dict[str, Any], int] | None:
    """The object that opens at ``start``, and where it ends; None where it breaks off or is none."""
    pieces: list[str] = []
    position, depth = start, 0
    while (token := _TOKEN.match(text, position)) is not None:
        position = token.end()
        written = token[token.lastgroup or 0]
        if token.lastgroup == "text" or (token.lastgroup == "word" and _KEY_FOLLOWS.match(text, position)):
            pieces.append(json.dumps(written))
        else:
            pieces.append(_WORDS.get(written, written))
        if token.lastgroup == "bracket":
            depth += 1 if written in "[{" else -1
            if depth == 0 or depth > DEEPEST:
                break
    value = load_value(" ".join(pieces)) if depth == 0 else None
    return (value, position) if isinstance(value, dict) else None


def escaped_spans(text: str) -> list[tuple[int, int]]:
    """Where the texts of FunctionGemma's calls stand, their marks included."""
    opened = text.find(OPENED)
    return [found.span() for found in _TEXTS.finditer(text, opened)] if opened >= 0 else []
