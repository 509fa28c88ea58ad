"""Contamination: is a row a copy, or nearly one, of a request that a model will be scored on?

Near means at least 0.9 of the characters in order, after case and punctuation are folded (our choice): the same
sentence with another city in it is another request, with a typing error it is not."""

from __future__ import annotations

import re
from collections.abc import Sequence

STAGE = "contamination"
NEAR = 0.9
CELLS = 1_000_000
"""Scores that are held at once, four bytes each: memory does not grow with the rows."""


def contaminated(requests: Sequence[str], held_out: Sequence[str]) -> dict[int, int]:
    """For each request that copies a held-out one: its index to the other's."""
    if not requests or not held_out:
        return {}
    others = [_folded(h) for h in held_out]
    block = max(1, CELLS // len(others))
    found: dict[int, int] = {}
    for start in range(0, len(requests), block):
        found |= _copies(requests[start : start + block], others, start)
    return found


def _copies(requests: Sequence[str], others: Sequence[str], start: int) -> dict[int, int]:
    import numpy as np
    from rapidfuzz import process
    from rapidfuzz.distance import Indel

    scores = process.cdist(
        [_folded(r) for r in requests], others,
        scorer=Indel.normalized_similarity, score_cutoff=NEAR, workers=2,
    )  # fmt: skip
    return {start + int(i): int(np.argmax(scores[i])) for i in np.flatnonzero(scores.max(axis=1) > 0)}


def _folded(text: str) -> str:
    return re.sub(r"\W+", " ", text.casefold()).strip()
