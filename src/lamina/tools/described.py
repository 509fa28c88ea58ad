"""A tool from what somebody else's list says of it: name, description, schema; checked, mended and told."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from typing import Any

from lamina.tools.naming import identifier, unique
from lamina.tools.plain_schemas import BY_NAME, plain_schema
from lamina.tools.root_objects import NO_OBJECT, as_one_object, undescribed
from lamina.tools.targets import Target
from lamina.tools.tool import JSON, Remark, Tool
from lamina.tools.validators import SchemaRefused, rule_problem, validator_for

# What lists in Python's own words say for JSON Schema's; "dict" and "float" are BFCL's, "str, optional" APIGen's.
TYPES = {
    "dict": "object", "float": "number", "double": "number", "decimal": "number", "int": "integer",
    "long": "integer", "number": "number", "integer": "integer", "str": "string", "string": "string",
    "char": "string", "text": "string", "date": "string", "datetime": "string", "time": "string", "enum": "string",
    "bool": "boolean", "boolean": "boolean", "list": "array", "tuple": "array", "array": "array", "set": "array",
    "arraylist": "array", "object": "object", "hashmap": "object", "mapping": "object", "null": "null",
    "none": "null", "nonetype": "null",
}  # fmt: skip


@dataclass(frozen=True)
class Described:
    """``schema`` is the JSON Schema of the arguments, in whichever dialect."""

    name: Any
    description: Any
    schema: Any
    where: str
    category: str = ""
    prefix: str = ""
    error_schema: JSON | bool | None = None


def described_tool(
    said: Described, taken: Container[str], target: Target | None = None
) -> tuple[Tool | None, list[Remark]]:
    """The tool, or None where nothing can be made of it, and what there is to say. ``prefix`` goes before a
    name that is taken."""
    if not isinstance(said.name, str) or not said.name.strip():
        return None, [Remark(said.where, "no_name", "it has no name", dropped=True)]
    remarks: list[Remark] = []
    name = wanted = identifier(said.name)
    if name in taken and said.prefix:
        name = identifier(f"{said.prefix}_{name}")
    name = unique(name, taken)
    if name != wanted:
        remarks.append(Remark(said.where, "name_clash", f"another tool is called {wanted}; this is the tool {name}"))
    elif name != said.name:
        remarks.append(Remark(said.where, "renamed", f"{said.name!r} is the tool {name}"))
    description = said.description.strip() if isinstance(said.description, str) else ""
    if not description:
        remarks.append(Remark(said.where, "no_description", f"{name} has no description"))
    schema, problem = object_schema(said.schema)
    if problem:
        return None, [Remark(said.where, "bad_schema", f"{name}: {problem}", dropped=True)]
    schema, more = described_in_full(schema, name, said.where)
    remarks += more
    if problem := rule_problem(said.error_schema):
        what = f"{name}: x-lamina-error cannot be used: {problem}"
        return None, [Remark(said.where, "bad_schema", what, dropped=True)]
    return Tool(name, description or name, schema, target, (), said.category, said.error_schema), remarks


def described_in_full(schema: JSON, name: str, where: str) -> tuple[JSON, list[Remark]]:
    """With what is required and not listed as arguments that may be anything: nobody could call the tool else."""
    lacking = undescribed(schema)
    if not lacking:
        return schema, []
    what = f"{name} requires {', '.join(lacking)} and does not describe it: it may be anything"
    properties = {**schema["properties"], **{each: {} for each in lacking}}
    return {**schema, "properties": properties}, [Remark(where, "bad_schema", what)]


def object_schema(said: Any) -> tuple[JSON, str]:
    """The schema as an object with properties, and why that cannot be (empty when it can)."""
    if said is None:
        said = {}
    if not isinstance(said, dict):
        return {}, "its parameters are not an object"
    try:
        schema = {k: v for k, v in _plain_types(plain_schema(said)).items() if k not in ("$schema", "$id", "title")}
        schema = as_one_object(schema)
        properties = schema.get("properties") or {}
        if not isinstance(properties, dict):
            return {}, "its properties are not an object"
        required = [n for n in schema.get("required") or [] if isinstance(n, str)]
        schema = {**schema, "type": "object", "properties": properties, "required": required}
        validator_for(schema)
    except SchemaRefused as error:
        if str(error) == NO_OBJECT:
            return {}, "its parameters are not an object"
        return {}, f"its parameters are no JSON Schema ({error})"
    except (RecursionError, TypeError, AttributeError):
        return {}, "its parameters are no JSON Schema"
    return schema, ""


def _plain_types(node: Any) -> Any:
    """A copy of a plain schema whose ``type`` words are JSON Schema's; an unknown word (``any``) is left out."""
    if isinstance(node, list):
        return [_plain_types(n) for n in node]
    if not isinstance(node, dict):
        return node
    found: JSON = {}
    for key, value in node.items():
        if key in BY_NAME and isinstance(value, dict):
            found[key] = {name: _plain_types(part) for name, part in value.items()}
        elif key == "type" and isinstance(value, str):
            word = TYPES.get(value.strip().lower())
            if word is not None:
                found[key] = word
        elif key == "enum" and not (isinstance(value, list) and value):
            continue
        elif key in ("optional", "required") and isinstance(value, bool):
            continue  # said beside each argument by some, where it means nothing to JSON Schema
        elif key in ("exclusiveMinimum", "exclusiveMaximum") and isinstance(value, bool):
            bound = node.get(key.replace("exclusiveM", "m"))  # draft 4: it makes the bound beside it strict
            if value and isinstance(bound, int | float):
                found[key] = bound
        else:
            found[key] = value if key in ("default", "enum", "const", "examples", "required") else _plain_types(value)
    return found
