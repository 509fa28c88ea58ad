"""Tool descriptions in the shapes data sets keep them, as OpenAI-form tools with a JSON Schema."""

from __future__ import annotations

import re
from typing import Any

from lamina.trajectories.formats.reading.loose import loose
from lamina.trajectories.formats.reading.type_words import TYPES, property_in_words, type_of

JSON = dict[str, Any]
SECRET_NAME = re.compile(r"rapidapi[_-]?key", re.I)
"""ToolBench's wrappers carry the authors' own access key as the default of such a parameter."""
SECRET = re.compile(r"\b[0-9a-f]{10}msh[0-9a-z]{15}p1[0-9a-z]{5}jsn[0-9a-z]{12}\b", re.I)


def tools_of(value: Any) -> list[JSON]:
    """OpenAI-form tools of whatever a data set calls tools: a list, one, a mapping by name, JSON in a string.
    Raises ValueError."""
    value = loose(value) if isinstance(value, str) and value.strip() else value
    if not value:
        return []
    if isinstance(value, dict):
        named = value.get("name") or value.get("function") or value.get("api_name")
        value = [value] if named else [{"name": k, **(v if isinstance(v, dict) else {})} for k, v in value.items()]
    if not isinstance(value, list):
        raise ValueError(f"not a list of tools: {str(value)[:80]!r}")
    return [tool_of(one) for one in value]


def tool_of(row: Any) -> JSON:
    """One tool. Raises ValueError."""
    row = loose(row) if isinstance(row, str) else row
    outer = row if isinstance(row, dict) else {}
    inner = outer["function"] if isinstance(outer.get("function"), dict) else outer
    name = inner.get("name") or inner.get("api_name") or inner.get("tool_name")
    if not isinstance(name, str) or not name.strip():
        raise ValueError(f"a tool has no name: {str(row)[:80]!r}")
    if inner is not outer and _is_schema(inner.get("parameters")) and isinstance(inner.get("description"), str):
        return {"type": "function", "function": inner}  # already what a record holds
    known = {
        "name",
        "api_name",
        "description",
        "api_description",
        "tool_description",
        *_PARAMETERS,
        "required",
        "strict",
    }
    required: Any
    parameters: Any = next((inner[k] for k in _PARAMETERS if inner.get(k) is not None), {})
    if "required_parameters" in inner or "optional_parameters" in inner:
        parameters, required = _toolbench(inner)
    else:
        required = inner.get("required")
    description = next((inner[k] for k in ("description", "api_description", "tool_description") if inner.get(k)), "")
    function: JSON = {
        "name": name,
        "description": str(description),
        "parameters": schema_of(loose(parameters), required),
        **({"strict": inner["strict"]} if "strict" in inner else {}),
    }
    rest = {k: v for k, v in inner.items() if k not in known and k != "type" and v is not None}
    before = rest.pop("x-source", None)  # written by us, read again
    if rest := {**(before if isinstance(before, dict) else {}), **rest}:
        function["x-source"] = rest
    return {"type": "function", "function": function}


_PARAMETERS = ("parameters", "inputSchema", "input_schema", "input_parameters", "query_parameters", "arguments",
               "required_parameters", "optional_parameters")  # fmt: skip


def _toolbench(inner: JSON) -> tuple[JSON, list[str]]:
    both = [(p, True) for p in inner.get("required_parameters") or []]
    both += [(p, False) for p in inner.get("optional_parameters") or []]
    properties: JSON = {}
    for parameter, _ in both:
        if isinstance(parameter, dict) and isinstance(parameter.get("name"), str):
            properties[parameter["name"]] = {k: v for k, v in parameter.items() if k != "name"}
    wanted = [p["name"] for p, needed in both if needed and isinstance(p, dict) and isinstance(p.get("name"), str)]
    return properties, wanted


def schema_of(value: Any, required: Any = None) -> JSON:
    """A JSON Schema object of a schema, or of flat parameters (``{"city": {"type": "str, optional"}}``)."""
    if not value:
        value = {}
    if isinstance(value, list):  # [{"name": "city", "type": "str"}]
        value = {
            p["name"]: {k: v for k, v in p.items() if k != "name"}
            for p in value
            if isinstance(p, dict) and isinstance(p.get("name"), str)
        }
    if not isinstance(value, dict):
        raise ValueError(f"parameters are not an object: {str(value)[:80]!r}")
    wrapped = isinstance(value.get("properties"), dict) and str(value.get("type", "object")).lower() in _OBJECTS
    if wrapped or ("type" in value and value["type"] in _OBJECTS and not isinstance(value["type"], dict)):
        flat, extra = value.get("properties") or {}, {k: v for k, v in value.items() if k not in ("type", "properties")}
        required = extra.pop("required", None) if extra.get("required") is not None else required
        extra.pop("required", None)
        if isinstance(flat, list):
            return schema_of(flat, required)
    else:
        flat, extra = value, {}
    properties: JSON = {}
    found: list[str] = []
    for name, spec in flat.items():
        if SECRET_NAME.search(str(name)):
            continue
        properties[name], needed = property_of(spec)
        if needed:
            found.append(name)
    named = [r for r in required if r in properties] if isinstance(required, list) else []
    wanted = [name for name in properties if name in named or name in found]
    return {"type": "object", "properties": properties, "required": wanted, **extra}


