"""Models whose files are the same, whatever they are called: asked once, and told apart in every row and page.

A type whose rows fit no block falls back to another, and then two rungs of a ladder hold the same tensors and differ in
nothing but the type that they say they are."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from lamina.bench.asked import Ask, BenchModel, stored
from lamina.bench.crashes import is_settled
from lamina.bench.identity import adapter_beside, vision_part
from lamina.runs import Row, Run
from lamina.trajectories import content_id

if TYPE_CHECKING:
    import numpy as np

SAYS = "general.file_type"
_BLOCK = 1 << 24


def twins_of(models: Sequence[BenchModel], identities: Sequence[str], images: bool) -> dict[str, str]:
    """By the name of a model that of the first one that is the same and is asked the same way. ``images``: they will be
    asked about some, so that their vision parts have to be the same as well."""
    found: dict[str, str] = {}
    firsts: list[tuple[BenchModel, str]] = []
    for model, identity in zip(models, identities, strict=True):
        same = (one for one, its in firsts if _asked_alike(one, model) and _same(one, model, its == identity, images))
        first = next(same, None)
        if first is None:
            firsts.append((model, identity))
        else:
            found[model.name] = first.name
    return found


def own_identities(models: Sequence[BenchModel], identities: Sequence[str]) -> list[str]:
    """The fingerprints, with another one for the second model that has the same and is asked the same way: its samples
    are rows of their own."""
    seen: dict[object, int] = {}
    found = []
    for model, identity in zip(models, identities, strict=True):
        key = (identity, model.style, model.system, model.copied)
        n = seen[key] = seen.get(key, 0) + 1
        found.append(identity if n == 1 else content_id("twin", identity, n))
    return found


def share_answers(given: Sequence[Ask], asks: Sequence[Ask], model: BenchModel, run: Run) -> None:
    """Stores for ``model`` what was answered to ``given``, which are the same questions in the same order, wherever it
    has no answer of its own."""
    for place, (theirs, ours) in enumerate(zip(given, asks, strict=True)):
        record = stored(run, "sample", theirs.key)
        if record is None or is_settled(stored(run, "sample", ours.key), retry_crashed=True):
            continue
        record |= {"model": model.label, "precision": model.precision}
        record |= {"asked": ours.asked} if ours.asked else {}
        run.store.replace(Row("sample", ours.key, place, orjson.dumps(record)))


def _asked_alike(one: BenchModel, other: BenchModel) -> bool:
    return (one.style, one.system, one.copied) == (other.style, other.system, other.copied)


def _same(one: BenchModel, other: BenchModel, same_fingerprint: bool, images: bool) -> bool:
    """A script may do otherwise in another folder, and what lives elsewhere is not seen."""
    from lamina.models.gguf_files import model_file

    files = [model_file(model.ref) for model in (one, other)]
    if any(model.ref.startswith(("scripted:", "openai:")) for model in (one, other)):
        return False
    if same_fingerprint:
        return all(file.exists() for file in files)
    if any(file.suffix != ".gguf" or not file.is_file() for file in files):
        return False
    if adapter_beside(one.ref) != adapter_beside(other.ref):
        return False
    parts = [vision_part(model.ref) if images else None for model in (one, other)]
    return _same_but_for_the_type(*files) and (parts[0] == parts[1] or _same_bytes(*parts))


def _same_bytes(one: Path | None, other: Path | None) -> bool:
    return one is not None and other is not None and _apart(one, other) == []


def _same_but_for_the_type(one: Path, other: Path) -> bool:
    """Whether all that differs are the four bytes of the type that each says it is."""
    from lamina.errors import ModelError
    from lamina.models.gguf_header import gguf_metadata

    places = _apart(one, other)
    if places is None or (places and places[-1] - places[0] > 3):
        return False
    try:
        said = [gguf_metadata(file) for file in (one, other)]
    except ModelError:
        return not places
    kept = [{key: value for key, value in values.items() if key != SAYS} for values in said]
    return not places or (said[0].get(SAYS) != said[1].get(SAYS) and kept[0] == kept[1])


def _apart(one: Path, other: Path, most: int = 4) -> list[int] | None:
    """Where the bytes of two files differ; None where they do in more than ``most`` places or in length."""
    import numpy as np

    if one.stat().st_size != other.stat().st_size:
        return None
    found: list[int] = []
    files = [_mapped(file) for file in (one, other)]
    for start in range(0, len(files[0]), _BLOCK):
        blocks = [np.asarray(file[start : start + _BLOCK]) for file in files]
        if not np.array_equal(blocks[0], blocks[1]):
            found += [start + int(place) for place in np.flatnonzero(blocks[0] != blocks[1])[: most + 1]]
        if len(found) > most:
            return None
    return found


def _mapped(file: Path) -> np.ndarray[Any, Any]:
    import numpy as np

    return np.memmap(file, np.uint8, "r") if file.stat().st_size else np.zeros(0, np.uint8)
