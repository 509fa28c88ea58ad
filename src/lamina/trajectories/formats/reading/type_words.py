"""Type words as data sets write them (``str, optional``, ``List[int]``, ``Required. string.``), as JSON Schema."""

from __future__ import annotations

import re
from typing import Any

JSON = dict[str, Any]
TYPES = {
    "str": "string", "text": "string", "char": "string", "date": "string", "datetime": "string", "uuid": "string",
    "int": "integer", "long": "integer", "float": "number", "double": "number", "decimal": "number", "num": "number",
    "bool": "boolean", "dict": "object", "map": "object", "hashmap": "object", "object": "object", "json": "object",
    "list": "array", "tuple": "array", "set": "array", "arraylist": "array", "sequence": "array", "array": "array",
    "string": "string", "integer": "integer", "number": "number", "boolean": "boolean", "null": "null",
    "none": "null", "enum": "string", "time": "string",
}  # fmt: skip
ANY = {"any", "object or array", "unknown", ""}
_SUBSCRIPT = re.compile(r"(\w+)\s*[\[<(](.*)[\])>]\s*\Z", re.S)


def type_of(kind: Any) -> tuple[JSON, bool]:
    """A type word as JSON Schema, and whether it says "optional". ``List[int]``, ``Union[str, int]``,
    ``str, optional``, ``tuple``, ``Optional[float]``, ``int or None`` are what data sets write."""
    if isinstance(kind, list):
        words = [type_of(k)[0].get("type") for k in kind]
        names = [w for w in words if isinstance(w, str)]
        return ({"type": names} if len(names) > 1 else {"type": names[0]} if names else {}), False
    if not isinstance(kind, str):
        return {}, False
    word, optional = kind.strip(), False
    for tail in (", optional", ",optional", " optional", "(optional)", "?"):
        if word.lower().endswith(tail):
            word, optional = word[: -len(tail)].strip(" ,"), True
    if word.lower().startswith("optional["):
        word, optional = word[9:-1], True
    lower = word.lower().removeprefix("typing.")
    if lower in TYPES:
        return {"type": TYPES[lower]}, optional
    if found := _SUBSCRIPT.match(lower):
        return _subscript(found[1], found[2]), optional
    if " or " in lower or "|" in lower:
        return type_of([part.strip() for part in re.split(r"\s+or\s+|\|", lower)])[0], optional
    return ({} if lower in ANY else {"x-type": kind}), optional


def _subscript(outer: str, inner: str) -> JSON:
    if outer == "union":
        return type_of([p.strip() for p in inner.split(",")])[0] if "[" not in inner else {}
    base = TYPES.get(outer, "")
    if base == "array":
        items = type_of(inner.split(",")[0].strip())[0] if "[" not in inner.split(",")[0] else type_of(inner)[0]
        return {"type": "array", **({"items": items} if items and "..." not in items else {})}
    return {"type": base} if base else {"x-type": f"{outer}[{inner}]"}


_WORDS = re.compile(r"\s*(required|optional)\s*\.\s*", re.I)
_CHOICES = re.compile(r"\s*One of:?\s*\[([^\]]*)\]\.?\s*", re.I)


def property_in_words(text: str) -> tuple[JSON, bool]:
    """ToolAlpaca: ``Required. string. One of: [a, b]. The colour.``"""
    found: JSON = {}
    mark = _WORDS.match(text)
    needed = bool(mark and mark[1].lower() == "required")
    rest = text[mark.end() :] if mark else text
    word, dot, tail = rest.partition(".")
    schema, optional = type_of(word)
    if schema and "x-type" not in schema and (dot or not tail):
        found, rest = dict(schema), tail.strip()
        if choices := _CHOICES.match(rest):
            found["enum"] = [c.strip().strip("'\"") for c in choices[1].split(",")]
            if found.get("type") != "string":
                found.pop("enum")
            else:
                rest = rest[choices.end() :]
    if rest.strip():
        found["description"] = rest.strip()
    return found, needed and not optional
