"""Does each tool run? One call with example arguments, in the sandbox, with the checks of synthesis.

APIGen, section 4: "APIs that cannot be executed are dropped". Nothing is dropped here; what was found is said."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lamina.tools.execution.error_results import carried_error
from lamina.tools.tool import JSON, Tool

if TYPE_CHECKING:
    from lamina.tools.execution import Executor


@dataclass(frozen=True)
class Probe:
    """``status`` is that of the call, ``error-result`` for a success that carries an error, ``unmet`` where a key
    or a server is missing, ``no-example`` where no arguments could be made up from the schema, ``changes-things``
    where it was not called for safety, ``not-bound`` where there is nothing to call."""

    tool: str
    status: str
    arguments: JSON | None
    detail: str

    @property
    def runs(self) -> bool:
        return self.status == "ok"


def probe(tool: Tool, executor: Executor, *, allow_changes: bool = False) -> Probe:
    """Calls ``tool`` once; not one that may change things elsewhere, unless ``allow_changes``."""
    from lamina.errors import UserError

    if tool.target is None:
        return Probe(tool.name, "not-bound", None, "it is only described: there is nothing to run")
    if tool.target.changes_things and not allow_changes:
        return Probe(tool.name, "changes-things", None, "it may change things elsewhere: --allow-changes calls it")
    arguments = example_arguments(tool)
    if arguments is None:
        return Probe(tool.name, "no-example", None, "no arguments that fit its schema: give it an example")
    try:
        (result,) = executor.run_sequence([(tool.name, arguments)])
    except UserError as error:
        return Probe(tool.name, "unmet", arguments, str(error))
    if not result.ok:
        return Probe(tool.name, str(result.status), arguments, result.error or "")
    if why := carried_error(tool, result.value):
        return Probe(tool.name, "error-result", arguments, f"{why}: {result.text[:200]}")
    return Probe(tool.name, "ok", arguments, result.text[:200])


def example_arguments(tool: Tool) -> JSON | None:
    """Of the first docstring example that fits, else made of the schema: examples, defaults, first
    choices, and the plainest value of a type. None where they do not fit the schema."""
    for example in tool.examples:
        if not tool.problems(example.arguments):
            return dict(example.arguments)
    definitions = {**tool.parameters.get("$defs", {}), **tool.parameters.get("definitions", {})}
    found = {name: _value(schema, definitions, 0) for name, schema in tool.properties.items() if name in tool.required}
    return None if tool.problems(found) else found


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


def _value(schema: Any, definitions: JSON, depth: int) -> Any:
    if not isinstance(schema, dict) or depth > DEEPEST:
        return "text"
    if isinstance(schema.get("$ref"), str):
        return _value(definitions.get(schema["$ref"].rpartition("/")[2]), definitions, depth + 1)
    for key in ("const", "default"):
        if key in schema:
            return schema[key]
    for key in ("examples", "enum", "anyOf", "oneOf", "allOf"):
        if schema.get(key):
            first = schema[key][0]
            return _value(first, definitions, depth + 1) if key in ("anyOf", "oneOf", "allOf") else first
    kind = schema.get("type", "object" if "properties" in schema else "string")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "object":
        needed = schema.get("required", [])
        inner = schema.get("properties", {})
        return {name: _value(inner.get(name), definitions, depth + 1) for name in needed}
    if kind == "array":
        return [_value(schema.get("items"), definitions, depth + 1)] * max(1, schema.get("minItems", 1))
    if kind == "string":
        return FORMATS.get(schema.get("format", ""), "text").ljust(schema.get("minLength", 0), "x")
    if kind in ("integer", "number"):
        return _number(schema, kind)
    return PLAIN.get(kind, "text")


def _number(schema: JSON, kind: str) -> Any:
    low = schema.get("minimum", schema.get("exclusiveMinimum", -1) + 1 if "exclusiveMinimum" in schema else 1)
    step = schema.get("multipleOf")
    value = low if step is None else step * max(1, -(-low // step))
    value = min(value, schema["maximum"]) if "maximum" in schema else value
    return int(value) if kind == "integer" else float(value)
