"""The body of a request as arguments: fields of an object one by one, anything else as one argument."""

from __future__ import annotations

from lamina.tools.openapi.arguments import Arguments, examples_of, without_markup
from lamina.tools.openapi.choices import without_null
from lamina.tools.openapi.document import Document, as_list, as_object, is_true
from lamina.tools.openapi.schemas import Converter
from lamina.tools.openapi.shown_values import with_fitting_examples
from lamina.tools.openapi.unusable import Unusable
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
            schema = without_null(converter.convert(as_object(content[media]).get("schema", {})))
        except Unusable as reason:
            if reason.code != "binary":
                raise
            reasons.append(f"{media}: {reason.detail}")
            continue
        if examples := examples_of(document, as_object(content[media])):
            schema = with_fitting_examples({"examples": examples, **schema})
        taken = _is_taken_as_required(schema, required, arguments, remarks, where)
        whole = _argument_of(schema, media, taken, description, arguments)
        if whole is None:
            _spread(schema, taken, arguments, remarks, where)
        return media, whole
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


def _content(document: Document, operation: JSON) -> tuple[JSON, bool | None, str]:
    """(media types, whether it is required, description); None where the document does not say it."""
    if document.version != "2.0":
        body = as_object(document.follow(operation.get("requestBody")))
        return as_object(body.get("content")), _required(body), str(body.get("description") or "")
    parameters = [as_object(document.follow(p)) for p in as_list(operation.get("parameters"))]
    consumes = [str(c) for c in as_list(operation.get("consumes", document.root.get("consumes")))]
    for parameter in parameters:
        if parameter.get("in") == "body":
            media = {"schema": parameter.get("schema", {})}
            content = {kind: media for kind in consumes or ["application/json"]}
            return content, _required(parameter), str(parameter.get("description") or "")
    fields = [p for p in parameters if p.get("in") == "formData" and isinstance(p.get("name"), str)]
    if not fields:
        return {}, False, ""
    properties = {p["name"]: {k: v for k, v in p.items() if k not in ("name", "in", "required")} for p in fields}
    needed = [p["name"] for p in fields if is_true(p.get("required"))]
    kinds = [c for c in consumes if c in FORMS] or [FORMS[0]]
    schema = {"type": "object", "properties": properties, "required": needed}
    return {kinds[0]: {"schema": schema}}, bool(needed), ""


def _required(said: JSON) -> bool | None:
    return is_true(said["required"]) if said.get("required") is not None else None


def _is_taken_as_required(
    schema: JSON, required: bool | None, arguments: Arguments, remarks: list[Remark], where: str
) -> bool:
    """Where the document does not say whether the body is (OpenAPI's default is optional, and most authors mean nothing
    by it), one that requires fields is taken as required: to make a playlist without its name only fails. Not so
    where something else than the body is required, a query's ``ids`` say: the body is then another way to say it, and
    would be asked of a model a second time."""
    if required is not None or not schema.get("required") or arguments.asks_beside_body:
        return bool(required)
    said = f"nothing says that its body is required; taken as required, for it needs {', '.join(schema['required'])}"
    remarks.append(Remark(where, "body_taken_as_required", said))
    return True


def _argument_of(schema: JSON, media: str, required: bool, description: str, arguments: Arguments) -> str | None:
    """The name of the one argument that the whole body is; None for an object whose fields are arguments."""
    plain = {"type", "properties", "required", "description", "examples", "additionalProperties"}
    if schema.get("type") == "object" and schema.get("properties") and set(schema) <= plain:
        return None
    if media in FORMS and not schema.get("properties"):
        raise Unusable("body_unsupported", "its form has no declared fields")
    if description.strip():
        schema = {"description": without_markup(description), **schema}
    return arguments.add("body", "body", schema, required)


def _spread(schema: JSON, required: bool, arguments: Arguments, remarks: list[Remark], where: str) -> None:
    """The fields of an object become arguments. What the object requires stays required, of an optional body beside any
    other of its fields."""
    needed = list(schema.get("required", []))
    undescribed = [name for name in needed if name not in schema["properties"]]
    if undescribed:
        said = f"its body requires {', '.join(undescribed)} and does not describe it: it may be anything"
        remarks.append(Remark(where, "malformed", said))
    fields = {**schema["properties"], **{name: {} for name in undescribed}}
    named = {name: arguments.add(name, "body", part, required and name in needed) for name, part in fields.items()}
    arguments.others = schema.get("additionalProperties", False)
    if not required:
        for argument in named.values():
            if beside := [named[name] for name in needed if named[name] != argument]:
                arguments.dependent[argument] = beside
