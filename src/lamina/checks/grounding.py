"""Grounding: does the request say what the call says, no less and no more?

Two deterministic questions, asked before any model judges (our choice, in the spirit of xLAM's argument
hallucination check, arXiv 2409.03215 section 4):

1. *Recoverable*: every argument value can be traced to the request (numbers in digits or words, enum values
   by their own words, by common names of units and currencies, or by synonyms the tool's description gives).
   Values equal to a declared default need not be said.
2. *Nothing left over*: numbers, weekdays, months and other day words of the request all belong to some
   argument. A request that says more than the call means another call.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from lamina.checks.reasons import Reason
from lamina.checks.rule import Candidate, Rejection
from lamina.tools import Tool, Toolbox
from lamina.trajectories import ToolCall
from lamina.trajectories.number_words import ONES, TENS

_NUMBER = re.compile(r"(?<![\w.])[-+]?\d[\d,]*(?:\.\d+)?|(?<=[$€£¥])\d[\d,]*(?:\.\d+)?")

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

_DAY_WORDS = re.compile(
    r"\b(monday|tuesday|wednesday|thursday|friday|saturday|sunday|today|tomorrow|tonight|yesterday|noon|midnight|"
    r"january|february|march|april|june|july|august|september|october|november|december|weekend|"
    r"morning|evening|afternoon|next week|christmas|halloween|\d+ ?(?:am|pm))\b"
)

_ADDRESS = re.compile(r"\b[\w.+-]+@[\w-]+\.[\w.]+\b|\bhttps?://\S+|\bwww\.\S+")


def missing_values(request: str, calls: Sequence[ToolCall], toolbox: Toolbox) -> list[str]:
    """Paths of argument values that cannot be traced to the request, with the value, as sentences."""
    said = _Said(request)
    found: list[str] = []
    for call in calls:
        tool = toolbox.get(call.name)
        if tool is None:
            continue
        for path, value, schema in leaves_of(tool, call.arguments):
            if "default" in schema and value == schema["default"]:
                continue
            if not said.has(value, schema):
                found.append(f"{call.name}.{path}={value!r} is not said in the request")
    return found


def left_over(request: str, calls: Sequence[ToolCall], toolbox: Toolbox) -> list[str]:
    """Numbers and day words of the request that no argument accounts for."""
    values = [
        (value, schema)
        for call in calls
        if (tool := toolbox.get(call.name))
        for _, value, schema in leaves_of(tool, call.arguments)
    ]
    texts = " | ".join(_plain(str(v)) for v, _ in values)
    numbers = {float(v) for v, _ in values if isinstance(v, int | float) and not isinstance(v, bool)}
    numbers |= set(numbers_in(texts))
    found = [
        f"the request says {n:g}, the calls don't" for n in numbers_in(_plain(request)) if n not in numbers and n != 1
    ]
    for word in [*_DAY_WORDS.findall(_plain(request)), *_ADDRESS.findall(_plain(request))]:
        if word not in texts:
            found.append(f"the request says {word!r}, the calls don't")
    return found + _other_choices(request, calls, toolbox)


def _other_choices(request: str, calls: Sequence[ToolCall], toolbox: Toolbox) -> list[str]:
    """Enum values that the request names and the call, having that very argument, does not choose
    ("add tea to the to-do list" with the list left at shopping). What the call does say is taken out of the
    request first, so that "canadian dollars" does not also count as dollars."""
    found: list[str] = []
    for call in calls:
        tool = toolbox.get(call.name)
        if tool is None:
            continue
        leaves = leaves_of(tool, tool.with_defaults(call.arguments))
        said = [_plain(str(v)) for _, v, s in leaves if "enum" not in s]
        chosen = {_plain(str(v)): s.get("description", "") for _, v, s in leaves if "enum" in s}
        said += [name for value, text in chosen.items() for name in names_of(value, text) if len(name) > 2]
        rest = _plain(request)
        for phrase in sorted(said, key=len, reverse=True):
            rest = re.sub(rf"(?<!\w){re.escape(phrase)}(?!\w)", " ", rest)
        left = _Said(rest)
        for name, schema in tool.properties.items():
            for value in schema.get("enum", []):
                if _plain(str(value)) not in chosen and left.says_word(_plain(str(value))):
                    found.append(f"the request says {value!r}, {call.name}.{name} does not")
    return found


class _Said:
    """A request prepared for look-ups."""

    def __init__(self, request: str):
        self.text = _plain(request)
        self.numbers = set(numbers_in(self.text))
        self.words = set(re.findall(r"[^\W_]+|[$€£¥₹°'\"]", self.text))

    def has(self, value: Any, schema: dict[str, Any]) -> bool:
        if value is None or isinstance(value, bool):
            return True
        if isinstance(value, int | float):
            return float(value) in self.numbers
        text = _plain(str(value))
        if text in self.text or text.replace("_", " ") in self.text:
            return True
        if "enum" in schema or "const" in schema:
            return any(self._phrase(s) for s in names_of(text, schema.get("description", "")))
        return False

    def says_word(self, value: str) -> bool:
        forms = (value, value.rstrip("s"), *SYNONYMS.get(value, ())[:2])
        return any(self._phrase(f) for f in forms if len(f) > 2)

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


def leaves_of(tool: Tool, arguments: dict[str, Any]) -> list[tuple[str, Any, dict[str, Any]]]:
    found: list[tuple[str, Any, dict[str, Any]]] = []

    def walk(path: str, value: Any, schema: dict[str, Any]) -> None:
        branches = [b for k in ("anyOf", "oneOf") for b in schema.get(k, []) if b.get("type") != "null"]
        if branches:
            kept: dict[str, Any] = {k: schema[k] for k in ("description", "default") if k in schema}
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


def _plain(text: str) -> str:
    text = text.casefold().replace("’", "'").replace("–", "-")
    return " ".join(text.split())


def numbers_in(text: str) -> list[float]:
    """Numbers in digits (``1,500``, ``84.20``, ``10km``) and in words up to ninety-nine (``twenty five``)."""
    found = [float(m.group().replace(",", "")) for m in _NUMBER.finditer(text) if m.group().strip("+-,")]
    found += [float(m) for m in re.findall(r"(?<![\w.])(\d+(?:\.\d+)?)(?=[a-z°%])", text)]
    words = re.findall(r"[a-z]+", text)
    i = 0
    while i < len(words):
        if words[i] in TENS:
            tens = TENS[words[i]]
            ones = ONES.index(words[i + 1]) if i + 1 < len(words) and words[i + 1] in ONES[1:10] else 0
            i += 1 if ones else 0
            found.append(float(tens + ones))
        elif words[i] in ONES:
            found.append(float(ONES.index(words[i])))
        elif words[i] in ("couple", "pair"):
            found.append(2.0)
        elif words[i] == "dozen":
            found.append(12.0)
        elif words[i] == "half" and "half" in text:
            found.append(0.5)
        i += 1
    return found


STAGE = "grounding"


def check_grounding(candidate: Candidate, toolbox: Toolbox) -> Rejection | None:
    """Applies both questions to the first turn's calls; later turns use values that only results know. A
    refusal has no values to trace."""
    calls = candidate.turns[0] if candidate.turns else []
    if not calls:
        return None
    later = [c for turn in candidate.turns[1:] for c in turn]
    if missing := missing_values(candidate.request, calls, toolbox):
        return Rejection(STAGE, Reason.VALUE_NOT_IN_REQUEST, missing[0])
    if extra := left_over(candidate.request, [*calls, *later], toolbox):
        return Rejection(STAGE, Reason.REQUEST_SAYS_MORE, extra[0])
    return None
