"""The arguments of one operation, as they are gathered from its parameters and its body."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field
from typing import Any

from lamina.tools.naming import identifier, unique
from lamina.tools.openapi.document import Document, as_object
from lamina.tools.openapi.unusable import Unusable
from lamina.tools.targets import Credential, Place, Where
from lamina.tools.tool import JSON


@dataclass
class Arguments:
    """The arguments of one operation as they are gathered. ``renamed`` tells of names that had to change,
    ``keys`` of parameters that are keys though no security scheme says so, and whether they are required.
    ``dependent``: what an argument needs beside it where it is given, as ``dependentRequired`` says it. ``others``:
    the schema of fields that the body takes beside its own, False where it does not ask for any."""

    properties: JSON = field(default_factory=dict)
    required: list[str] = field(default_factory=list)
    dependent: dict[str, list[str]] = field(default_factory=dict)
    others: JSON | bool = False
    places: list[Place] = field(default_factory=list)
    keys: list[tuple[Credential, bool]] = field(default_factory=list)
    renamed: list[str] = field(default_factory=list)

    @property
    def asks_beside_body(self) -> bool:
        """Whether something is required that stands neither in the path nor in the body."""
        return any(p.argument in self.required and p.where not in ("path", "body") for p in self.places)

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


def description_of(operation: JSON) -> str:
    """Summary and description, the one not repeated in the other, without markup."""
    said = [without_markup(operation[k]) for k in ("summary", "description") if isinstance(operation.get(k), str)]
    said = [s for s in said if s]
    if len(said) == 2 and said[1].lower().startswith(said[0].rstrip(".").lower()):
        said = said[1:]
    return "\n".join(dict.fromkeys(said))


def without_markup(text: str) -> str:
    text = re.sub(r"<[a-zA-Z/][^<>]{0,300}>", " ", text)
    text = re.sub(r"!?\[([^\[\]]{1,300})\]\([^()\s]{1,500}\)", r"\1", text)
    text = html.unescape(text)
    return "\n".join(" ".join(line.split()) for line in re.split(r"\n\s*\n", text) if line.strip())


def examples_of(document: Document, parameter: JSON) -> list[Any]:
    """Three at most. One that cannot be found is none: an operation does not depend on it."""
    if parameter.get("example") is not None:
        return [parameter["example"]]
    values = []
    for said in as_object(parameter.get("examples")).values():
        try:
            values.append(as_object(document.follow(said)).get("value"))
        except Unusable:
            continue
    return [v for v in values if v is not None][:3]
