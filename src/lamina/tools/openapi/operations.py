"""One tool for each operation: parameters and body as one flat object of arguments."""

from __future__ import annotations

import re
from typing import Any

from lamina.tools.naming import identifier, unique
from lamina.tools.openapi.arguments import Arguments, description_of, examples_of, without_markup
from lamina.tools.openapi.bodies import body_of
from lamina.tools.openapi.compiling import compiling
from lamina.tools.openapi.document import Document, as_list, as_object, is_true
from lamina.tools.openapi.key_parameters import is_key
from lamina.tools.openapi.schemas import Converter
from lamina.tools.openapi.security import alternatives, carried_by_key, variable_of
from lamina.tools.openapi.servers import server_of
from lamina.tools.openapi.shown_values import with_fitting_examples
from lamina.tools.openapi.unfolding import DocumentTooLarge
from lamina.tools.openapi.unusable import Unusable
from lamina.tools.targets import Credential, HttpTarget
from lamina.tools.tool import JSON, Remark, Tool
from lamina.tools.validators import rule_problem

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace", "query")
NOT_ARGUMENTS = {"accept", "content-type", "authorization"}
"""Header parameters that OpenAPI 3 says to ignore."""
STYLES = {"path": "simple", "header": "simple", "query": "form", "cookie": "form"}
COLLECTIONS = {"csv": ("form", False), "multi": ("form", True), "ssv": ("spaceDelimited", False),
               "tsv": ("tabDelimited", False), "pipes": ("pipeDelimited", False)}  # fmt: skip


def operations(document: Document) -> tuple[list[tuple[str, str, JSON, JSON]], list[Remark]]:
    """(method, path, path item, operation) in the document's order, whatever else stands there; and what a reference
    that leads nowhere stands for: all paths, one, or one operation."""
    found: list[tuple[str, str, JSON, JSON]] = []
    lost: list[Remark] = []

    def followed(node: Any, where: str) -> Any:
        try:
            return document.follow(node)
        except Unusable as reason:
            lost.append(Remark(where, reason.code, reason.detail, dropped=True))

    for path, item in as_object(followed(document.root.get("paths"), "paths")).items():
        if not str(path).startswith("/"):
            continue
        item = as_object(followed(item, str(path)))
        for method in METHODS:
            operation = followed(item.get(method), f"{method.upper()} {path}")
            found += [(method, str(path), item, operation)] if isinstance(operation, dict) else []
    return found, lost


def tool_of(
    document: Document, method: str, path: str, item: JSON, operation: JSON, taken: set[str]
) -> tuple[Tool, list[Remark]]:
    """Raises Unusable where no tool can be made of it."""
    where = f"{method.upper()} {path}"
    remarks: list[Remark] = []
    converter, arguments = Converter(document), Arguments()
    _parameters(document, path, item, operation, converter, arguments, remarks)
    body, whole = body_of(document, operation, converter, arguments, remarks, where)
    needed = tuple(key for key, required in arguments.keys if required)
    auth = tuple((*each, *needed) for each in alternatives(document, operation) or ([()] if needed else []))
    optional = tuple(key for key, required in arguments.keys if not required)
    server = server_of(document, item, operation)
    said = operation.get("operationId")
    wanted = identifier((said if isinstance(said, str) and said.strip() else f"{method}_{path}").strip())
    name = unique(wanted, taken)
    if name != wanted:
        remarks.append(Remark(where, "name_clash", f"another operation is called {wanted}; this is the tool {name}"))
    elif isinstance(said, str) and name != said:
        remarks.append(Remark(where, "renamed", f"operation {said!r} is the tool {name}"))
    if arguments.renamed:
        remarks.append(Remark(where, "argument_renamed", "; ".join(arguments.renamed)))
    description = description_of(operation)
    if not description:
        remarks.append(Remark(where, "no_description", f"{name} has neither summary nor description"))
    schema: JSON = {"type": "object", "properties": arguments.properties, "required": arguments.required}
    if arguments.dependent:
        schema["dependentRequired"] = arguments.dependent
    schema["additionalProperties"] = arguments.others
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
        arguments.others is not False,
    )
    tags = [t for t in as_list(operation.get("tags")) if isinstance(t, str) and t.strip()]
    rule = operation.get("x-lamina-error", document.root.get("x-lamina-error"))
    if problem := rule_problem(rule):
        raise Unusable("bad_schema", f"x-lamina-error cannot be used: {problem}")
    tool = Tool(
        name,
        description or where,
        compiling(schema, where, remarks),
        target,
        category=tags[0] if tags else document.title,
        error_schema=rule,
    )
    return tool, remarks


def _parameters(
    document: Document,
    path: str,
    item: JSON,
    operation: JSON,
    converter: Converter,
    arguments: Arguments,
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
        if is_key(document, where, name, parameter):
            place: Any = where
            key = Credential("key", variable_of(document, name, parameter), place, name)
            arguments.keys.append((key, is_true(parameter.get("required"))))
            said = f"{name} ({where}) is a key and no argument; it is taken from {key.variable}"
            remarks.append(Remark(path, "key_left_out", said))
            continue
        if where == "path" and f"{{{name}}}" not in path:
            remarks.append(Remark(path, "malformed", f"the path has no {{{name}}}: that parameter is left out"))
            continue
        try:
            _parameter(document, name, where, parameter, converter, arguments)
        except Unusable as reason:
            if isinstance(reason, DocumentTooLarge):
                raise
            if is_true(parameter.get("required")) or where == "path":
                raise Unusable(reason.code, f"its parameter {name}: {reason.detail}") from None
            remarks.append(Remark(path, reason.code, f"the optional parameter {name} is left out: {reason.detail}"))
    for name in re.findall(r"\{([^{}]+)\}", path):
        if ("path", name) not in chosen:
            arguments.add(name, "path", {"type": "string"}, True, style="simple", explode=False)
            remarks.append(Remark(path, "malformed", f"{{{name}}} of the path is not declared; taken as a string"))


def _parameter(
    document: Document, name: str, where: Any, parameter: JSON, converter: Converter, arguments: Arguments
) -> None:
    media = list(as_object(parameter.get("content")).values())
    raw = as_object(media[0]).get("schema") if media else parameter.get("schema", parameter)
    schema = converter.convert(_without_place(raw) if raw is parameter else raw)
    if isinstance(parameter.get("description"), str) and parameter["description"].strip():
        schema = {**schema, "description": without_markup(parameter["description"])}
    if examples := examples_of(document, parameter):
        schema = with_fitting_examples({**schema, "examples": examples})
    if document.version == "2.0":
        style, explode = COLLECTIONS.get(str(parameter.get("collectionFormat", "csv")), ("form", False))
    else:
        style = str(parameter.get("style") or STYLES[where])
        explode = bool(parameter.get("explode", style in ("form", "deepObject")))
    if where in ("path", "header") and style in ("form", "spaceDelimited"):
        style = "simple"
    required = is_true(parameter.get("required")) or where == "path"
    arguments.add(name, where, schema, required, style=style, explode=explode, as_json=bool(media))


def _without_place(parameter: JSON) -> JSON:
    return {k: v for k, v in parameter.items() if k not in ("name", "in", "required", "description", "examples")}
