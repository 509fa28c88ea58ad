"""Truth values of calls, for which no words of their own stand in a request: "the largest first" sets ``descending``,
and of most functions nobody ever says ``verbose``. Left to chance they would be set in rows whose request knows nothing
of it. So one that may be left out is drawn only where an example of the tool sets it, a sentence of an example keeps
those of its call, and a required one has to show in the words (all our choice; no rule without a model can tell a
flipped one in rows of others, docs/results/verifier.md)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lamina.checks import Reason, Rejection
from lamina.checks.asking import stems_of
from lamina.checks.evidence import leaves_of
from lamina.synth.schemas import DEEPEST, plain_schema
from lamina.tools import Tool
from lamina.tools.tool import JSON

STAGE = "grounding"
_DENIED = re.compile(r"\b(?:not|no|never|without|off|cannot|dont|skip)\b|n['’]t\b", re.IGNORECASE)

_OF_NAMES = re.compile(
    r"a|all|as|be|by|do|enabled?|has|have|in|include|is|of|only|should|the|to|use|with",
)
"""Words of an argument's name that say nothing about what it is (``is_urgent``, ``include_weekends``)."""


def flags_of(tool: Tool, arguments: JSON) -> dict[str, bool]:
    """The truth values of a call by their paths, but for those at their default."""
    return {path: value for path, value, _ in _flags(tool, arguments)}


def _flags(tool: Tool, arguments: JSON) -> Iterator[tuple[str, bool, JSON]]:
    for path, value, schema in leaves_of(tool, arguments):
        if isinstance(value, bool) and not ("default" in schema and value == schema["default"]):
            yield path, value, schema


def shown_flags(tool: Tool) -> set[str]:
    """Paths (``options.all``, ``items[].done``) of those that may be left out and that an example of the tool sets."""
    shown = {place_of(path) for example in tool.examples for path in flags_of(tool, example.arguments)}
    return shown & set(_optional(tool.parameters, tool.parameters, "", 0)) if shown else shown


def place_of(path: str) -> str:
    return re.sub(r"\[\d+\]", "[]", path)


def _optional(schema: JSON, root: JSON, prefix: str, depth: int) -> Iterator[str]:
    named = schema.get("properties")
    for name, raw in named.items() if isinstance(named, dict) and depth <= DEEPEST else ():
        sub, path = plain_schema(raw, root), f"{prefix}{name}"
        if sub.get("type") == "array":
            sub, path = plain_schema(sub.get("items"), root), f"{path}[]"
        if sub.get("type") == "boolean" and name not in schema.get("required", []):
            yield path
        yield from _optional(sub, root, f"{path}.", depth + 1)


def check_flags(request: str, tool: Tool, arguments: JSON, like: str | None = None) -> Rejection | None:
    """Whether the words fit the truth values of a call. ``like``: a request with the same ones, of an example: then the
    argument is to be spoken of as it is there. Without it true has to be said, by the argument's name or a word of its
    description, and of false the name must not be said, or denied."""
    for path, value, schema in _flags(tool, arguments):
        name, told = path.rpartition(".")[2], str(schema.get("description", ""))
        if like is not None:
            if _told(request, name, told) == _told(like, name, told):
                continue
            detail = f"{tool.name}.{path}={value} is not said as in the example {like[:80]!r}"
        else:
            named, about, denied = _told(request, name, told)
            if (about and not denied) if value else (not named or denied):
                continue
            detail = f"{tool.name}.{path}={value} is not what the request says"
        return Rejection(STAGE, Reason.VALUE_NOT_IN_REQUEST, detail)
    return None


def _told(request: str, name: str, description: str) -> tuple[bool, bool, bool]:
    """Whether the request has a word of the name, one of name or description, and one that denies something."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])|[_\[\]\d]+", " ", name).casefold().split()
    words = [word for word in words if not _OF_NAMES.fullmatch(word)] or words
    said, stems = set(re.findall(r"[^\W\d_]+", request.casefold())), stems_of(request)
    named = bool(said & set(words) or stems & stems_of(" ".join(words)))
    return named, named or bool(stems & stems_of(description)), _DENIED.search(request) is not None
