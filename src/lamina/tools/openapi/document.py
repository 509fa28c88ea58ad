"""An OpenAPI document: its version, and ``$ref`` within it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from lamina.tools.tool import JSON

MOST_HOPS = 50
MOST_PARTS = 400_000
"""Of all schemas of a document, references followed: seconds of work, and 80 for each of 5,000 operations."""


class Unusable(Exception):
    """An operation of which no tool can be made; ``code`` is one of ``lamina.tools.linting.CODES``."""

    def __init__(self, code: str, detail: str):
        super().__init__(detail)
        self.code, self.detail = code, detail


class DocumentTooLarge(Unusable):
    """The schemas of a document are too large together: what comes after is left out, operation by operation."""

    def __init__(self) -> None:
        what = f"the schemas of the document have more than {MOST_PARTS:,} parts together once references are followed"
        super().__init__("too_large", f"{what}, and this operation comes after them")


@dataclass
class Unfolding:
    """What following the references of a document has cost. ``left``: parts of schemas that may still be read.
    ``at_least``: for references that once led too far, how many parts they have at the least. ``circular``:
    references of which that is not known, for they have fewer parts where one of their circle is open."""

    left: int = field(default_factory=lambda: MOST_PARTS)
    at_least: dict[str, int] = field(default_factory=dict)
    circular: set[str] = field(default_factory=set)

    def needs(self, ref: str) -> int:
        return 0 if ref in self.circular else self.at_least.get(ref, 0)


@dataclass(frozen=True)
class Document:
    """``version`` is 2.0, 3.0 or 3.1 (3.2 reads as 3.1)."""

    root: JSON
    path: Path
    version: str
    unfolding: Unfolding = field(default_factory=Unfolding)

    @property
    def title(self) -> str:
        return str(as_object(self.root.get("info")).get("title") or self.path.stem)

    @property
    def variable(self) -> str:
        """What the names of its environment variables begin with."""
        return re.sub(r"[^A-Z0-9]+", "_", self.path.stem.upper()).strip("_") or "API"

    def follow(self, node: Any) -> Any:
        """``node``, or what its ``$ref`` leads to. Raises Unusable for one that leads nowhere, out of the
        document or in a circle."""
        seen: set[str] = set()
        while isinstance(node, dict) and isinstance(node.get("$ref"), str):
            ref = node["$ref"]
            if ref in seen or len(seen) > MOST_HOPS:
                raise Unusable("unresolved_ref", f"{ref} leads back to itself")
            seen.add(ref)
            node = self.at(ref)
        return node

    def at(self, ref: str) -> Any:
        if not ref.startswith("#"):
            raise Unusable("unresolved_ref", f"{ref[:200]} is in another document, and only one is read")
        node: Any = self.root
        for part in filter(None, ref[1:].split("/")):
            key = unquote(part).replace("~1", "/").replace("~0", "~")
            if isinstance(node, dict) and key in node:
                node = node[key]
            elif isinstance(node, list) and key.isdecimal() and int(key) < len(node):
                node = node[int(key)]
            else:
                raise Unusable("unresolved_ref", f"{ref[:200]} leads nowhere")
        return node


def version_of(root: Any) -> str | None:
    """2.0, 3.0 or 3.1; None for what is no OpenAPI document of these."""
    if not isinstance(root, dict):
        return None
    if str(root.get("swagger", "")).startswith("2"):
        return "2.0"
    said = str(root.get("openapi", ""))
    if said.startswith("3."):
        return "3.0" if said.startswith("3.0") else "3.1"
    return None


def as_object(value: Any) -> JSON:
    """``value``, or nothing where a document has something else than an object."""
    return value if isinstance(value, dict) else {}


def is_true(value: Any) -> bool:
    """``true``, also where a document has it in quotation marks, as RestGPT's of Spotify has."""
    return value is True or value == "true"


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
