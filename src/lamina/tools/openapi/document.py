"""An OpenAPI document: its version, and where each ``$ref`` leads."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from lamina.tools.openapi.files import Files
from lamina.tools.openapi.unfolding import Unfolding
from lamina.tools.openapi.unusable import Unusable
from lamina.tools.tool import JSON

MOST_HOPS = 50
MOST_STEPS = 200
"""Of one reference into a document, as deep as documents may be nested."""


@dataclass(frozen=True)
class Document:
    """``version`` is 2.0, 3.0 or 3.1 (3.2 reads as 3.1)."""

    files: Files
    version: str
    unfolding: Unfolding = field(default_factory=Unfolding)

    @property
    def root(self) -> JSON:
        return as_object(self.files.root)

    @property
    def title(self) -> str:
        return str(as_object(self.root.get("info")).get("title") or self.files.path.stem)

    @property
    def variable(self) -> str:
        """What the names of its environment variables begin with."""
        return re.sub(r"[^A-Z0-9]+", "_", self.files.path.stem.upper()).strip("_") or "API"

    def follow(self, node: Any) -> Any:
        """``node``, or what its ``$ref`` leads to. Raises Unusable for one that leads nowhere, to a file that is not
        read, or in a circle."""
        return self._followed(node, self.at)

    def at(self, ref: str) -> Any:
        """What stands at ``ref``. A part of the way there may be a reference itself (``schemas``, all of them in a file
        of its own): OpenAPI knows no such thing, but authors write it, and other tools read it."""
        return self._walked(ref, lambda node: self._followed(node, self._straight))

    def _straight(self, ref: str) -> Any:
        """As ``at``, of a way without references: else few of them could be many ways."""
        return self._walked(ref, lambda node: node)

    def _followed(self, node: Any, at: Callable[[str], Any]) -> Any:
        seen: set[str] = set()
        while isinstance(node, dict) and isinstance(node.get("$ref"), str):
            ref = node["$ref"]
            if ref in seen or len(seen) > MOST_HOPS:
                raise Unusable("unresolved_ref", f"{ref[:200]} leads back to itself")
            seen.add(ref)
            node = at(ref)
        return node

    def _walked(self, ref: str, follow: Callable[[Any], Any]) -> Any:
        name, _, pointer = ref.partition("#")
        node = self.files.load(name) if name else self.files.root
        steps = [unquote(part).replace("~1", "/").replace("~0", "~") for part in pointer.split("/") if part]
        if len(steps) > MOST_STEPS:
            raise Unusable("unresolved_ref", f"{ref[:200]} leads nowhere")
        for key in steps:
            if isinstance(node, dict) and key not in node:
                node = follow(node)
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


def name_of(ref: str) -> str:
    """What a reference calls the thing that it leads to: its last word, without the suffix of a file."""
    name = ref.rstrip("#/").rpartition("/")[2]
    return name if "#" in ref else name.rpartition(".")[0] or name
