"""The body of a request as arguments: fields of an object one by one, anything else as one argument."""

from __future__ import annotations

from lamina.tools.openapi.arguments import Arguments, examples_of, without_markup
from lamina.tools.openapi.document import Document, Unusable, as_list, as_object
from lamina.tools.openapi.schemas import Converter
from lamina.tools.tool import JSON, Remark

FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


def body_of(
    document: Document,
    operation: JSON,
    converter: Converter,
    arguments: Arguments,
    remarks: list[Remark],
    where: str,
) -> tuple[str | None, str | None]:
    """(media type, the argument that is the whole body or None). JSON before forms before plain text."""
    content, required, description = _content(document, operation)
    if not content:
        return None, None
    reasons = []
    for media in sorted(content, key=_preference):
        if _preference(media) > 3:
            reasons.append(f"{media} is not written")
            continue
        try:
            schema = converter.convert(as_object(content[media]).get("schema", {}))
        except Unusable as reason:
            if reason.code != "binary":
                raise
            reasons.append(f"{media}: {reason.detail}")
            continue
        if examples := examples_of(as_object(content[media])):
            schema.setdefault("examples", examples)
        return media, _spread(schema, media, required, description, arguments)
    if required:
        raise Unusable("body_unsupported", f"its body cannot be written ({'; '.join(reasons)})")
    remarks.append(Remark(where, "body_unsupported", f"its optional body is left out ({'; '.join(reasons)})"))
    return None, None


def _preference(media: str) -> int:
    kind = media.split(";")[0].strip().lower()
    if kind in ("application/json", "*/*", "application/*"):
        return 0
    if kind.endswith("+json"):
        return 1
    return 2 if kind in FORMS else 3 if kind == "text/plain" else 4


def _content(document: Document, operation: JSON) -> tuple[JSON, bool, str]:
    if document.version != "2.0":
        body = as_object(document.follow(operation.get("requestBody")))
        return as_object(body.get("content")), body.get("required") is True, str(body.get("description") or "")
    parameters = [as_object(document.follow(p)) for p in as_list(operation.get("parameters"))]
    consumes = [str(c) for c in as_list(operation.get("consumes", document.root.get("consumes")))]
    for parameter in parameters:
        if parameter.get("in") == "body":
            media = {"schema": parameter.get("schema", {})}
            content = {kind: media for kind in consumes or ["application/json"]}
            return content, parameter.get("required") is True, str(parameter.get("description") or "")
    fields = [p for p in parameters if p.get("in") == "formData" and isinstance(p.get("name"), str)]
    if not fields:
        return {}, False, ""
    properties = {p["name"]: {k: v for k, v in p.items() if k not in ("name", "in", "required")} for p in fields}
    needed = [p["name"] for p in fields if p.get("required") is True]
    kinds = [c for c in consumes if c in FORMS] or [FORMS[0]]
    schema = {"type": "object", "properties": properties, "required": needed}
    return {kinds[0]: {"schema": schema}}, bool(needed), ""


def _spread(schema: JSON, media: str, required: bool, description: str, arguments: Arguments) -> str | None:
    """The fields of an object become arguments; anything else is one argument, whose name is returned."""
    plain = {"type", "properties", "required", "description", "examples", "additionalProperties"}
    if schema.get("type") == "object" and schema.get("properties") and set(schema) <= plain:
        for name, part in schema["properties"].items():
            needed = required and name in schema.get("required", [])
            arguments.add(name, "body", part, needed)
        return None
    if media in FORMS and not schema.get("properties"):
        raise Unusable("body_unsupported", "its form has no declared fields")
    if description.strip():
        schema = {"description": without_markup(description), **schema}
    return arguments.add("body", "body", schema, required)
