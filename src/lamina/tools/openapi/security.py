"""Where a document says that a key goes, as credentials that name environment variables."""

from __future__ import annotations

import re
from typing import Any

from lamina.tools.openapi.document import Document, as_list, as_object
from lamina.tools.openapi.unusable import Unusable
from lamina.tools.targets import Credential

Alternatives = tuple[tuple[Credential, ...], ...]


def schemes_of(document: Document) -> dict[str, Any]:
    where = "#/securityDefinitions" if document.version == "2.0" else "#/components/securitySchemes"
    return _found(document, {"$ref": where})


def _found(document: Document, node: Any) -> dict[str, Any]:
    try:
        return as_object(document.follow(node))
    except Unusable:
        return {}


def alternatives(document: Document, operation: dict[str, Any]) -> Alternatives:
    """The operation's own requirement, else the document's; empty where none is needed. Raises Unusable where
    every alternative is of a kind that cannot be met (mutual TLS, digest)."""
    required = operation.get("security", document.root.get("security"))
    found: list[tuple[Credential, ...]] = []
    unmet = ""
    for each in as_list(required):
        try:
            found.append(tuple(_credential(document, str(name)) for name in as_object(each)))
        except Unusable as reason:
            unmet = reason.detail
    if unmet and not found:
        raise Unusable("auth_unsupported", unmet)
    return tuple(found)


def _credential(document: Document, name: str) -> Credential:
    scheme = as_object(document.follow(schemes_of(document).get(name)))
    kind = str(scheme.get("type", "")).lower()
    variable = variable_of(document, name, scheme)
    if kind == "apikey" and scheme.get("in") in ("header", "query", "cookie") and scheme.get("name"):
        return Credential("key", variable, scheme["in"], str(scheme["name"]))
    if kind in ("oauth2", "openidconnect"):  # getting the token is the user's: it is a bearer in the end
        return Credential("bearer", variable)
    if kind == "basic" or (kind == "http" and str(scheme.get("scheme", "")).lower() == "basic"):
        return Credential("basic", variable)
    if kind == "http" and str(scheme.get("scheme", "")).lower() == "bearer":
        return Credential("bearer", variable)
    said = f"{kind} {scheme.get('scheme', '')}".strip() or "not defined"
    raise Unusable("auth_unsupported", f"its security scheme {name!r} is {said}")


def variable_of(document: Document, name: str, scheme: dict[str, Any]) -> str:
    """``x-lamina-env`` of the scheme, else the file's name and the scheme's: ``TMDB_API_KEY``."""
    own = scheme.get("x-lamina-env")
    if isinstance(own, str) and re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", own):
        return own
    return f"{document.variable}_{re.sub(r'[^A-Z0-9]+', '_', name.upper()).strip('_') or 'KEY'}"


def carried_by_key(document: Document) -> set[tuple[str, str]]:
    """(where, name in lower case) of every key: a parameter that repeats one is no argument."""
    found = set()
    for node in schemes_of(document).values():
        scheme = _found(document, node)
        if str(scheme.get("type", "")).lower() == "apikey":
            found.add((str(scheme.get("in")), str(scheme.get("name")).lower()))
    return found
