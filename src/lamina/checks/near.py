"""Near copies: requests for the same tools that say the same words in the same order, but for a few.

Two requests are near where their longest common subsequence of words is at least a share of the longer one: ROUGE-L's
measure, normalised by length (APIGen drops near copies of its seeds; the share is the user's). In a set of up to
``MANY`` requests every one is compared; beyond it MinHash proposes which (Broder, 1997), so that time does not grow
with the square of the rows."""

from __future__ import annotations

import re
import zlib
from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator

MANY = 50_000
"""Requests of one set of tools from which on MinHash proposes what to compare."""
PERMUTATIONS, BANDS = 64, 32
"""Two words a band: of pairs that share half of their words 99.99 % are proposed."""
BUCKETS = 1 << 18
"""Of a band. A bucket may hold requests that have nothing in common: they are compared in vain, no more."""
_SURROGATES = 0xD800, 0x800
_MOST_WORDS = 0x110000 - _SURROGATES[1]


class WordCodes:
    """Texts with one character a word: what rapidfuzz compares fastest, and little to keep."""

    most_words = _MOST_WORDS

    def __init__(self) -> None:
        self._characters: dict[str, str] = {}
        self._words: list[str] = []

    def coded(self, words: Iterable[str]) -> str:
        return "".join(map(self._character, words))

    def words(self, coded: str) -> list[str]:
        return [self._words[_place(character)] for character in coded]

    def _character(self, word: str) -> str:
        found = self._characters.get(word)
        if found is None:
            number = len(self._words)
            if number == self.most_words:  # no characters are left: rare words share those of others
                return self._characters[self._words[zlib.crc32(word.encode("utf-8", "replace")) % number]]
            found = self._characters[word] = chr(number if number < _SURROGATES[0] else number + _SURROGATES[1])
            self._words.append(word)
        return found


class NearCopies:
    """``share`` of the longer request's words; 1 asks for the very words."""

    def __init__(self, share: float = 0.7, many: int = MANY):
        self.share, self.many = share, many
        self._codes = WordCodes()
        self._known: dict[str, list[str]] = defaultdict(list)
        self._proposals: dict[str, _Proposals] = {}

    def add(self, request: str, tools: Iterable[str]) -> None:
        """``tools``: names of those that are called."""
        key, text = " ".join(sorted(set(tools))), self._coded(request)
        known = self._known[key]
        known.append(text)
        if len(known) > self.many:
            index = self._proposals.get(key)
            if index is None:
                index = self._proposals[key] = _Proposals()
                for one in known[:-1]:
                    index.add(one)
            index.add(text)

    def find(self, request: str, tools: Iterable[str]) -> str | None:
        """The nearest of the known requests for the same tools, its words folded, where there is a near one."""
        from rapidfuzz import process
        from rapidfuzz.distance import LCSseq

        key, text = " ".join(sorted(set(tools))), self._coded(request)
        known = self._known.get(key, [])
        if (index := self._proposals.get(key)) is not None:
            known = [known[place] for place in sorted(index.near(text))]
        score = LCSseq.normalized_similarity
        best = process.extractOne(text, known, scorer=score, score_cutoff=self.share, processor=None)
        return " ".join(self._codes.words(best[0])) if best and text else None

    def _coded(self, request: str) -> str:
        return self._codes.coded(re.findall(r"\w+", request.casefold()))


def _place(character: str) -> int:
    number = ord(character)
    return number if number < _SURROGATES[0] else number - _SURROGATES[1]


class _Proposals:
    """Which texts share a band of their MinHash. Chained hash tables in arrays, some 130 bytes a text where a dict of
    lists takes 3,000."""

    def __init__(self) -> None:
        self._heads = [array("i", [-1]) * BUCKETS for _ in range(BANDS)]
        self._before: list[array[int]] = [array("i") for _ in range(BANDS)]
        """Of each text, the one before it in the bucket of the band."""

    def add(self, text: str) -> None:
        for heads, before, bucket in zip(self._heads, self._before, _buckets(text), strict=True):
            before.append(heads[bucket])
            heads[bucket] = len(before) - 1

    def near(self, text: str) -> set[int]:
        """Places of the texts, in the order in which they were added."""
        found: set[int] = set()
        for heads, before, bucket in zip(self._heads, self._before, _buckets(text), strict=True):
            place = heads[bucket]
            while place >= 0:
                found.add(place)
                place = before[place]
        return found


def _buckets(text: str) -> Iterator[int]:
    """The bucket of each band."""
    from rensa import RMinHash  # type: ignore[import-untyped]

    made = RMinHash(num_perm=PERMUTATIONS, seed=0)
    made.update(list(text))
    numbers = made.digest()
    rows = PERMUTATIONS // BANDS
    for at in range(0, PERMUTATIONS, rows):
        yield hash(tuple(numbers[at : at + rows])) % BUCKETS
