"""What a server answered, as a CallResult: read within bounds, scrubbed of secrets, HTML and pictures named."""

from __future__ import annotations

import contextlib
import json
import re
import zlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from lamina.tools.execution.outcomes import CallResult, Limits
from lamina.tools.execution.results import cut_off, failed, succeeded
from lamina.tools.execution.secrets import Secrets
from lamina.tools.tool import Tool

SAID_CHARACTERS = 300
JUDGED_BYTES = 1 << 20
"""Of an answer are read, though fewer are kept: what fails says so in less, and what is longer is no error."""
TEXTS = ("text/", "application/xml", "application/yaml", "application/x-yaml", "application/csv")


@dataclass(frozen=True)
class Answer:
    """``body`` is cut at the most that is read; ``whole`` if nothing was cut off."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    whole: bool

    @property
    def media(self) -> str:
        return self.headers.get("content-type", "").split(";")[0].strip().lower()

    @property
    def text(self) -> str:
        found = re.search(r"charset=[\"']?([\w-]+)", self.headers.get("content-type", ""))
        try:
            return self.body.decode(found[1] if found else "utf-8-sig", errors="replace")
        except (LookupError, UnicodeError):  # no text encoding, or one that cannot replace what it does not know
            return self.body.decode(errors="replace")


async def read_body(stream: AsyncIterator[bytes], encoding: str, most: int) -> tuple[bytes, bool]:
    """At most ``most`` bytes, unpacked; the rest is left in the wire. Never more in memory than that and one
    chunk, however well it was packed. Raises ValueError for a packing that was not asked for."""
    kinds = {"": None, "identity": None, "gzip": 31, "x-gzip": 31, "deflate": 15}
    if encoding.lower().strip() not in kinds:
        raise ValueError(f"the answer is packed as {encoding[:40]!r}, which was not asked for")
    window = kinds[encoding.lower().strip()]
    unpack = zlib.decompressobj(window) if window else None
    body = bytearray()
    async for chunk in stream:
        try:
            body += unpack.decompress(chunk, most + 1 - len(body)) if unpack else chunk
        except zlib.error:
            raise ValueError("the answer cannot be unpacked") from None
        if len(body) > most:
            return bytes(body[:most]), False
    return bytes(body), True


def result_of(tool: Tool, answer: Answer, secrets: Secrets, limits: Limits, **more: Any) -> CallResult:
    """2xx with JSON or text is ok; every other status is ``raised``, what is no data ``unserialisable``."""
    name, more["http_status"] = tool.name, answer.status
    if not 200 <= answer.status < 300:
        said = secrets.scrub(_said(answer))  # before it is cut: half a key is a key's half
        said = said if len(said) <= SAID_CHARACTERS else said[:SAID_CHARACTERS] + "…"
        return failed("raised", f"{name}: the server answered {_status(answer.status)}{said}", **more)
    if not answer.body.strip():
        return succeeded(tool, "null", limits, **more)
    if answer.media in ("text/html", "application/xhtml+xml"):
        return failed("unserialisable", f"{name}: the server answered with an HTML page, not with data", **more)
    if not answer.whole:  # half of a JSON text has no value, and no rule is asked about it
        if not _is_text(answer):
            return failed("unserialisable", f"{name}: the server answered with {answer.media}", **more)
        return cut_off(secrets.scrub(answer.text), limits, **more)
    try:
        text = _canonical(answer.text, secrets)
    except (ValueError, RecursionError):
        if "json" in answer.media:
            return failed("unserialisable", f"{name}: the server's answer says it is JSON and is not", **more)
        if not _is_text(answer):
            kind = answer.media or "something of no declared type"
            return failed("unserialisable", f"{name}: the server answered with {kind}, not with data", **more)
        if re.match(r"\s*(<!doctype html|<html)", answer.text, re.IGNORECASE):
            return failed("unserialisable", f"{name}: the server answered with an HTML page, not with data", **more)
        text = json.dumps(secrets.scrub(answer.text), ensure_ascii=False)
    return succeeded(tool, text, limits, **more)


def _is_text(answer: Answer) -> bool:
    return not answer.media or "json" in answer.media or answer.media.startswith(TEXTS) or "+xml" in answer.media


def _canonical(text: str, secrets: Secrets) -> str:
    """The JSON text of what ``text`` says, without secrets."""

    def refuse(constant: str) -> Any:
        raise ValueError(constant)

    value = secrets.scrubbed(json.loads(text, parse_constant=refuse))
    found = json.dumps(value, ensure_ascii=False, allow_nan=False)  # 1e999 is JSON, and no number here
    found.encode()  # half a surrogate pair fails here, not in whoever stores it
    return found


def _said(answer: Answer) -> str:
    """The beginning of an error's body, in one line."""
    text = answer.text
    if "html" in answer.media or re.match(r"\s*<(!doctype|html)", text, re.IGNORECASE):
        title = re.search(r"<title[^>]*>([^<]*)", text, re.IGNORECASE)
        text = title[1] if title else "an HTML page"
    elif answer.whole:
        with contextlib.suppress(ValueError, RecursionError):
            text = _canonical(text, Secrets())
    text = " ".join(text.split())
    return f": {text}" if text else ""


def _status(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)
