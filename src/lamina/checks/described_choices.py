"""Choices that only an argument's description lists: ``[Enum]: ["START", "STOP"]``, ``Options are: economy, business,
first``, ``(Buy/Sell)``. Many sets write them there and have no ``enum`` in the schema; the mild grounding takes them
for one (our choice). Examples ("e.g. Paris, Rome") are no list of all there is."""

from __future__ import annotations

import re
from functools import lru_cache

_KINDS = r"options?|choices|values?|types?|modes?"
_MARKED = re.compile(
    rf"(?:\[enum\]|\benum\b|\b(?:one|either|any) of|\beither|\b(?:options?|choices|values?) (?:are|include)\b|"
    rf"\b(?:allowed|supported|accepted|possible|valid|available)(?: (?:{_KINDS}))?(?: are| is| include)?"
    r"(?= ?[:=\[('\"])|"
    rf"\b(?:options?|choices)(?= ?[:=\[('\"])|\b(?:can|must|should)(?: only)? be(?= ['\"(\[]))"
    r"(?: the following)?[ :=]*[\[(]?(?P<list>[^.;\])\n]+)",
    re.IGNORECASE,
)
_SLASHED = re.compile(r"[(\[](\w[\w -]*(?:/\w[\w -]*)+)[)\]]")
_QUOTED = re.compile(r"'([^']{1,40})'|\"([^\"]{1,40})\"|`([^`]{1,40})`")
_BETWEEN = re.compile(r"\s*(?:,\s*(?:or|and)\b|,|/|\||\bor\b|\band\b)\s*")
_EXAMPLE = re.compile(r"e\.? ?g\b|such as|for example|for instance|\blike\b|\betc\b")
_MOST_WORDS = 3
_FEWEST = 2


@lru_cache(maxsize=4096)
def choices_in(description: str) -> tuple[str, ...]:
    """Of the first list in it, as they stand there; none where it has none."""
    for found in _MARKED.finditer(description):
        if choices := _choices(found["list"]):
            return choices
    for found in _SLASHED.finditer(description):
        if choices := _choices(found[1]):
            return choices
    return ()


def _choices(listed: str) -> tuple[str, ...]:
    if _EXAMPLE.search(listed.casefold()):
        return ()
    quoted = ["".join(groups) for groups in _QUOTED.findall(listed)]
    found = quoted if len(quoted) >= _FEWEST else [part.strip(" '\"`") for part in _BETWEEN.split(listed)]
    found = [part for part in found if part]
    short = all(len(part.split()) <= _MOST_WORDS for part in found)
    return tuple(found) if len(found) >= _FEWEST and short else ()
