"""Does each tool run? Calls with example and drawn arguments, in the sandbox, with the checks of synthesis.

APIGen, section 4: "APIs that cannot be executed are dropped". What was found is said here, and dropped by whoever takes
it (``lamina synth --offers``)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Any

from lamina.tools.environment import withheld_mend
from lamina.tools.execution.error_results import error_in
from lamina.tools.tool import JSON, Tool

if TYPE_CHECKING:
    from lamina.tools.execution import Executor

TRIES = 5
"""Drawn arguments with which a tool may fail before it is said not to run (our choice)."""


@dataclass(frozen=True)
class Probe:
    """``status`` is that of the first call, ``ok`` where any came back, ``error-result`` for a success that carries an
    error, ``unmet`` where a key or a server is missing, ``no-example`` where no arguments could be made up from the
    schema, ``changes-things`` where it was not called for safety, ``not-bound`` where there is nothing to call.
    ``tries``: how many calls were made."""

    tool: str
    status: str
    arguments: JSON | None
    detail: str
    tries: int = 0

    @property
    def runs(self) -> bool:
        return self.status == "ok"

    @property
    def told(self) -> str:
        """What came back, or why nothing did."""
        many = not self.runs and self.tries > 1
        if not self.runs and (mend := withheld_mend(self.detail)):
            return f"{self.detail}; {mend}"
        return f"{self.detail} (it did not run with {self.tries} drawn arguments)" if many else self.detail


def probe(tool: Tool, executor: Executor, *, allow_changes: bool = False) -> Probe:
    """Calls ``tool`` until one call comes back, ``TRIES`` times at most, once after it timed out; not at all one that
    may change things elsewhere, and once if ``allow_changes``."""
    if tool.target is None:
        return Probe(tool.name, "not-bound", None, "it is only described: there is nothing to run")
    if tool.target.changes_things and not allow_changes:
        return Probe(tool.name, "changes-things", None, "it may change things elsewhere: --allow-changes calls it")
    first: Probe | None = None
    most = 1 if tool.target.changes_things else TRIES
    for number, arguments in enumerate(islice(drawn_arguments(tool), most), 1):
        found = _called(tool, arguments, executor)
        if found.runs:
            return replace(found, tries=number)
        first = replace(first or found, tries=number)
        if found.status in ("unmet", "timed_out"):
            break
    return first or Probe(tool.name, "no-example", None, "no arguments that fit its schema: give it an example")


def _called(tool: Tool, arguments: JSON, executor: Executor) -> Probe:
    from lamina.errors import UserError

    try:
        (result,) = executor.run_sequence([(tool.name, arguments)])
    except UserError as error:
        return Probe(tool.name, "unmet", arguments, str(error))
    if not result.ok:
        return Probe(tool.name, str(result.status), arguments, result.error or "")
    if why := error_in(tool, result):
        return Probe(tool.name, "error-result", arguments, f"{why}: {result.text[:200]}")
    return Probe(tool.name, "ok", arguments, result.text[:200])


def example_arguments(tool: Tool) -> JSON | None:
    """The first that are drawn; None where none fit the schema."""
    return next(drawn_arguments(tool), None)


def drawn_arguments(tool: Tool) -> Iterator[JSON]:
    """Those of docstring examples, then made of the schema: examples, defaults, choices, and plain values of a type;
    first of what is required alone, then of all, then with other choices. Distinct, and all fit the schema."""
    definitions = {**tool.parameters.get("$defs", {}), **tool.parameters.get("definitions", {})}

    def made(names: Iterable[str], pick: int) -> JSON:
        return {name: _value(tool.properties[name], definitions, 0, pick) for name in names}

    required = [name for name in tool.properties if name in tool.required]
    drawn = [dict(example.arguments) for example in tool.examples]
    drawn += [made(required, 0), made(tool.properties, 0), *(made(required, pick) for pick in (1, 2))]
    for number, arguments in enumerate(drawn):
        if arguments not in drawn[:number] and not tool.problems(arguments):
            yield arguments


PLAIN: JSON = {"string": "text", "integer": 1, "number": 1.0, "boolean": True, "null": None}
FORMATS = {
    "date": "2026-11-23",
    "time": "09:00",
    "date-time": "2026-11-23T09:00:00",
    "email": "ana@example.org",
    "uri": "https://example.org",
    "uuid": "00000000-0000-4000-8000-000000000001",
}
DEEPEST = 6
MOST_CHARACTERS = 1_000
MOST_ITEMS = 64
"""Of a made-up text and list, a quarter as many on each level below: a foreign schema that wants more, and it may want
gigabytes, gets arguments that do not fit it and are never sent."""


def _value(schema: Any, definitions: JSON, depth: int, pick: int) -> Any:
    """``pick``: which of several choices, and which of the plain values."""
    if not isinstance(schema, dict) or depth > DEEPEST:
        return "text"
    if isinstance(schema.get("$ref"), str):
        return _value(definitions.get(schema["$ref"].rpartition("/")[2]), definitions, depth + 1, pick)
    for key in ("const", "default"):
        if key in schema:
            return schema[key]
    for key in ("examples", "enum", "anyOf", "oneOf", "allOf"):
        if schema.get(key):
            chosen = schema[key][pick % len(schema[key])]
            return _value(chosen, definitions, depth + 1, pick) if key in ("anyOf", "oneOf", "allOf") else chosen
    kind = schema.get("type", "object" if "properties" in schema else "string")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "object":
        needed = schema.get("required", [])
        inner = schema.get("properties", {})
        return {name: _value(inner.get(name), definitions, depth + 1, pick) for name in needed}
    if kind == "array":
        count = min(max(1, schema.get("minItems", 1)), max(1, MOST_ITEMS >> 2 * depth))
        return [_value(schema.get("items"), definitions, depth + 1, pick)] * count
    if kind == "string":
        word = "text" + str(pick or "")
        return FORMATS.get(schema.get("format", ""), word).ljust(min(schema.get("minLength", 0), MOST_CHARACTERS), "x")
    if kind in ("integer", "number"):
        return _number(schema, kind, pick)
    return PLAIN.get(kind, "text")


def _number(schema: JSON, kind: str, pick: int) -> Any:
    low = schema.get("minimum", schema.get("exclusiveMinimum", -1) + 1 if "exclusiveMinimum" in schema else 1)
    step = schema.get("multipleOf")
    value = low + pick if step is None else step * (max(1, -(-low // step)) + pick)
    value = min(value, schema["maximum"]) if "maximum" in schema else value
    return int(value) if kind == "integer" else float(value)
