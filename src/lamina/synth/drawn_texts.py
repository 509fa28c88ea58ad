"""Texts of the form that a schema asks for: its ``pattern``, its ``format``, its lengths. Whether one really fits is
asked of the schema afterwards, as of all that is drawn."""

from __future__ import annotations

import importlib
import random
import re
import uuid
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from lamina.synth.everyday import of_kind, single_words
from lamina.synth.schemas import count_in
from lamina.tools.tool import JSON

LONGEST = 2_000
"""Characters. A schema that wants more gets nothing that fits."""
MORE = 4
"""Repetitions beyond the fewest, of a part that may stand any number of times (our choice)."""
TRIES = 8
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_OF_CATEGORY = {
    "CATEGORY_DIGIT": "0123456789",
    "CATEGORY_WORD": _LETTERS,
    "CATEGORY_SPACE": " ",
    "CATEGORY_NOT_DIGIT": _LETTERS,
    "CATEGORY_NOT_WORD": "-",
    "CATEGORY_NOT_SPACE": _LETTERS,
}
_ANY = _LETTERS + _LETTERS.upper() + "0123456789-_.:/ "


def of_form(schema: JSON, rng: random.Random) -> str | None:
    """A text of the schema's pattern or format; None where it has none, or one that is not known here."""
    if pattern := schema.get("pattern"):
        return of_pattern(str(pattern), rng, count_in(schema, "minLength", 0))
    made = _FORMATS.get(str(schema.get("format", "")))
    return made(rng) if made else None


def of_length(schema: JSON, drawn: Callable[[], str]) -> str:
    """What ``drawn`` gives, so long as the schema wants it: drawn again, else strung together or cut."""
    least, most = count_in(schema, "minLength", 0), count_in(schema, "maxLength", LONGEST)
    text = drawn()
    for _ in range(TRIES):
        if least <= len(text) <= most:
            return text
        text = drawn()
    while len(text) < least <= LONGEST:
        text = f"{text} and {drawn()}"
    return text if len(text) <= most else text[:most].strip().ljust(min(least, LONGEST), "s")


def _host(rng: random.Random) -> str:
    return f"{rng.choice(single_words())}.example.{rng.choice(('com', 'org', 'net'))}"


def _day(rng: random.Random) -> str:
    return f"{rng.choice((2026, 2027))}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}"


def _clock(rng: random.Random) -> str:
    return f"{rng.randint(7, 21):02}:{rng.choice(('00', '15', '30', '45'))}:00"


_FORMATS: dict[str, Callable[[random.Random], str]] = {
    "date": _day,
    "time": _clock,
    "date-time": lambda rng: f"{_day(rng)}T{_clock(rng)}",
    "duration": lambda rng: rng.choice(("PT15M", "PT30M", "PT45M", "PT1H", "PT2H", "P1D", "P3D", "P2W")),
    "email": lambda rng: of_kind("email", rng),
    "uuid": lambda rng: str(uuid.UUID(int=rng.getrandbits(128), version=4)),
    "hostname": _host,
    "uri": lambda rng: f"https://{_host(rng)}/{rng.choice(single_words())}",
    "ipv4": lambda rng: f"{rng.choice(('192.0.2', '198.51.100', '203.0.113'))}.{rng.randint(1, 254)}",
    "ipv6": lambda rng: f"2001:db8::{rng.randint(1, 0xFFFF):x}",
    "json-pointer": lambda rng: f"/{rng.choice(single_words())}",
}
_FORMATS |= {"idn-email": _FORMATS["email"], "idn-hostname": _FORMATS["hostname"]}
_FORMATS |= {name: _FORMATS["uri"] for name in ("url", "iri", "uri-reference", "iri-reference")}


class _Unmade(Exception):
    """No text can be made of this pattern here."""


def of_pattern(pattern: str, rng: random.Random, least: int = 0) -> str | None:
    """A text that a regular expression describes, ``least`` characters long if it may be; None where the expression has
    something that Python's do not have, or is too long. What looks ahead or behind is not heeded."""
    parsed = _parsed(pattern)
    try:
        return None if parsed is None else _Maker(rng, max(MORE, least)).sequence(parsed)
    except _Unmade:
        return None


def is_of_pattern(pattern: str, text: str) -> bool:
    """Whether ``pattern`` is found in ``text``, as JSON Schema wants it; also where it is no expression of Python's:
    it is asked of the schema afterwards."""
    try:
        return re.search(pattern, text) is not None
    except (re.error, OverflowError, RecursionError):
        return True


@lru_cache(maxsize=512)
def _parsed(pattern: str) -> Any:
    """Python's own reading of an expression, which it gives to nobody by a public name."""
    try:
        return importlib.import_module("re._parser").parse(pattern)
    except (re.error, OverflowError, RecursionError):
        return None


class _Maker:
    def __init__(self, rng: random.Random, more: int):
        self._rng, self._more, self._groups, self._left = rng, more, dict[int, str](), LONGEST

    def sequence(self, parts: Sequence[Any]) -> str:
        return "".join(self._part(str(kind), what) for kind, what in parts)

    def _part(self, kind: str, what: Any) -> str:
        self._left -= 1
        if self._left < 0:
            raise _Unmade
        match kind:
            case "LITERAL":
                return chr(what)
            case "NOT_LITERAL":
                return self._rng.choice([c for c in _ANY if c != chr(what)])
            case "IN":
                return self._one_of(what)
            case "ANY":
                return self._rng.choice(_LETTERS)
            case "BRANCH":
                return self.sequence(self._rng.choice(what[1]))
            case "SUBPATTERN":
                made = self.sequence(what[3])
                self._groups[what[0]] = made
                return made
            case "ATOMIC_GROUP":
                return self.sequence(what)
            case "GROUPREF":
                return self._groups.get(what, "")
            case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
                least, most, parts = what
                times = self._rng.randint(least, min(int(most), least + self._more)) if least <= LONGEST else least
                return "".join(self.sequence(parts) for _ in range(times))
            case "AT" | "ASSERT" | "ASSERT_NOT":
                return ""
        raise _Unmade

    def _one_of(self, choices: Sequence[Any]) -> str:
        if str(choices[0][0]) == "NEGATE":
            left = [c for c in _ANY if not any(_in(c, str(kind), what) for kind, what in choices[1:])]
            if not left:
                raise _Unmade
            return self._rng.choice(left)
        kind, what = self._rng.choice(choices)
        match str(kind):
            case "RANGE":
                return chr(self._rng.randint(*what))
            case "CATEGORY":
                return self._rng.choice(_OF_CATEGORY[str(what)])
        return chr(what)


def _in(character: str, kind: str, what: Any) -> bool:
    if kind == "RANGE":
        return bool(what[0] <= ord(character) <= what[1])
    if kind == "CATEGORY":
        negated, plain = "NOT_" in str(what), str(what).replace("NOT_", "")
        within = {"CATEGORY_DIGIT": character.isdigit(), "CATEGORY_SPACE": character.isspace()}
        return within.get(plain, character.isalnum() or character == "_") != negated
    return character == chr(what)
