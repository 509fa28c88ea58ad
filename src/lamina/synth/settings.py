"""What a synthesis is made of; every number is our choice unless it says otherwise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lamina.errors import UserError

GRAMMAR_SHARE_AT_MOST = 1 / 3
ATTEMPTS_PER_ROW = 4
"""Synthesis stops, saying so, at this many attempts for each row asked for."""


@dataclass(frozen=True)
class SynthSettings:
    """``rows``: verified rows wanted. ``targets``: attempts, whatever they yield (then ``rows`` is ignored).
    ``how``: ``call-first`` draws a valid call and has the model write the request; ``pairs`` is APIGen's own,
    the model writes query and answer (arXiv 2406.18518 section 3.1). ``round_trip``: ``warm-up`` (a model
    tuned for a moment on the rows at hand), ``none`` or a model reference. ``judge``: ``none`` or a model
    reference. ``variants``: how often each example of one call that the user wrote is
    said again with other values. ``allow_changes``: whether tools may be called that change things elsewhere."""

    rows: int = 330
    targets: int | None = None
    writer: str = "embedded"
    judge: str = "none"
    round_trip: str = "none"
    how: Literal["call-first", "pairs"] = "call-first"
    grammar_share: float = 0.32
    variants: int = 2
    temperature: float = 0.4
    slots: int = 1
    batch: int = 64
    seed: int = 0
    now: str = "2026-11-23T10:00:00"
    allow_changes: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.grammar_share <= GRAMMAR_SHARE_AT_MOST:
            raise UserError(f"grammar_share is {self.grammar_share}; it must lie between 0 and 1/3")
        if self.variants < 0:
            raise UserError(f"variants is {self.variants}; give 0 for none")
        if self.rows < 1 or (self.targets is not None and self.targets < 1):
            raise UserError("rows and targets must be at least 1")

    @property
    def wanted(self) -> int | None:
        """Verified rows at which to stop; None where attempts alone are counted."""
        return None if self.targets is not None else self.rows

    @property
    def attempts(self) -> int:
        return self.targets if self.targets is not None else ATTEMPTS_PER_ROW * self.rows
