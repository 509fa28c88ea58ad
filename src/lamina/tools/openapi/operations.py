"""One tool for each operation: parameters and body as one flat object of arguments."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from lamina.tools.naming import identifier, unique
from lamina.tools.openapi.document import Document, Unusable, as_list, as_object
from lamina.tools.openapi.schemas import Converter
from lamina.tools.openapi.security import alternatives, carried_by_key, variable_of
from lamina.tools.targets import Credential, HttpTarget, Place, Where
from lamina.tools.tool import JSON, Remark, Tool

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace", "query")
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
NOT_ARGUMENTS = {"accept", "content-type", "authorization"}
"""Header parameters that OpenAPI 3 says to ignore."""
KEY = re.compile(r"(x[-_])?(api|app|access|auth|subscription)[-_]?(key|token|secret)", re.IGNORECASE)
"""Parameters that are secrets by their name: a model must not make one up, and none may enter a record."""

STYLES = {"path": "simple", "header": "simple", "query": "form", "cookie": "form"}
COLLECTIONS = {"csv": ("form", False), "multi": ("form", True), "ssv": ("spaceDelimited", False),
               "tsv": ("tabDelimited", False), "pipes": ("pipeDelimited", False)}  # fmt: skip


@dataclass
class _Arguments:
    """The arguments of one operation as they are gathered. ``renamed`` tells of names that had to change,
    ``keys`` of parameters that are keys though no security scheme says so, and whether they are required."""

    properties: JSON = field(default_factory=dict)
    required: list[str] = field(default_factory=list)
    places: list[Place] = field(default_factory=list)
    keys: list[tuple[Credential, bool]] = field(default_factory=list)
    renamed: list[str] = field(default_factory=list)

    def add(self, name: str, where: Where, schema: JSON, required: bool, **place: Any) -> str:
        argument = identifier(name, "arg")
        if argument in self.properties:
            argument = unique(f"{argument}_{where}" if f"{argument}_{where}" not in self.properties else argument,
                              self.properties)  # fmt: skip
        if argument != name:
            self.renamed.append(f"{name} ({where}) is {argument}")
        self.properties[argument] = schema
        if required:
            self.required.append(argument)
        self.places.append(Place(argument, where, name, **place))
        return argument


def operations(document: Document) -> list[tuple[str, str, JSON, JSON]]:
    """(method, path, path item, operation) in the document's order, whatever else stands there."""
    found = []
    for path, item in as_object(document.root.get("paths")).items():
        if not str(path).startswith("/"):
            continue
        try:
            item = as_object(document.follow(item))
        except Unusable:
            item = {}
        found += [(m, str(path), item, item[m]) for m in METHODS if isinstance(item.get(m), dict)]
    return found


def tool_of(
    document: Document, method: str, path: str, item: JSON, operation: JSON, taken: set[str]
) -> tuple[Tool, list[Remark]]:
    """Raises Unusable where no tool can be made of it."""
    where = f"{method.upper()} {path}"
    remarks: list[Remark] = []
    converter, arguments = Converter(document), _Arguments()
    _parameters(document, path, item, operation, converter, arguments, remarks)
    body, whole = _body(document, operation, converter, arguments, remarks, where)
    needed = tuple(key for key, required in arguments.keys if required)
    auth = tuple((*each, *needed) for each in alternatives(document, operation) or ([()] if needed else []))
    optional = tuple(key for key, required in arguments.keys if not required)
    server = _server(document, item, operation)
    said = operation.get("operationId")
    wanted = said if isinstance(said, str) and said.strip() else f"{method}_{path}"
    name = unique(identifier(wanted.strip()), taken)
    if isinstance(said, str) and name != said:
        remarks.append(Remark(where, "renamed", f"operation {said!r} is the tool {name}"))
    if arguments.renamed:
        remarks.append(Remark(where, "argument_renamed", "; ".join(arguments.renamed)))
    description = _text(operation)
    if not description:
        remarks.append(Remark(where, "no_description", f"{name} has neither summary nor description"))
    schema: JSON = {"type": "object", "properties": arguments.properties, "required": arguments.required}
    schema["additionalProperties"] = False
    if converter.defs:
        schema["$defs"] = converter.defs
    if server is None:
        variable = f"{document.variable}_BASE_URL"
        remarks.append(Remark(where, "no_server", f"the document names no server; set {variable} to run {name}"))
    target = HttpTarget(
        method.upper(),
        path,
        server,
        f"{document.variable}_BASE_URL",
        tuple(arguments.places),
        body,
        whole,
        auth,
        optional,
    )
    tags = [t for t in as_list(operation.get("tags")) if isinstance(t, str) and t.strip()]
    rule = operation.get("x-lamina-error", document.root.get("x-lamina-error"))
    tool = Tool(
        name,
        description or where,
        _compiling(schema, where, remarks),
        target,
        category=tags[0] if tags else document.title,
        error_schema=rule if isinstance(rule, dict | bool) else None,
    )
    return tool, remarks


