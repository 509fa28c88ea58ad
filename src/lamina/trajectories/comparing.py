"""Whether two sets of calls mean the same: what synthesis, parity and every benchmark count as a match."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import permutations
from typing import Any

from lamina.tools.tool import JSON, Tool, Toolbox
from lamina.trajectories.clock import same_moment
from lamina.trajectories.trajectory import ToolCall, json_line

RELATIVE_TOLERANCE = 1e-9
MOST_PERMUTED = 6  # parallel calls to one function; above it the pairing is greedy
_CLOCK_FORMATS = {"date", "date-time", "time"}
_CLOCK_WORDS = re.compile(r"\b(?:dates?|datetime|days?|times?)\b|^when\b")
_AFTER_THE_SUBJECT = re.compile(r"[,;.:(]| (?:of|as|in|without|when|for)\b")
"""Where a description stops saying what the argument is: "What to be reminded of, without the day" is no day."""


@dataclass(frozen=True)
class CallMatch:
    """``exact``: everything below is right. ``functions_right``: the same functions, each as often (in the
    same order where that was asked for). ``arguments_total``: the arguments of the expected calls, defaults
    included, plus those invented in a paired call. ``reasons``: a sentence for each thing that is wrong."""

    exact: bool
    functions_right: bool
    arguments_right: int
    arguments_total: int
    reasons: list[str] = field(default_factory=list)


def compare_calls(
    expected: Sequence[ToolCall],
    actual: Sequence[ToolCall],
    toolbox: Toolbox,
    *,
    now: str | None = None,
    accept: Sequence[Sequence[ToolCall]] = (),
    ordered: bool = False,
) -> CallMatch:
    """Compares by meaning: defaults filled in (also inside objects), numbers by value (a bool or a string is
    no number), strings case-folded, trimmed of spaces and ``.,!?``, lists in order, parallel calls in any
    order unless ``ordered``. Two date or time strings are equal where both mean the same moment at ``now``
    (ISO 8601, the row's clock). Where ``accept`` has other right answers, the one that fits best counts."""
    best = _compare_with(expected, actual, toolbox, now, ordered)
    for alternative in accept:
        if best.exact:
            break
        match = _compare_with(alternative, actual, toolbox, now, ordered)
        if _rank(match) > _rank(best):
            best = match
    return best


def _rank(match: CallMatch) -> tuple[bool, bool, float]:
    share = match.arguments_right / match.arguments_total if match.arguments_total else 1.0
    return match.exact, match.functions_right, share


def _compare_with(
    expected: Sequence[ToolCall], actual: Sequence[ToolCall], toolbox: Toolbox, now: str | None, ordered: bool
) -> CallMatch:
    names, given = [c.name for c in expected], [c.name for c in actual]
    functions_right = names == given if ordered else sorted(names) == sorted(given)
    pairs = _pairs_in_order(names, given) if ordered else _pairs(expected, actual, toolbox, now)
    missing = [c for i, c in enumerate(expected) if i not in {i for i, _ in pairs}]
    unwanted = [c for j, c in enumerate(actual) if j not in {j for _, j in pairs}]
    reasons = [f"no call to {c.name}" for c in missing]
    reasons += [f"the call to {c.name} was not wanted" for c in unwanted]
    right = 0
    total = sum(len(_filled(c, toolbox.get(c.name))) for c in missing)
    for i, j in pairs:
        verdicts = _argument_verdicts(expected[i], actual[j], toolbox.get(expected[i].name), now)
        right += sum(not problem for problem in verdicts.values())
        total += len(verdicts)
        reasons += [problem for problem in verdicts.values() if problem]
    return CallMatch(functions_right and right == total, functions_right, right, total, reasons)


Pairs = list[tuple[int, int]]
"""Which expected call goes with which actual one, as indices."""


def _pairs_in_order(names: list[str], given: list[str]) -> Pairs:
    return [(i, i) for i, (n, g) in enumerate(zip(names, given, strict=False)) if n == g]


def _pairs(expected: Sequence[ToolCall], actual: Sequence[ToolCall], toolbox: Toolbox, now: str | None) -> Pairs:
    """Calls of one function are paired for the most exact pairs, then for the most right arguments."""
    pairs: Pairs = []
    for name in dict.fromkeys(c.name for c in expected):
        wanted = [i for i, c in enumerate(expected) if c.name == name]
        got = [j for j, c in enumerate(actual) if c.name == name]
        if len(wanted) == len(got) == 1:
            pairs.append((wanted[0], got[0]))
            continue
        tool = toolbox.get(name)
        scores = [[_score(_argument_verdicts(expected[i], actual[j], tool, now)) for j in got] for i in wanted]
        pairs += [(wanted[i], got[j]) for i, j in _assignment(scores, len(wanted), len(got))]
    return sorted(pairs)


def _score(verdicts: dict[str, str]) -> tuple[int, int]:
    right = sum(not problem for problem in verdicts.values())
    return int(right == len(verdicts)), right


def _assignment(scores: list[list[tuple[int, int]]], rows: int, columns: int) -> Pairs:
    if max(rows, columns) > MOST_PERMUTED:
        return _greedy(scores, rows, columns)

    def tried() -> Iterator[Pairs]:
        if rows <= columns:
            yield from (list(enumerate(chosen)) for chosen in permutations(range(columns), rows))
        else:
            for chosen in permutations(range(rows), columns):
                yield sorted((i, j) for j, i in enumerate(chosen))

    def worth(pairing: Pairs) -> tuple[int, int]:
        return sum(scores[i][j][0] for i, j in pairing), sum(scores[i][j][1] for i, j in pairing)

    return max(tried(), key=worth)


def _greedy(scores: list[list[tuple[int, int]]], rows: int, columns: int) -> Pairs:
    """Finds an exact pairing where there is one (being equal is transitive), else a good one."""
    candidates = [(i, j) for i in range(rows) for j in range(columns)]
    pairing: Pairs = []
    for i, j in sorted(candidates, key=lambda at: scores[at[0]][at[1]], reverse=True):
        if all(i != k and j != m for k, m in pairing):
            pairing.append((i, j))
    return sorted(pairing)


def _argument_verdicts(expected: ToolCall, actual: ToolCall, tool: Tool | None, now: str | None) -> dict[str, str]:
    """Per argument what is wrong with it, in words; empty text where it is right."""
    wanted, got = _filled(expected, tool), _filled(actual, tool)
    schemas = tool.properties if tool else {}
    root = tool.sound_parameters if tool else {}
    verdicts = {}
    for name in [*wanted, *(n for n in got if n not in wanted)]:
        where = f"{expected.name}: {name}"
        if name not in got:
            verdicts[name] = f"{where} is missing, expected {_shown(wanted[name])}"
        elif name not in wanted:
            verdicts[name] = f"{where} = {_shown(got[name])} was not wanted"
        else:
            at_clock = now if _is_clock_argument(name, schemas.get(name, {}), root) else None
            verdicts[name] = _difference(where, wanted[name], got[name], at_clock)
    return verdicts


def _difference(where: str, wanted: Any, got: Any, now: str | None) -> str:
    """Empty where the values are equal by meaning, else a sentence for the first place that differs."""
    if isinstance(wanted, dict) and isinstance(got, dict):
        for name in [*wanted, *(n for n in got if n not in wanted)]:
            if name not in got:
                return f"{where}.{name} is missing, expected {_shown(wanted[name])}"
            if name not in wanted:
                return f"{where}.{name} = {_shown(got[name])} was not wanted"
            problem = _difference(f"{where}.{name}", wanted[name], got[name], now)
            if problem:
                return problem
        return ""
    if isinstance(wanted, list) and isinstance(got, list):
        if len(wanted) != len(got):
            return f"{where} has {len(got)} items, expected {len(wanted)}: {_shown(wanted)}"
        problems = (_difference(f"{where}[{i}]", w, g, now) for i, (w, g) in enumerate(zip(wanted, got, strict=True)))
        return next((p for p in problems if p), "")
    return "" if _same_scalar(wanted, got, now) else f"{where} is {_shown(got)}, expected {_shown(wanted)}"


def _same_scalar(wanted: Any, got: Any, now: str | None) -> bool:
    if isinstance(wanted, bool) or isinstance(got, bool) or wanted is None or got is None:
        return wanted is got
    if isinstance(wanted, int | float) and isinstance(got, int | float):
        return same_number(wanted, got)
    if isinstance(wanted, str) and isinstance(got, str):
        return plain_text(wanted) == plain_text(got) or (now is not None and same_moment(wanted, got, now))
    return False


def same_number(a: float, b: float) -> bool:
    """By value; whole numbers exactly (identifiers are long), others to a relative 1e-9."""
    if a == b:
        return True
    whole = (isinstance(a, int) or a.is_integer()) and (isinstance(b, int) or b.is_integer())
    try:
        return not whole and math.isclose(a, b, rel_tol=RELATIVE_TOLERANCE)
    except OverflowError:  # one of them is a whole number that no float holds, and they are not equal
        return False


def plain_text(text: str) -> str:
    """Case-folded, single spaces, without ``.,!?`` round it. A mark that begins a word (``.env``) stays."""
    folded = " ".join(unicodedata.normalize("NFC", text).casefold().split())
    trimmed = re.sub(r"^(?:[.,!?]+\s+)+", "", folded).rstrip(".,!? ")
    return trimmed or folded


def _filled(call: ToolCall, tool: Tool | None) -> JSON:
    if tool is None:
        return call.arguments
    return {
        name: _with_inner_defaults(value, tool.properties.get(name, {}), tool.sound_parameters)
        for name, value in tool.with_defaults(call.arguments).items()
    }


def _with_inner_defaults(value: Any, schema: JSON, root: JSON) -> Any:
    """Defaults of objects inside objects and lists, through ``$ref`` and unions with null."""
    if isinstance(value, dict):
        properties = _branch(schema, root, "object").get("properties", {})
        defaults = {n: s["default"] for n, s in properties.items() if "default" in s and n not in value}
        return {n: _with_inner_defaults(v, properties.get(n, {}), root) for n, v in (value | defaults).items()}
    if isinstance(value, list):
        items = _branch(schema, root, "array").get("items", {})
        return [_with_inner_defaults(v, items if isinstance(items, dict) else {}, root) for v in value]
    return value


def _branch(schema: JSON, root: JSON, kind: str) -> JSON:
    """The part of a schema that describes values of ``kind``."""
    seen = 0
    while "$ref" in schema and seen < 20:  # a chain of references that bites its tail ends here
        schema, seen = _referenced(schema["$ref"], root), seen + 1
    for option in [*schema.get("anyOf", []), *schema.get("oneOf", [])]:
        resolved = _referenced(option["$ref"], root) if "$ref" in option else option
        if resolved.get("type") == kind:
            return resolved
    return schema


def _referenced(pointer: str, root: JSON) -> JSON:
    found: Any = root
    for part in pointer.removeprefix("#/").split("/"):
        found = found.get(part, {}) if isinstance(found, dict) else {}
    return found if isinstance(found, dict) else {}


def _is_clock_argument(name: str, schema: JSON, root: JSON) -> bool:
    """By format, by its name, or by what its description begins with."""
    resolved = [schema, _branch(schema, root, "string"), _branch(schema, root, "array").get("items", {})]
    if any(isinstance(s, dict) and s.get("format") in _CLOCK_FORMATS for s in resolved):
        return True
    words = re.sub(r"(?<=[a-z])(?=[A-Z])|_|-", " ", name).lower()
    subject = _AFTER_THE_SUBJECT.split(str(schema.get("description") or "").lower(), maxsplit=1)[0]
    return any(_CLOCK_WORDS.search(said) for said in (words, subject.strip()))


def _shown(value: Any) -> str:
    text = json_line(value).decode()
    return text if len(text) <= 80 else text[:77] + "…"
