"""Contamination: is a row a copy, or nearly one, of a request that a model will be scored on?

Near means at least 0.9 of the characters in order, after case and punctuation are folded (our choice): the same
sentence with another city in it is another request, with a typing error it is not."""

from __future__ import annotations

import re
from collections.abc import Sequence

from lamina.trajectories import Trajectory

STAGE = "contamination"
NEAR = 0.9
SHORTEST = 5
"""Words of what a user says later in a conversation, from which on it is a request that may be copied: "yes, please" is
said in two by chance (our choice)."""
CELLS = 1_000_000
"""Scores that are held at once, four bytes each: memory does not grow with the rows."""


def requests_in(record: Trajectory) -> list[str]:
    """What a record is compared by: its requests as they stand, and the first as it was written before chatter was put
    around it (``meta.clean``), which hides one request in two."""
    clean = (record.meta.model_extra or {}).get("clean")
    said, *later = requests_said(record)
    return list(dict.fromkeys([said, *([clean] if isinstance(clean, str) and clean else []), *later]))


def requests_said(record: Trajectory) -> list[str]:
    """The request, and of what the user says later whatever has ``SHORTEST`` words."""
    later = [message.content for message in record.messages if message.role == "user"][1:]
    return [record.request, *(text for text in later if len(_folded(text).split()) >= SHORTEST)]


def contaminated_rows(rows: Sequence[Sequence[str]], held_out: Sequence[str]) -> dict[int, int]:
    """For each row that copies a held-out request by any of its texts: its index to the other's."""
    said = [(number, text) for number, texts in enumerate(rows) for text in texts]
    found = contaminated([text for _, text in said], held_out)
    return {said[place][0]: other for place, other in reversed(list(found.items()))}


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