def _text(operation: JSON) -> str:
    """Summary and description, the one not repeated in the other, without markup."""
    said = [_plain(operation[k]) for k in ("summary", "description") if isinstance(operation.get(k), str)]
    said = [s for s in said if s]
    if len(said) == 2 and said[1].lower().startswith(said[0].rstrip(".").lower()):
        said = said[1:]
    return "\n".join(dict.fromkeys(said))


def _plain(text: str) -> str:
    text = re.sub(r"<[a-zA-Z/][^<>]{0,300}>", " ", text)
    text = re.sub(r"!?\[([^\[\]]{1,300})\]\([^()\s]{1,500}\)", r"\1", text)
    text = html.unescape(text)
    return "\n".join(" ".join(line.split()) for line in re.split(r"\n\s*\n", text) if line.strip())


def _parameters(
    document: Document,
    path: str,
    item: JSON,
    operation: JSON,
    converter: Converter,
    arguments: _Arguments,
    remarks: list[Remark],
) -> None:
    keys = carried_by_key(document)
    chosen: dict[tuple[str, str], JSON] = {}
    for raw in [*as_list(item.get("parameters")), *as_list(operation.get("parameters"))]:
        parameter = as_object(document.follow(raw))
        if isinstance(parameter.get("name"), str) and isinstance(parameter.get("in"), str):
            chosen[parameter["in"], parameter["name"]] = parameter  # the operation's own wins
    for (where, name), parameter in chosen.items():
        if where not in STYLES or (where, name.lower()) in keys:
            continue
        if where == "header" and name.lower() in NOT_ARGUMENTS:
            continue
        if where in ("header", "query") and KEY.fullmatch(name):
            key = Credential("key", variable_of(document, name, parameter), where, name)
            arguments.keys.append((key, parameter.get("required") is True))
            said = f"{name} ({where}) is a key and no argument; it is taken from {key.variable}"
            remarks.append(Remark(path, "key_left_out", said))
            continue
        if where == "path" and f"{{{name}}}" not in path:
            remarks.append(Remark(path, "malformed", f"the path has no {{{name}}}: that parameter is left out"))
            continue
        try:
            _parameter(document, name, where, parameter, converter, arguments)
        except Unusable as reason:
            if parameter.get("required") or where == "path":
                raise Unusable(reason.code, f"its parameter {name}: {reason.detail}") from None
            remarks.append(Remark(path, reason.code, f"the optional parameter {name} is left out: {reason.detail}"))
    for name in re.findall(r"\{([^{}]+)\}", path):
        if ("path", name) not in chosen:
            arguments.add(name, "path", {"type": "string"}, True, style="simple", explode=False)
            remarks.append(Remark(path, "malformed", f"{{{name}}} of the path is not declared; taken as a string"))


