"""Small copies of the images that samples ask about, kept in the run's store, so that the page of samples shows what
was asked also where the data is not (any more)."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from itertools import islice

import orjson

from lamina.errors import InputError, MissingExtraError
from lamina.models.images import picture
from lamina.runs import Row, Run

KIND = "picture"
EDGE = 192
"""Pixels of the longer side (our choice: a few kilobytes each)."""
MOST = 1000
"""Of one run (our choice: a few megabytes on the page)."""


def keep_pictures(run: Run) -> None:
    """Rows of the kind ``picture`` under the image's path, JPEG. An image that cannot be read has none: its sample says
    why. Raises StorageError."""
    count = run.store.count(KIND)
    for path in islice(_asked(run), MOST):
        if run.store.get(KIND, path) is None and (small := _small(path)):
            run.store.put([Row(KIND, path, count, small)])
            count += 1


def _asked(run: Run) -> Iterator[str]:
    seen: dict[str, None] = {}
    for row in run.store.iterate("sample"):
        for path in _images(orjson.loads(row.payload)["transcript"]):
            if path not in seen:
                seen[path] = None
                yield path


def _images(turns: Iterable[dict[str, list[str]]]) -> list[str]:
    return [path for turn in turns for path in turn.get("images") or []]


def _small(path: str) -> bytes:
    try:
        made = picture(path)
    except (InputError, MissingExtraError):
        return b""
    made.thumbnail((EDGE, EDGE))
    packed = io.BytesIO()
    made.save(packed, "JPEG", quality=85)
    return packed.getvalue()
