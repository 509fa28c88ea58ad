"""How values are said: from a value to the words a person would use, and back from a request to the places
where its values stand."""

from __future__ import annotations

import math
import random
import re
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from lamina.checks.evidence import leaves_of
from lamina.checks.names_said import SYNONYMS, names_of
from lamina.synth.truth_values import flags_of
from lamina.tools import Tool
from lamina.trajectories.number_readings import to_float
from lamina.trajectories.number_words import ONES

_NUMBER_WORDS = (*ONES, "twenty")
# names that are signs, single letters or half of a name: fine to read, odd to write
_UNSPOKEN = {"canadian", "australian", "aussie", "k", "m", "l", "g", "c", "f", "in", "mi", "call", "°c", "°f"}


@dataclass(frozen=True)
class Slot:
    """One value of a call as said: ``path`` is ``total`` or ``contact.name``; a list is one slot."""

    path: str
    form: str


@dataclass(frozen=True)
class Exemplar:
    """A request whose values are located. ``frame`` is the request with ``{path}`` in their place."""

    tool: str
    request: str
    arguments: dict[str, Any]
    slots: tuple[Slot, ...]
    frame: str
    source: str = ""

    @property
    def paths(self) -> frozenset[str]:
        return frozenset(s.path for s in self.slots)

    def filled(self, slots: list[Slot]) -> str:
        """The frame with other values in it."""
        text = self.frame
        for slot in slots:
            text = text.replace("{" + slot.path + "}", slot.form)
        return text


def slots_to_say(tool: Tool, arguments: dict[str, Any], rng: random.Random) -> list[Slot]:
    """Where no example says it: the ``spoken_slots`` of a call, and its truth values as yes and no."""
    flags = flags_of(tool, arguments).items()
    return spoken_slots(tool, arguments, rng) + [Slot(path, "yes" if value else "no") for path, value in flags]


def spoken_slots(tool: Tool, arguments: dict[str, Any], rng: random.Random) -> list[Slot]:
    """The slots of a call with a way of saying each; arguments at their default are not said."""
    slots: dict[str, list[str]] = {}
    for path, value, schema in leaves_of(tool, arguments):
        if value is None or isinstance(value, bool) or ("default" in schema and value == schema["default"]):
            continue
        slots.setdefault(_slot_path(path), []).append(_spoken(value, schema, rng))
    return [Slot(path, _joined(forms, rng)) for path, forms in slots.items()]


def locate(tool: Tool, request: str, arguments: dict[str, Any], source: str = "") -> Exemplar | None:
    """The exemplar of a request and its call; None where a value cannot be found in the request."""
    spans: dict[str, tuple[int, int]] = {}
    taken: list[tuple[int, int]] = []
    leaves = [
        (path, value, schema)
        for path, value, schema in leaves_of(tool, arguments)
        if value is not None and not isinstance(value, bool)
    ]
    # long values first: "pounds" must not be found inside "500 pounds of flour"
    for path, value, schema in sorted(leaves, key=lambda leaf: -len(str(leaf[1]))):
        span = _find(request, _forms(value, schema), taken)
        if span is None:
            if "default" in schema and value == schema["default"]:
                continue
            return None
        taken.append(span)
        slot = _slot_path(path)
        start, end = spans.get(slot, span)
        spans[slot] = (min(start, span[0]), max(end, span[1]))
    ordered = sorted(spans.items(), key=lambda item: item[1])
    if any(a[1][1] > b[1][0] for a, b in pairwise(ordered)):
        return None
    frame = request
    for path, (start, end) in reversed(ordered):
        frame = frame[:start] + "{" + path + "}" + frame[end:]
    slots = tuple(Slot(path, request[a:b]) for path, (a, b) in spans.items())
    order = {p: i for i, p in enumerate(dict.fromkeys(_slot_path(p) for p, _, _ in leaves))}
    return Exemplar(tool.name, request, arguments, tuple(sorted(slots, key=lambda s: order[s.path])), frame, source)


def _slot_path(path: str) -> str:
    return re.sub(r"\[\d+\].*", "", path)


def _joined(forms: list[str], rng: random.Random) -> str:
    if len(forms) < 2:
        return forms[0]
    last = rng.choice((" and ", " and ", " and ", ", ", " & ", " plus "))
    return ", ".join(forms[:-1]) + last + forms[-1]


def _spoken(value: Any, schema: dict[str, Any], rng: random.Random) -> str:
    if isinstance(value, int | float):
        if 0 <= value <= 12 and value == int(value) and rng.random() < 0.3:
            return _NUMBER_WORDS[int(value)]
        return rng.choice(_digits(value))
    if "enum" in schema:
        return rng.choice(_spoken_names(str(value), schema.get("description", "")))
    return str(value)


def _spoken_names(value: str, description: str) -> list[str]:
    """Names fit to be written: the value itself (twice as likely) and its common names, plurals only where they
    are names of their own ("kilometers", not "kms" for a made-up "s")."""
    plain = value.casefold()
    known = [*SYNONYMS.get(plain, ()), *SYNONYMS.get(plain.rstrip("s"), ())]
    clauses = [c for c in re.split(r"[,;:.]", description.lower()) if plain in re.findall(r"[^\W\d_]+", c)]
    told = [w for c in clauses for w in re.findall(r"[^\W\d_]+", c) if w in known]
    names = [n for n in known if n not in _UNSPOKEN and n[0].isalnum() and not _is_singular(n, known)]
    itself = value.replace("_", " ")
    return [itself, itself, *names, *told] if len(value) > 3 else [itself, *(names or [itself]), *told]


def _is_singular(name: str, names: list[str]) -> bool:
    return f"{name}s" in names or name in ("foot", "inch")


def _digits(value: int | float) -> list[str]:
    if not math.isfinite(to_float(value)):
        return [str(value)]
    if value != int(value):
        return [
            f"{value:g}" if abs(value) < 1e6 else str(value),
            *([f"{value:.2f}"] if round(value, 2) == value else []),
        ]
    whole = int(value)
    return [str(whole), *([f"{whole:,}"] if whole >= 1000 else [])]


def _forms(value: Any, schema: dict[str, Any]) -> list[str]:
    if isinstance(value, int | float):
        if not math.isfinite(to_float(value)):
            return _digits(value)
        words = [_NUMBER_WORDS[int(value)]] if value == int(value) and 0 <= value <= 20 else []
        return [*_digits(value), f"{value:.2f}", *words]
    text = str(value)
    if "enum" in schema:
        return [text, *names_of(text.casefold(), schema.get("description", ""))]
    return [text]


def _find(request: str, forms: list[str], taken: list[tuple[int, int]]) -> tuple[int, int] | None:
    plain = request.casefold()
    for form in sorted(dict.fromkeys(forms), key=len, reverse=True):
        edge_left = r"(?<![\w.])" if form[:1].isalnum() else ""
        edge_right = r"(?!\w|\.\d)" if form[-1:].isalnum() else ""
        if form[:1].isalpha():
            edge_left = r"(?<![^\W\d_])"  # "10km": a unit may follow its number directly
        for match in re.finditer(f"{edge_left}{re.escape(form.casefold())}{edge_right}", plain):
            if all(match.end() <= a or match.start() >= b for a, b in taken):
                return match.span()
    return None
