"""A call as an HTTP request: OpenAPI's rules for where an argument goes and how it is written there.

Pure: nothing is sent, and no secret is known here.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from lamina.tools.targets import HttpTarget, Place
from lamina.tools.tool import JSON

DELIMITERS = {"spaceDelimited": "%20", "pipeDelimited": "|", "tabDelimited": "%09"}
PREFIXES = {"simple": ("", ","), "label": (".", "."), "matrix": (";", ";")}


class NoRequest(Exception):
    """Arguments that fit the schema but not a request (an empty path segment, a line break in a header)."""


@dataclass
class WireRequest:
    """``path`` and ``query`` are percent-encoded. ``form`` holds the fields of a multipart body."""

    method: str
    path: str
    query: list[str] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    cookies: list[str] = field(default_factory=list)
    content: bytes | None = None
    form: list[tuple[str, str]] | None = None


def wire_request(target: HttpTarget, arguments: JSON) -> WireRequest:
    """Raises NoRequest, one sentence, for what cannot be written."""
    request = WireRequest(target.method, target.path)
    body: JSON = {}
    for place in target.places:
        if place.argument not in arguments:
            continue
        value = arguments[place.argument]
        if place.where == "body":
            body[place.name] = value
        elif place.as_json:
            _put_json(request, place, value)
        elif value is not None or place.where == "path":
            {"path": _put_path, "query": _put_query, "header": _put_header, "cookie": _put_cookie}[place.where](
                request, place, value
            )
    if target.other_fields:
        placed = {place.argument for place in target.places}
        body |= {name: value for name, value in arguments.items() if name not in placed}
    if body:
        _put_body(request, target, body)
    return request


def _put_json(request: WireRequest, place: Place, value: Any) -> None:
    text = json.dumps(value, ensure_ascii=False)
    if place.where == "path":
        _replace(request, place, quote(text, safe=""))
    elif place.where == "query":
        request.query.append(f"{quote(place.name, safe='')}={quote(text, safe='')}")
    elif place.where == "header":
        request.headers[place.name] = json.dumps(value)
    else:
        request.cookies.append(f"{place.name}={quote(text, safe='')}")


def _put_path(request: WireRequest, place: Place, value: Any) -> None:
    prefix, between = PREFIXES.get(place.style, PREFIXES["simple"])
    between = between if place.explode or place.style == "simple" else ","
    named = f"{place.name}=" if place.style == "matrix" else ""
    if isinstance(value, list):
        parts = [quote(plain(v), safe="") for v in value]
        text = between.join(named + p for p in parts) if place.explode else named + ",".join(parts)
    elif isinstance(value, dict):
        joint = "=" if place.explode else ","
        text = between.join(f"{quote(k, safe='')}{joint}{quote(plain(v), safe='')}" for k, v in value.items())
    else:
        text = named + quote(plain(value), safe="")
    if text in ("", ".", ".."):  # another path than the document's: /pets/../admin
        raise NoRequest(f"{place.argument} must not be empty, '.' or '..': it is a part of the path")
    _replace(request, place, prefix + text)


def _replace(request: WireRequest, place: Place, text: str) -> None:
    request.path = request.path.replace(f"{{{place.name}}}", text)


def _put_query(request: WireRequest, place: Place, value: Any) -> None:
    name = quote(place.name, safe="")
    if isinstance(value, list):
        parts = [quote(plain(v), safe="") for v in value]
        if place.explode and place.style == "form":
            request.query += [f"{name}={p}" for p in parts]
        else:
            request.query.append(f"{name}={DELIMITERS.get(place.style, ',').join(parts)}")
    elif isinstance(value, dict):
        pairs = [(quote(k, safe=""), quote(plain(v), safe="")) for k, v in value.items() if v is not None]
        if place.style == "deepObject":
            request.query += [f"{name}[{k}]={v}" for k, v in pairs]
        elif place.explode:
            request.query += [f"{k}={v}" for k, v in pairs]
        else:
            request.query.append(f"{name}={','.join(part for pair in pairs for part in pair)}")
    else:
        request.query.append(f"{name}={quote(plain(value), safe='')}")


def _put_header(request: WireRequest, place: Place, value: Any) -> None:
    text = ",".join(map(plain, value)) if isinstance(value, list) else plain(value)
    if not text.isascii() or not text.isprintable():
        raise NoRequest(f"{place.argument} goes into a header, which holds printable ASCII alone")
    request.headers[place.name] = text


def _put_cookie(request: WireRequest, place: Place, value: Any) -> None:
    text = ",".join(map(plain, value)) if isinstance(value, list) else plain(value)
    request.cookies.append(f"{place.name}={quote(text, safe='')}")


def _put_body(request: WireRequest, target: HttpTarget, body: JSON) -> None:
    media = target.body or "application/json"
    value = next(iter(body.values())) if target.whole_body else body
    kind = media.split(";")[0].strip().lower()
    if kind == "application/x-www-form-urlencoded":
        pairs = [(k, plain(v)) for k, each in value.items() for v in (each if isinstance(each, list) else [each])]
        request.content = urlencode(pairs).encode()
    elif kind == "multipart/form-data":
        request.form = [(k, plain(v)) for k, v in value.items()]
        return  # its content type carries the boundary
    elif kind == "text/plain":
        request.content = plain(value).encode()
    else:
        request.content = json.dumps(value, ensure_ascii=False).encode()
        media = "application/json" if "*" in media else media
    request.headers["Content-Type"] = media


def plain(value: Any) -> str:
    """A value as a request spells it: ``true``, ``1.5``, JSON for what has parts."""
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)
