"""Parameters that are keys though the document declares no security scheme for them: a model must not make one up, and
none may enter a record."""

from __future__ import annotations

import re
from typing import Any

from lamina.tools.openapi.document import Document, as_object
from lamina.tools.openapi.unusable import Unusable

_SURE = re.compile(
    r"([a-z0-9]+[-_])*((rapid)?api|app|application|access|auth|oauth|subscription|private|secret|client)"
    r"[-_]?(key|token|secret)",
    re.IGNORECASE,
)
"""``X-RapidAPI-Key``, ``access_token``, ``Ocp-Apim-Subscription-Key``: nothing else is called so."""
_MAYBE = re.compile(r"(x[-_])?(app[-_]?id|key|token)", re.IGNORECASE)
"""Keys to most services (``key`` to Google's, ``appid`` to OpenWeather's), data to a few (the key of a setting)."""
_SAID = re.compile(
    r"\bapi\b|auth|access|secret|credential|\byour (own |personal |unique )?(app )?(key|token|id)\b", re.IGNORECASE
)
"""Words, one of which is in what a service says of its key."""


def is_key(document: Document, where: str, name: str, parameter: dict[str, Any]) -> bool:
    """A header or a query parameter that holds free text, and a key by its name; where the name may be another thing's,
    what the document says of it decides, and where it says nothing, it is a key."""
    if where not in ("header", "query") or not (_SURE.fullmatch(name) or _MAYBE.fullmatch(name)):
        return False
    if not _is_free_text(document, parameter):
        return False
    said = parameter.get("description")
    told = isinstance(said, str) and bool(said.strip())
    return bool(_SURE.fullmatch(name)) or not told or bool(_SAID.search(str(said)))


def _is_free_text(document: Document, parameter: dict[str, Any]) -> bool:
    """Of a schema that leads nowhere nothing is known; what cannot be read is no reason to ask a model for a key."""
    try:
        schema = as_object(document.follow(parameter.get("schema", parameter)))
    except Unusable:
        return True
    kind = schema.get("type", "string")
    return "enum" not in schema and "string" in (kind if isinstance(kind, list) else [kind])
