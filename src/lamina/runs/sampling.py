"""An even sample of a stream, for whoever can look at some of many rows only: a slow judge, a page."""

from __future__ import annotations

import hashlib
import heapq
import random
from collections.abc import Mapping
from typing import Generic, TypeVar

Thing = TypeVar("Thing")


class Reservoir(Generic[Thing]):
    """An even sample of a stream whose length nobody knows (Vitter 1985, algorithm R), in the memory of the sample.
    ``seen``: how many were offered. The same seed and the same stream, the same sample."""

    def __init__(self, size: int, seed: int):
        self.drawn: list[Thing] = []
        self.seen = 0
        self._size = size
        self._places: list[int] = []
        self._rng = random.Random(f"{seed}/sample")

    def offer(self, one: Thing) -> Thing | None:
        """Takes it in, or not; returns what is out of the sample for good."""
        self.seen += 1
        if len(self.drawn) < self._size:
            self.drawn.append(one)
            self._places.append(self.seen)
            return None
        place = self._rng.randrange(self.seen)
        if place >= self._size:
            return one
        out, self.drawn[place] = self.drawn[place], one
        self._places[place] = self.seen
        return out

    def in_order(self) -> list[Thing]:
        """The sample as it stood in the stream."""
        order = sorted(range(len(self.drawn)), key=self._places.__getitem__)
        return [self.drawn[place] for place in order]


class KeyedSample(Generic[Thing]):
    """An even sample of the distinct keys of a stream, with everything that came under each, in the memory of the
    sample: those with the smallest digests (E. Cohen and H. Kaplan, "Summarizing data using bottom-k sketches", 2007).
    A key that was out once stays out, so what is kept of the others is whole. The same seed and keys, the same
    sample, in whatever order they come."""

    def __init__(self, size: int, seed: int):
        self._kept: dict[str, list[Thing]] = {}
        self._largest_first: list[tuple[int, str]] = []
        self._size = size
        self._seed = seed

    def offer(self, key: str, one: Thing) -> None:
        if key in self._kept:
            self._kept[key].append(one)
            return
        digest = int.from_bytes(hashlib.sha256(f"{self._seed}/{key}".encode("utf-8", "replace")).digest()[:8])
        if len(self._kept) == self._size:
            if -digest <= self._largest_first[0][0]:
                return
            del self._kept[heapq.heappop(self._largest_first)[1]]
        heapq.heappush(self._largest_first, (-digest, key))
        self._kept[key] = [one]

    def __len__(self) -> int:
        return len(self._kept)

    def smallest(self, size: int) -> dict[str, list[Thing]]:
        """As if the sample had been so large, its keys as they came first."""
        chosen = {key for _, key in sorted(self._largest_first, reverse=True)[:size]}
        return {key: found for key, found in self._kept.items() if key in chosen}


def even_shares(sizes: Mapping[str, int], most: int) -> dict[str, int]:
    """``most`` places for groups of these sizes: as many for each, and what a small group does not need for the
    others."""
    shares: dict[str, int] = {}
    left = most
    for number, name in enumerate(sorted(sizes, key=lambda name: sizes[name])):
        shares[name] = min(sizes[name], left // (len(sizes) - number))
        left -= shares[name]
    return shares
