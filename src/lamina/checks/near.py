"""Near copies: requests for the same tools that say the same words in the same order, but for a few.

Two requests are near where their longest common subsequence of words is at least a share of the longer one: ROUGE-L's
measure, normalised by length (APIGen drops near copies of its seeds; the share is the user's). In a set of up to
``MANY`` requests every one is compared; beyond it MinHash proposes which (Broder, 1997), so that time does not grow
with the square of the rows."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

MANY = 50_000
"""Requests of one set of tools from which on MinHash proposes what to compare."""
PERMUTATIONS, BANDS, JACCARD = 64, 32, 0.4
"""Two words a band: of pairs that share half of their words 99.99 % are proposed."""
_SURROGATES = 0xD800, 0x800


class NearCopies:
    """``share`` of the longer request's words; 1 asks for the very words."""

    def __init__(self, share: float = 0.7, many: int = MANY):
        self.share, self.many = share, many
        self._characters: dict[str, str] = {}
        self._words: list[str] = []
        self._known: dict[str, list[str]] = defaultdict(list)
        self._proposals: dict[str, Any] = {}

    def add(self, request: str, tools: Iterable[str]) -> None:
        """``tools``: names of those that are called."""
        key, text = " ".join(sorted(set(tools))), self._coded(request)
        known = self._known[key]
        known.append(text)
        if len(known) > self.many:
            index = self._proposals.get(key)
            if index is None:
                index = self._proposals[key] = _index()
                for place, one in enumerate(known[:-1]):
                    index.insert(place, _minhash(one))
            index.insert(len(known) - 1, _minhash(text))

    def find(self, request: str, tools: Iterable[str]) -> str | None:
        """The nearest of the known requests for the same tools, its words folded, where there is a near one."""
        from rapidfuzz import process
        from rapidfuzz.distance import LCSseq

        key, text = " ".join(sorted(set(tools))), self._coded(request)
        known = self._known.get(key, [])
        if (index := self._proposals.get(key)) is not None:
            known = [known[place] for place in index.query(_minhash(text))]
        score = LCSseq.normalized_similarity
        best = process.extractOne(text, known, scorer=score, score_cutoff=self.share, processor=None)
        return " ".join(self._words[_place(c)] for c in best[0]) if best and text else None

    def _coded(self, request: str) -> str:
        """One character a word: what rapidfuzz compares fastest, and little to keep."""
        return "".join(map(self._character, re.findall(r"\w+", request.casefold())))

    def _character(self, word: str) -> str:
        found = self._characters.get(word)
        if found is None:
            number = len(self._words)
            found = self._characters[word] = chr(number if number < _SURROGATES[0] else number + _SURROGATES[1])
            self._words.append(word)
        return found


def _place(character: str) -> int:
    number = ord(character)
    return number if number < _SURROGATES[0] else number - _SURROGATES[1]


def _index() -> Any:
    from rensa import RMinHashLSH  # type: ignore[import-untyped]

    return RMinHashLSH(threshold=JACCARD, num_perm=PERMUTATIONS, num_bands=BANDS)


def _minhash(text: str) -> Any:
    from rensa import RMinHash

    made = RMinHash(num_perm=PERMUTATIONS, seed=0)
    made.update(list(text))
    return made
