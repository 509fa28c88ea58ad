"""The files of one document: its own, and those beside it that its references lead to.

A document may come from anywhere, so nothing is fetched, and nothing is read that is not JSON or YAML in the
document's own folder or below it."""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from lamina.errors import ToolDefinitionError
from lamina.tools.documents import MOST_BYTES, SUFFIXES, load_document
from lamina.tools.openapi.unusable import Unusable

MOST_FILES = 2_000
"""The largest public descriptions that are kept in parts have as many (our choice); together they may have
``MOST_BYTES``."""
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:|//")


class Files:
    """``root`` is the document with every reference as it is seen from the document's folder: ``#/…`` for the document
    itself, ``schemas/pet.yaml#/Pet`` for another file. So one thing has one name, whoever refers to it. ``others``
    are the files beside it that were read so far."""

    def __init__(self, root: Any, path: Path):
        self.path = path
        self.others: list[Path] = []
        self._known: dict[str, Any] = {}
        self._bytes = 0
        self.root = self._seen_from_folder(root, "", {})

    def load(self, name: str) -> Any:
        """What the file ``name`` holds. Raises Unusable for one that is not read, each time the same."""
        if name not in self._known:
            try:
                self._known[name] = self._seen_from_folder(self._load(name), name, {})
            except Unusable as reason:
                self._known[name] = reason
        found = self._known[name]
        if isinstance(found, Unusable):
            raise Unusable(found.code, found.detail)
        return found

    def _load(self, name: str) -> Any:
        file = self._beside(name)
        self._bytes += file.stat().st_size
        if len(self.others) >= MOST_FILES or self._bytes > MOST_BYTES:
            what = f"the files that the document refers to are more than {MOST_FILES:,} or {MOST_BYTES >> 20} MB"
            raise Unusable("too_large", f"{what}, and {name[:200]} comes after them")
        self.others.append(file)
        try:
            return load_document(file)
        except ToolDefinitionError as error:
            raise Unusable("unreadable", str(error)) from None

    def _beside(self, name: str) -> Path:
        """Where the file is, symbolic links followed: they must not lead out of the folder either."""
        said = name[:200]
        if _ADDRESS.match(name):
            raise Unusable("unresolved_ref", f"{said} is an address, and nothing is fetched: put a copy in its folder")
        if name.startswith(("/", "../")) or name == "..":
            raise Unusable("unresolved_ref", f"{said} is not in the document's folder, and nothing else is read")
        if not name.endswith(SUFFIXES):
            raise Unusable("unresolved_ref", f"{said} is not named as JSON or YAML ({', '.join(SUFFIXES)})")
        try:
            file = (self.path.parent / name).resolve(strict=True)
            usable = file.is_file()  # no pipe, which would be waited for
        except (OSError, ValueError, RuntimeError):  # a circle of links is the last, before Python 3.13
            usable = False
        if not usable:
            raise Unusable("unresolved_ref", f"there is no file {said} in the document's folder")
        if not file.is_relative_to(self.path.parent.resolve()) or file.suffix not in SUFFIXES:
            raise Unusable("unresolved_ref", f"{said} is a link that leads out of the document's folder")
        return file

    def _seen_from_folder(self, node: Any, name: str, done: dict[int, Any]) -> Any:
        """``node`` of the file ``name``. What has no other reference in it is itself, and no copy; what YAML's aliases
        share stays shared (``done``), so that no bomb goes off here."""
        if not isinstance(node, dict | list):
            return node
        if id(node) not in done:
            done[id(node)] = self._parts_seen_from_folder(node, name, done)
        return done[id(node)]

    def _parts_seen_from_folder(self, node: Any, name: str, done: dict[int, Any]) -> Any:
        if isinstance(node, list):
            parts = [self._seen_from_folder(part, name, done) for part in node]
            return parts if any(new is not old for new, old in zip(parts, node, strict=True)) else node
        found = {key: self._seen_from_folder(part, name, done) for key, part in node.items()}
        if isinstance(node.get("$ref"), str):
            found["$ref"] = self._located(node["$ref"], name)
        if isinstance(node.get("propertyName"), str) and isinstance(node.get("mapping"), dict):
            # a discriminator: references, or names of schemas
            found["mapping"] = {
                key: self._located(to, name) if isinstance(to, str) and ("#" in to or to.endswith(SUFFIXES)) else to
                for key, to in node["mapping"].items()
            }
        return found if any(found[key] is not part for key, part in node.items()) else node

    def _located(self, ref: str, name: str) -> str:
        """``ref``, said in the file ``name``, from the document's folder."""
        to, _, fragment = ref.partition("#")
        if not to:
            return f"{name}{ref}" if name else ref
        if _ADDRESS.match(to) or to.startswith("/"):
            return ref
        file = posixpath.normpath(posixpath.join(posixpath.dirname(name), unquote(to)))
        if file == self.path.name:
            return f"#{fragment}"
        return f"{file}#{fragment}" if fragment.strip("/") else file
