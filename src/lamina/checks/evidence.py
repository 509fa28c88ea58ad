"""Evidence: which words of a request each argument value of a call comes from.

Deterministic, so that a person can follow it: numbers in digits or words, text as it stands there, enum values by their
own words, by common names of units and currencies, or by synonyms that the argument's description gives. Values equal
to a declared default need not be said (our choice, in the spirit of xLAM's argument hallucination check, arXiv
2409.03215 section 4)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from lamina.checks.moments import phrase_for
from lamina.tools import Tool, Toolbox
from lamina.tools.tool import JSON
from lamina.trajectories import Evidence, ToolCall
from lamina.trajectories.number_words import ONES, TENS

_NUMBER = re.compile(r"(?<![\w.])[-+]?\d[\d,]*(?:\.\d+)?|(?<=[$€£¥])\d[\d,]*(?:\.\d+)?")

SCALES = {"hundred": 1e2, "thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12}
_SCALED = re.compile(r"\s*(" + "|".join(SCALES) + r")s?\b")
_COUNTS = {"couple": 2.0, "pair": 2.0, "dozen": 12.0, "half": 0.5}

# What people call units and currencies; keys are what enum values are usually written like.
SYNONYMS: dict[str, tuple[str, ...]] = {
    "usd": ("dollar", "dollars", "buck", "bucks", "$", "usd", "us dollars"), "eur": ("euro", "euros", "€"),
    "gbp": ("pound", "pounds", "quid", "£", "sterling"), "jpy": ("yen", "¥"),
    "chf": ("franc", "francs", "swiss francs", "swiss franc"), "cad": ("canadian", "canadian dollars"),
    "aud": ("australian", "aussie", "australian dollars"), "inr": ("rupee", "rupees", "₹"),
    "cny": ("yuan", "renminbi", "rmb"), "krw": ("won",), "mxn": ("peso", "pesos"), "sek": ("krona", "kronor"),
    "kilometer": ("km", "kms", "kilometre", "kilometres", "kilometers", "k"),
    "meter": ("m", "metre", "metres", "meters"),
    "centimeter": ("cm", "centimetre", "centimetres", "centimeters"), "mile": ("mi", "miles"),
    "yard": ("yd", "yards"), "foot": ("ft", "foot", "feet", "'"), "feet": ("ft", "foot", "'"),
    "inch": ("in", "inches", '"'), "inche": ("in", "inch", "inches", '"'),
    "kilogram": ("kg", "kgs", "kilo", "kilos", "kilograms"), "gram": ("g", "grams"),
    "pound": ("lb", "lbs", "pounds"), "ounce": ("oz", "ounces"),
    "liter": ("l", "litre", "litres", "liters"), "milliliter": ("ml", "millilitre", "millilitres", "milliliters"),
    "gallon": ("gal", "gallons"), "cup": ("cups",), "celsius": ("c", "centigrade", "°c"),
    "fahrenheit": ("f", "°f"), "todo": ("to do", "to-do"), "email": ("e-mail", "mail", "email address"),
    "phone": ("number", "phone number", "telephone", "call"),
}  # fmt: skip


def evidence_of(request: str, calls: Sequence[ToolCall], toolbox: Toolbox, now: str | None = None) -> list[Evidence]:
    """One for each of ``values_of``; ``now`` is the record's clock (ISO 8601), at which relative dates are read."""
    said = Said(request, now)
    return [said.trace(argument, value, schema) for argument, value, schema in values_of(calls, toolbox)]


def values_of(calls: Sequence[ToolCall], toolbox: Toolbox) -> list[tuple[str, Any, JSON]]:
    """Path, value and schema of each leaf of the arguments of the calls whose function is known, in their order."""
    return [
        (f"{call.name}.{path}", value, schema)
        for call in calls
        if (tool := toolbox.get(call.name))
        for path, value, schema in leaves_of(tool, call.arguments)
    ]


