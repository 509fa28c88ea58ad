"""Secrets are read from the environment at the moment of a call, and taken out of all that comes back."""

from __future__ import annotations

import base64
import json
import os
import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote, quote_plus

SHORTEST = 4
SCRUBBED = "[secret]"
PLAIN = re.compile(r"\w{1,11}")
"""What is as likely a word as a key (``APP_ENV=prod``, and "product" is a word of its own)."""
ANY_CASE = 12
"""Characters from which on a key is known in capitals, too: servers that compare keys without case say them back so."""
COMMON = re.compile(r"true|false|none|null|enabled|disabled|[-+]?(?=(?:\D*\d){0,5}\D*$)\d*\.?\d+", re.IGNORECASE)
"""What stands where a key could (``USE_AUTH=true``, ``TOKEN_TTL=3600``) and is none: words of every answer, and numbers
of fewer than six digits."""


class Secrets:
    """``scrub`` replaces every secret, and the forms in which a server may say it back: JSON text,
    percent-encoded, base64. What is shorter than four characters or ``COMMON`` is no secret: it would blot out half
    of every answer. ``whole_words``: a short value of letters and digits alone counts only where it stands by itself,
    for it may be no key at all."""

    def __init__(self, values: Iterable[str] = (), *, whole_words: bool = False):
        forms: set[str] = set()
        for value in values:
            if not _is_secret(value):
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
            if colon and _is_secret(password):
                forms |= {password, json.dumps(password)[1:-1], quote(password, safe="")}
        self._forms = sorted(forms, key=len, reverse=True)
        self._words = {form: _whole(form) for form in self._forms if whole_words and PLAIN.fullmatch(form)}
        self.longest = max((len(f.encode()) for f in self._forms), default=0)

    def scrub(self, text: str) -> str:
        for form in self._forms:
            word = self._words.get(form)
            text = word.sub(SCRUBBED, text) if word else text.replace(form, SCRUBBED)
            if len(form) >= ANY_CASE and form.lower() in text.lower():
                text = re.sub(re.escape(form), SCRUBBED, text, flags=re.IGNORECASE)
        return text

    def scrubbed(self, value: Any) -> Any:
        """``value``, JSON data, with every secret in its strings, names and numbers replaced; a number that holds one
        is a string then. As text it might be JSON no more. Raises RecursionError for what is nested too deep."""
        if not self._forms:
            return value
        if isinstance(value, str):
            return self.scrub(value)
        if isinstance(value, dict):
            return {self.scrub(name): self.scrubbed(part) for name, part in value.items()}
        if isinstance(value, list):
            return [self.scrubbed(part) for part in value]
        if isinstance(value, int | float) and not isinstance(value, bool) and self.scrub(said := repr(value)) != said:
            return SCRUBBED
        return value


def _whole(form: str) -> re.Pattern[str]:
    """Also after an escape, whose last letter is no part of a word: ``\\n``, ``%20``."""
    return re.compile(rf"(?:(?<!\w)|(?<=\\[abfnrtv])|(?<=%[0-9A-Fa-f]{{2}})){re.escape(form)}(?!\w)")


def _is_secret(value: str) -> bool:
    return len(value) >= SHORTEST and not COMMON.fullmatch(value)


def from_environment(variable: str) -> str | None:
    """None where it is not set or empty. Line breaks at its ends (``$(cat key)``) are no part of it."""
    return os.environ.get(variable, "").strip() or None