def _parameter(
    document: Document, name: str, where: Any, parameter: JSON, converter: Converter, arguments: _Arguments
) -> None:
    media = list(as_object(parameter.get("content")).values())
    raw = as_object(media[0]).get("schema") if media else parameter.get("schema", parameter)
    schema = converter.convert(_without_place(raw) if raw is parameter else raw)
    if isinstance(parameter.get("description"), str) and parameter["description"].strip():
        schema = {**schema, "description": _plain(parameter["description"])}
    if examples := _examples(parameter):
        schema = {**schema, "examples": examples}
    if document.version == "2.0":
        style, explode = COLLECTIONS.get(str(parameter.get("collectionFormat", "csv")), ("form", False))
    else:
        style = str(parameter.get("style") or STYLES[where])
        explode = bool(parameter.get("explode", style in ("form", "deepObject")))
    if where in ("path", "header") and style in ("form", "spaceDelimited"):
        style = "simple"
    required = parameter.get("required") is True or where == "path"
    arguments.add(name, where, schema, required, style=style, explode=explode, as_json=bool(media))


def _without_place(parameter: JSON) -> JSON:
    return {k: v for k, v in parameter.items() if k not in ("name", "in", "required", "description", "examples")}


def _examples(parameter: JSON) -> list[Any]:
    if parameter.get("example") is not None:
        return [parameter["example"]]
    said = parameter.get("examples")
    values = [as_object(v).get("value") for v in as_object(said).values()]
    return [v for v in values if v is not None][:3]


def _body(
    document: Document,
    operation: JSON,
    converter: Converter,
    arguments: _Arguments,
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
        if examples := _examples(as_object(content[media])):
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


def _spread(schema: JSON, media: str, required: bool, description: str, arguments: _Arguments) -> str | None:
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
        schema = {"description": _plain(description), **schema}
    return arguments.add("body", "body", schema, required)


def _server(document: Document, item: JSON, operation: JSON) -> str | None:
    """The first server's absolute URL with its variables' defaults."""
    if document.version == "2.0":
        host = document.root.get("host")
        if not isinstance(host, str) or not host:
            return None
        schemes = [s for s in as_list(operation.get("schemes", document.root.get("schemes"))) if s in ("https", "http")]
        scheme = "https" if "https" in schemes or not schemes else "http"
        url = f"{scheme}://{host}{document.root.get('basePath') or ''}"
    else:
        servers = next((s for s in (operation.get("servers"), item.get("servers")) if as_list(s)), None)
        first = as_object((as_list(servers) or as_list(document.root.get("servers")) or [None])[0])
        url = str(first.get("url") or "")
        for name, variable in as_object(first.get("variables")).items():
            url = url.replace(f"{{{name}}}", str(as_object(variable).get("default", "")))
    try:
        parts = urlsplit(url)
        usable = (
            parts.scheme in ("http", "https") and bool(parts.hostname) and "{" not in url and "@" not in parts.netloc
        )
    except ValueError:
        usable = False
    return url.split("?")[0].split("#")[0].rstrip("/") if usable else None


def _compiling(schema: JSON, where: str, remarks: list[Remark]) -> JSON:
    """``schema``, without its patterns where those are of another regex dialect. Raises Unusable for what no
    validator takes."""
    import jsonschema_rs

    refused = (jsonschema_rs.ValidationError, ValueError)
    try:
        jsonschema_rs.validator_for(schema)
        return schema
    except refused:
        plain = _without_patterns(schema)
    try:
        jsonschema_rs.validator_for(plain)
    except refused as error:
        raise Unusable("bad_schema", f"its schema is no JSON Schema ({str(error).splitlines()[0][:200]})") from None
    remarks.append(Remark(where, "pattern_dropped", "its patterns are of another dialect and were left out"))
    assert isinstance(plain, dict)
    return plain


def _without_patterns(node: Any, inside_names: bool = False) -> Any:
    if isinstance(node, list):
        return [_without_patterns(n) for n in node]
    if not isinstance(node, dict):
        return node
    return {
        key: _without_patterns(value, key in ("properties", "$defs"))
        for key, value in node.items()
        if inside_names or not (key == "pattern" and isinstance(value, str)) and key != "patternProperties"
    }