class Said:
    """A request prepared for look-ups, with the clock at which it was said."""

    def __init__(self, request: str, now: str | None = None):
        self.text, self.now = plain(request), now
        self.numbers = {value: words for value, words in reversed(readings_in(self.text))}
        self.words = set(re.findall(r"[^\W_]+|[$€£¥₹°'\"]", self.text))

    def trace(self, argument: str, value: Any, schema: JSON) -> Evidence:
        """``argument``: the path that the evidence is about."""
        if "default" in schema and value == schema["default"]:
            return Evidence(argument=argument, verdict="default")
        if value is None or isinstance(value, bool):
            return Evidence(argument=argument, verdict="untraceable")
        if isinstance(value, int | float):
            by, words = "number", self._number(value)
        else:
            by, words = self._text(str(value), schema)
        if words is None:
            return Evidence(argument=argument, verdict="missing")
        return Evidence(argument=argument, verdict="said", words=words, by=by)

    def says_word(self, value: str) -> bool:
        forms = (value, value.rstrip("s"), *SYNONYMS.get(value, ())[:2])
        return any(self._phrase(f) for f in forms if len(f) > 2)

    def _number(self, value: float) -> str | None:
        return self.numbers.get(float(value))

    def _text(self, value: str, schema: JSON) -> tuple[str, str | None]:
        """By which rule, and the words."""
        text = plain(value)
        for form in (text, text.replace("_", " ")):
            if form in self.text:
                return "text", form
        named = names_of(text, schema.get("description", "")) if "enum" in schema or "const" in schema else []
        name = next((name for name in named if self._phrase(name)), None)
        return ("name", name) if name is not None else ("date", phrase_for(value, self.text, self.now))

    def _phrase(self, phrase: str) -> bool:
        if " " in phrase or "-" in phrase:
            return phrase in self.text
        return phrase in self.words or any(re.fullmatch(rf"[\d.,]+{re.escape(phrase)}", w) for w in self.text.split())


def names_of(value: str, description: str) -> list[str]:
    """What people may call an enum value: itself, singular and plural, common names, and the words that the
    argument's description puts before it (``dollars or bucks are USD``)."""
    names = [
        value,
        value.rstrip("s"),
        f"{value}s",
        *SYNONYMS.get(value, ()),
        *SYNONYMS.get(value.rstrip("s"), ()),
    ]
    for clause in re.split(r"[,;:.]", description.lower()):
        words = re.findall(r"[^\W\d_]+", clause)
        if value in words:
            names += [w for w in words if w not in (value, "or", "are", "is", "and", "the", "as", "means")]
    return names


def leaves_of(tool: Tool, arguments: JSON) -> list[tuple[str, Any, JSON]]:
    found: list[tuple[str, Any, JSON]] = []

    def walk(path: str, value: Any, schema: JSON) -> None:
        branches = [b for k in ("anyOf", "oneOf") for b in schema.get(k, []) if b.get("type") != "null"]
        if branches:
            kept: JSON = {k: schema[k] for k in ("description", "default") if k in schema}
            schema = {**branches[0], **kept}
        if isinstance(value, dict):
            for key, sub in value.items():
                walk(f"{path}.{key}" if path else key, sub, schema.get("properties", {}).get(key, {}))
        elif isinstance(value, list):
            for i, sub in enumerate(value):
                item = schema.get("items", {})
                walk(f"{path}[{i}]", sub, item if isinstance(item, dict) else {})
        else:
            found.append((path, value, schema))

    walk("", arguments, tool.parameters)
    return found


def plain(text: str) -> str:
    """Case, typographic marks and white space folded."""
    text = text.casefold().replace("’", "'").replace("–", "-")
    return " ".join(text.split())


def numbers_in(text: str) -> list[float]:
    """The values of ``readings_in``."""
    return [value for value, _ in readings_in(text)]


def readings_in(text: str) -> list[tuple[float, str]]:
    """Numbers in digits (``1,500``, ``84.20``, ``10km``, ``2.5 million``) and in words (``twenty five``, ``three
    hundred``), each with the words that say it. ``text`` is ``plain``."""
    found = [_in_digits(m, text) for m in _NUMBER.finditer(text) if m.group().strip("+-,")]
    found += [(float(m), m) for m in re.findall(r"(?<![\w.])(\d+(?:\.\d+)?)(?=[a-z°%])", text)]
    words = re.findall(r"[a-z]+", text)
    i = 0
    while i < len(words):
        value, read = _in_words(words, i)
        while value is not None and i + read < len(words) and (scale := SCALES.get(words[i + read])):
            value, read = value * scale, read + 1
        if value is not None:
            found.append((value, " ".join(words[i : i + read])))
        i += read
    return found


def _in_digits(found: re.Match[str], text: str) -> tuple[float, str]:
    value, said = float(found.group().replace(",", "")), found.group()
    if scaled := _SCALED.match(text, found.end()):
        return value * SCALES[scaled[1]], said + scaled.group()
    return value, said


def _in_words(words: list[str], i: int) -> tuple[float | None, int]:
    """The number that begins at a word, and how many words it takes."""
    word = words[i]
    if word in TENS:
        ones = ONES.index(words[i + 1]) if i + 1 < len(words) and words[i + 1] in ONES[1:10] else 0
        return float(TENS[word] + ones), 2 if ones else 1
    if word in ONES:
        return float(ONES.index(word)), 1
    if word in ("a", "an", "one") and i + 1 < len(words) and words[i + 1] in SCALES:
        return SCALES[words[i + 1]], 2
    return _COUNTS.get(word), 1
