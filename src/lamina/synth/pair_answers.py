"""What a writer of pairs answered, taken apart. Where the pairs stand is found tolerantly: in an array, in JSON lines,
amid other words, with an object around them. Each pair is held to strict JSON and to the form that was asked for, as
APIGen's format check has it; one that is not is a pair with a problem. What others wrote is read loosely by import."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, NoReturn

from lamina.models.json_spans import end_of_value, finite, storable_value
from lamina.models.parsing import LONGEST
from lamina.synth.writers import one_line
from lamina.trajectories import ToolCall

_PAIR = re.compile(r"""\{\s*["']query["']""")
"""How a pair begins: where reading goes on after one that breaks off."""
_AROUND = re.compile(r"""\{\s*["']\w+["']\s*:\s*\[\s*\{\s*["']query["']""")
"""How an object around pairs begins: it may break off, or hold a pair that is no JSON, and the others are read."""
_CALL = {"name", "arguments"}


@dataclass(frozen=True)
class Pair:
    """A request with the calls that answer it, ``[]`` for none; or the ``problem`` with what was written."""

    raw: str
    request: str = ""
    calls: tuple[ToolCall, ...] = ()
    problem: str = ""


class _Unfit(ValueError):
    """Why this is no pair, one sentence."""


def pairs_in(text: str, most: int) -> list[Pair]:
    """At most ``most`` pairs in the order in which they were written, those with a problem among them. A writer that
    goes on after that is not read: it was asked for no more."""
    whole, text = text, text[:LONGEST]
    found: list[Pair] = []
    at, inside = text.find("{"), 0
    while at >= 0 and len(found) < most:
        end = _end(text, at)
        value, problem = _strict(text[at:end])
        if _holds_pairs(value) or (value is None and _AROUND.match(text, at)):
            inside, end = end, at + 1
        elif value is None or "query" in value or at >= inside:  # beside pairs in an object around them: not meant
            found.append(_pair(value, problem, text[at:end]))
        at = text.find("{", end)
    if not found and text.strip(" \r\n\t[]"):
        return [Pair(whole, problem="there is no JSON object in it")]
    return found


def _end(text: str, at: int) -> int:
    """Where the object that opens at ``at`` ends, or the next pair begins if it never does."""
    end = end_of_value(text, at)
    if end < 0:
        end = end_of_value(text, at, quotes="\"'")
    if end < 0:
        following = _PAIR.search(text, at + 1)
        end = following.start() if following else len(text)
    return end


def _strict(text: str) -> tuple[dict[str, Any] | None, str]:
    """The object that ``text`` is, or why it is none. Its depth is bounded before it is read."""
    if end_of_value(text, 0) != len(text):
        return None, "the pair breaks off or is no JSON"
    try:
        read = json.loads(text, object_pairs_hook=_distinct, parse_constant=_no_constant, parse_float=finite)
        value: dict[str, Any] = storable_value(read)
    except json.JSONDecodeError as error:
        return None, f"the pair is no strict JSON ({error.msg} at its character {error.pos + 1})"
    except (ValueError, RecursionError) as error:
        return None, f"the pair is no strict JSON ({error})"
    return value, ""


def _distinct(items: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(items)
    if len(value) < len(items):
        keys = [key for key, _ in items]
        raise ValueError(f"the key {next(k for k in keys if keys.count(k) > 1)!r} stands in it twice")
    return value


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _holds_pairs(value: dict[str, Any] | None) -> bool:
    if value is None or "query" in value:
        return False
    lists = [inner for inner in value.values() if isinstance(inner, list)]
    return any(isinstance(one, dict) and "query" in one for inner in lists for one in inner)


def _pair(value: dict[str, Any] | None, problem: str, raw: str) -> Pair:
    if value is None:
        return Pair(raw, problem=problem)
    try:
        request, answers = value.get("query"), value.get("answers")
        if not isinstance(request, str) or "answers" not in value:
            lacking = "answers" if isinstance(request, str) else "query"
            raise _Unfit(f"the pair has no {lacking!r} (it has {', '.join(list(value)[:6])})")
        if not isinstance(answers, list):
            raise _Unfit(f"'answers' is no list of calls but {json.dumps(answers, ensure_ascii=False)[:80]}")
        return Pair(raw, one_line(request), tuple(_call(answer) for answer in answers))
    except _Unfit as unfit:
        return Pair(raw, problem=str(unfit))


def _call(answer: Any) -> ToolCall:
    """Raises _Unfit where it is not an object of a name and arguments, and of nothing else."""
    said = json.dumps(answer, ensure_ascii=False)[:80]
    if not isinstance(answer, dict):
        raise _Unfit(f"a call is no object with 'name' and 'arguments': {said}")
    if lacking := sorted(_CALL - set(answer), reverse=True):
        raise _Unfit(f"a call has no {lacking[0]!r}: {said}")
    if beside := [key for key in answer if key not in _CALL]:
        raise _Unfit(f"a call has {beside[0]!r} beside 'name' and 'arguments': {said}")
    if not isinstance(answer["name"], str):
        raise _Unfit(f"the name of a call is no text: {said}")
    if not isinstance(answer["arguments"], dict):
        raise _Unfit(f"the arguments of a call are no object: {said}")
    return ToolCall.of(answer["name"], answer["arguments"])
