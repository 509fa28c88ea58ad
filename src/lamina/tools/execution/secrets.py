"""Secrets are read from the environment at the moment of a call, and taken out of all that comes back."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

SHORTEST = 4
SCRUBBED = "[secret]"


class Secrets:
    """``scrub`` replaces every secret, and the forms in which a server may say it back: JSON text,
    percent-encoded, base64. What is shorter than four characters is no secret: it would blot out half of
    every answer."""

    def __init__(self, values: Iterable[str] = ()):
        forms: set[str] = set()
        for value in values:
            if len(value) < SHORTEST:
                continue
            encoded = base64.b64encode(value.encode()).decode()
            forms |= {
                value,
                json.dumps(value)[1:-1],
                json.dumps(value, ensure_ascii=False)[1:-1],
                quote(value, safe=""),
            }
            forms |= {quote(value), quote_plus(value), encoded, encoded.rstrip("=")}
            forms |= {quote(encoded, safe="")}
            _, colon, password = value.partition(":")
            if colon and len(password) >= SHORTEST:
                forms |= {password, json.dumps(password)[1:-1], quote(password, safe="")}
        self._forms = sorted(forms, key=len, reverse=True)
        self.longest = max((len(f.encode()) for f in self._forms), default=0)

    def scrub(self, text: str) -> str:
        for form in self._forms:
            text = text.replace(form, SCRUBBED)
        return text


def from_environment(variable: str) -> str | None:
    """None where it is not set or empty. Line breaks at its ends (``$(cat key)``) are no part of it."""
    return os.environ.get(variable, "").strip() or None