_KEYWORDS: dict[str, type | tuple[type, ...]] = {
    "enum": list, "pattern": str, "format": str, "items": dict, "properties": dict, "description": str, "title": str,
    **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"), (int, float)),
    **dict.fromkeys(("minLength", "maxLength", "minItems", "maxItems"), int),
}  # fmt: skip
"""What JSON Schema wants behind its keywords; a data set's ``"enum": "1-100"`` is kept as ``x-enum``."""
_OBJECTS = ("object", "dict", "Object", "dictionary")


def property_of(spec: Any) -> tuple[JSON, bool]:
    """The schema of one parameter and whether its own words make it required."""
    if isinstance(spec, str):
        return property_in_words(spec)
    if not isinstance(spec, dict):
        return {"description": str(spec)} if spec is not None else {}, False
    found = dict(spec)
    needed = found.get("required")
    if not isinstance(needed, list):
        found.pop("required", None)
    kind = found.pop("type", None)
    schema, optional = type_of(kind)
    if "items" in found and isinstance(found["items"], dict | str):
        items = found["items"] if isinstance(found["items"], dict) else {"type": found["items"]}
        found["items"] = property_of(items)[0]
    if isinstance(found.get("properties"), dict):
        nested = schema_of({"type": "object", "properties": found["properties"], "required": found.get("required")})
        found["properties"], found["required"] = nested["properties"], nested["required"]
    if found.get("allowed_values"):
        found["enum"] = found.pop("allowed_values")
    found.pop("allowed_values", None) if not found.get("allowed_values") else None
    if "default_value" in found:
        found.setdefault("default", found.pop("default_value"))
    if isinstance(found.get("enum"), list) and not found["enum"]:
        found.pop("enum")
    for mark in [k for k, kind in _KEYWORDS.items() if k in found and not isinstance(found[k], kind)]:
        found[f"x-{mark}"] = found.pop(mark)
    return {**schema, **found}, bool(needed) and not isinstance(needed, list) and str(
        needed
    ).lower() != "false" and not optional


def without_secrets(value: Any) -> Any:
    """A copy without access keys: parameters named for one, and what looks like one inside any text."""
    if isinstance(value, dict):
        return {k: without_secrets(v) for k, v in value.items() if not SECRET_NAME.search(str(k))}
    if isinstance(value, list):
        return [
            without_secrets(v)
            for v in value
            if not (isinstance(v, dict) and SECRET_NAME.search(str(v.get("name", ""))))
        ]
    if isinstance(value, str):
        return SECRET.sub("[key removed]", value) if "jsn" in value else value
    return value


def tools_in_text(text: str) -> tuple[list[JSON], int, int]:
    """Tools described as JSON inside a prompt (an array, or objects that follow each other), and where that
    JSON begins and ends; no tools and 0, 0 where there is none."""
    import json

    decoder = json.JSONDecoder()
    for mark in re.finditer(r"[\[{]", text):
        start = mark.start()
        rows: list[Any] = []
        position = start
        while position < len(text):
            gap = re.compile(r"[\s,]*").match(text, position)
            position = gap.end() if gap else position
            if text[position : position + 1] not in ("[", "{"):
                break
            try:
                value, position = decoder.raw_decode(text, position)
            except (ValueError, RecursionError):
                break
            rows += value if isinstance(value, list) else [value]
        if rows:
            try:
                return [tool_of(row) for row in rows], start, position
            except ValueError:
                continue
        if mark.start() > 20_000:
            break
    return [], 0, 0


def _is_schema(value: Any) -> bool:
    """Parameters that a record may hold as they are: JSON Schema with types JSON Schema knows."""
    if not isinstance(value, dict) or value.get("type") != "object" or not isinstance(value.get("properties"), dict):
        return False
    if not isinstance(value.get("required", []), list) or any(SECRET_NAME.search(str(n)) for n in value["properties"]):
        return False
    return all(_plain_property(p) for p in value["properties"].values())


def _plain_property(spec: Any) -> bool:
    if not isinstance(spec, dict) or isinstance(spec.get("required"), bool):
        return False
    if any(k in spec and not isinstance(spec[k], kind) for k, kind in _KEYWORDS.items()):
        return False
    kind = spec.get("type", "string")
    kinds = kind if isinstance(kind, list) else [kind]
    if not all(isinstance(k, str) and TYPES.get(k) == k for k in kinds):
        return False
    nested = spec.get("properties")
    if isinstance(nested, dict) and not all(_plain_property(p) for p in nested.values()):
        return False
    return "items" not in spec or _plain_property(spec["items"])
