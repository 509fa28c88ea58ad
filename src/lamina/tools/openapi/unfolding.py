"""How far the references of a document are followed: schemas that double at every step have no end."""

from __future__ import annotations

from dataclasses import dataclass, field

from lamina.tools.openapi.unusable import Unusable

MOST_PARTS = 400_000
"""Of all schemas of a document, references followed: seconds of work, and 80 for each of 5,000 operations."""


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
