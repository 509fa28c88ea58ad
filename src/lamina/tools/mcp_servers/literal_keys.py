"""Keys that a config of MCP servers holds as they are, found by where they stand: what is named like a key, what comes
after an option that is, and the parts of a URL that hold one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from urllib.parse import parse_qsl, unquote, urlsplit

NAMED_SO = re.compile(
    r"key(?!word|board)|token(?!iz)|secret|passw|passphrase|pwd|auth(?!or(?!i))|cookie|credential|(?:^|[-_.])pat$",
    re.IGNORECASE,
)
URL = re.compile(r"[a-z][a-z0-9+.-]*://[^\s'\"]+", re.IGNORECASE)
LONG = 20
"""Characters from which on a part of a URL without a name that says so is taken for a key: they stand in paths, too
(``/s/KEY/mcp``), and to blot out what is none costs little."""


def keys_named(values: Iterable[tuple[str, str]]) -> list[str]:
    """Of names with their values the values of those named like a key, whole, and the last word (``Bearer KEY``)."""
    held = [value.strip() for name, value in values if NAMED_SO.search(name) and value.strip()]
    return [key for value in held for key in dict.fromkeys((value, value.split()[-1]))]


def keys_of_arguments(words: Sequence[str]) -> list[str]:
    """``--api-key KEY``, ``--api-key=KEY``, ``-e API_KEY=KEY`` and ``--header "Authorization: Bearer KEY"``."""
    pairs: list[tuple[str, str]] = []
    for word, following in zip(words, [*words[1:], ""], strict=True):
        name, _, value = re.sub(r"^([\w.-]+):\s", r"\1=", word).partition("=")
        if value:
            pairs.append((name, value))
        elif word.startswith("-") and not following.startswith("-"):
            pairs.append((word, following))
    return keys_named(pairs)


def keys_of_url(text: str) -> list[str]:
    """Of every URL in ``text`` the user and password, what in its query is named like a key, and long words of query
    and path; each as it is written and as it is meant."""
    found: list[str] = []
    for url in URL.findall(text):
        try:
            parts = urlsplit(url)
            user, password = parts.username or "", parts.password or ""
        except ValueError:  # no URL after all
            continue
        found += [password] if password else [user]
        found += keys_named(query := parse_qsl(parts.query))
        found += [value for _, value in query if len(value) >= LONG]
        found += [part for part in parts.path.split("/") if len(part) >= LONG and re.search(r"\d", part)]
    return [form for key in found if key for form in dict.fromkeys((key, unquote(key)))]
