"""Hand-written requests with their right calls: what an agent is tuned against and scored on.

One JSON object a line: ``{"id", "query", "now", "kind", "calls": [{"name", "arguments"}], "accept": [[…]]}``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, cast

from lamina.errors import InputError
from lamina.tools.tool import Example, Toolbox
from lamina.trajectories.comparing import CallMatch, compare_calls
from lamina.trajectories.trajectory import ToolCall

Kind = Literal["single", "parallel", "dependent", "refusal"]
KINDS: tuple[Kind, ...] = ("single", "parallel", "dependent", "refusal")


@dataclass(frozen=True)
class Query:
    """``calls``: for ``dependent`` one a turn, in order (a later one needs the result of an earlier one).
    ``accept``: other right answers. ``now``: ISO 8601, the clock that relative dates refer to. ``line``: its
    place in the file."""

    id: str
    query: str
    now: str | None
    kind: Kind
    calls: list[ToolCall]
    accept: list[list[ToolCall]] = field(default_factory=list)
    line: int = 0

    def match(self, actual: Sequence[ToolCall], toolbox: Toolbox) -> CallMatch:
        """Exact match of issue 2: dependent calls in order, all others in any order."""
        ordered = self.kind == "dependent"
        return compare_calls(self.calls, actual, toolbox, now=self.now, accept=self.accept, ordered=ordered)


def read_queries(path: str | Path, toolbox: Toolbox | None = None) -> list[Query]:
    """All rows of the file. With ``toolbox``, the calls must fit its schemas. Raises InputError with the
    line for the first row that is wrong: a test set with a hole would give wrong figures."""
    path = Path(path)
    try:
        lines = path.read_bytes().removeprefix(b"\xef\xbb\xbf").split(b"\n")
    except OSError as error:
        raise InputError(f"can't be read: {error.strerror}", file=path, mend="check the path") from error
    queries: list[Query] = []
    seen: dict[str, int] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            query = _query(line, number, path, toolbox)
        except _Wrong as error:
            raise InputError(str(error), file=path, line=number, mend=error.mend) from None
        if query.id in seen:
            what = f"id {query.id!r} is also on line {seen[query.id]}"
            raise InputError(what, file=path, line=number, mend="give each row its own id")
        seen[query.id] = number
        queries.append(query)
    if not queries:
        raise InputError("holds no queries", file=path, mend="write one JSON object a line")
    return queries


class _Wrong(Exception):
    def __init__(self, what: str, mend: str):
        super().__init__(what)
        self.mend = mend


def _query(line: bytes, number: int, path: Path, toolbox: Toolbox | None) -> Query:
    import orjson

    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise _Wrong(f"not JSON: {error}", "write one JSON object a line") from None
    if not isinstance(row, dict):
        raise _Wrong(f"a {type(row).__name__}, not an object", "write one JSON object a line")
    text = row.get("query")
    if not isinstance(text, str) or not text.strip():
        raise _Wrong("query is missing or empty", "add what the person typed")
    now = row.get("now")
    if now is not None and not _is_iso(now):
        raise _Wrong(f"now is {now!r}", 'write it like "2026-03-04T10:30:00"')
    calls = _calls(row.get("calls"), "calls", toolbox)
    alternatives = row.get("accept", [])
    if not isinstance(alternatives, list):
        raise _Wrong("accept is not a list", "make it a list of lists of calls")
    accept = [_calls(a, f"accept[{i}]", toolbox) for i, a in enumerate(alternatives)]
    kind = row.get("kind", "refusal" if not calls else "single" if len(calls) == 1 else "parallel")
    _check_kind(kind, calls)
    return Query(str(row.get("id", f"{path.name}:{number}")), text, now, cast(Kind, kind), calls, accept, number)


def _check_kind(kind: Any, calls: list[ToolCall]) -> None:
    if kind not in KINDS:
        raise _Wrong(f"kind is {kind!r}", f"make it one of {', '.join(KINDS)}")
    n = len(calls)
    fits = {"refusal": n == 0, "single": n == 1, "parallel": n >= 2, "dependent": n >= 2}
    if not fits[kind]:
        raise _Wrong(f"kind is {kind} but there {'is 1 call' if n == 1 else f'are {n} calls'}", "mend either")


def _calls(rows: Any, where: str, toolbox: Toolbox | None) -> list[ToolCall]:
    if not isinstance(rows, list):
        raise _Wrong(f"{where} is not a list", 'make it [{"name": …, "arguments": {…}}], or [] for no call')
    calls = []
    for i, row in enumerate(rows):
        name, arguments = (row.get("name"), row.get("arguments", {})) if isinstance(row, dict) else (None, None)
        if not isinstance(name, str) or not isinstance(arguments, dict):
            raise _Wrong(f"{where}[{i}] is no call", 'write {"name": "…", "arguments": {…}}')
        if toolbox is not None:
            _check_call(name, arguments, f"{where}[{i}]", toolbox)
        calls.append(ToolCall.of(name, arguments))
    return calls


def _check_call(name: str, arguments: dict[str, Any], where: str, toolbox: Toolbox) -> None:
    if name not in toolbox:
        raise _Wrong(f"{where}: there is no tool {name!r}", f"use one of {', '.join(toolbox.names)}")
    problems = toolbox[name].problems(arguments)
    if problems:
        raise _Wrong(f"{where}: {problems[0]}", f"make the arguments fit the schema of {name}")


def _is_iso(text: Any) -> bool:
    try:
        datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return False
    return True


def with_examples(toolbox: Toolbox, queries: Sequence[Query]) -> Toolbox:
    """The toolbox with requests of one call added to the examples of their tools, each with its clock."""
    added: dict[str, list[Example]] = {}
    for query in queries:
        if query.kind == "single":
            call = query.calls[0]
            added.setdefault(call.name, []).append(Example(query.query, call.arguments, query.now))
    tools = [replace(tool, examples=(*tool.examples, *added.get(tool.name, []))) for tool in toolbox]
    return Toolbox(tools, toolbox.remarks, toolbox.files)


def kinds(queries: Sequence[Query]) -> dict[str, int]:
    """How many there are of each kind, kinds without any left out."""
    found = Counter(q.kind for q in queries)
    return {kind: found[kind] for kind in KINDS if found[kind]}
