"""Contamination: is a row a copy, or nearly one, of a request that a model will be scored on?

Near means at least 0.9 of the characters in order, after case and punctuation are folded (our choice): the same
sentence with another city in it is another request, with a typing error it is not."""

from __future__ import annotations

import re
from collections.abc import Sequence

NEAR = 0.9


def contaminated(requests: Sequence[str], held_out: Sequence[str]) -> dict[int, int]:
    """For each request that copies a held-out one: its index to the other's."""
    import numpy as np
    from rapidfuzz import process
    from rapidfuzz.distance import Indel

    if not requests or not held_out:
        return {}
    scores = process.cdist(
        [_folded(r) for r in requests], [_folded(h) for h in held_out],
        scorer=Indel.normalized_similarity, score_cutoff=NEAR, workers=2,
    )  # fmt: skip
    return {int(i): int(np.argmax(scores[i])) for i in np.flatnonzero(scores.max(axis=1) > 0)}


def _folded(text: str) -> str:
    return re.sub(r"\W+", " ", text.casefold()).strip()
