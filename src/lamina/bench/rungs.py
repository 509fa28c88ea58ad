"""The files of a quantization ladder, made from one model; what is there already is not made again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from lamina.bench.identity import fingerprint
from lamina.errors import InputError
from lamina.runs import Progress, Row, Run
from lamina.tools.tool import JSON

if TYPE_CHECKING:
    from lamina.quantize.model_source import Source

FEW_BITS = 15.0
"""A source with fewer bits a weight than this was quantized before (16-bit files have a few tensors in 32)."""


def make_rungs(
    source: Path,
    types: Sequence[str],
    run: Run,
    progress: Progress | None = None,
    *,
    apart: bool = False,
    images: bool = False,
) -> JSON:
    """``{"files", "source", "title"}``: ``files`` as of ``quantize_types``, in the run's folder ``gguf``, or, ``apart``
    from those of other sources, in a folder of that named after source and contents. ``images``: the files will be
    asked about images, so that the vision part of a source that is a folder is written beside them. Raises InputError
    for a type not on offer or a source that is none, DamagedFileError for one cut short."""
    from lamina.quantize import quantize_types
    from lamina.quantize.folder_source import sees
    from lamina.quantize.precisions import precisions
    from lamina.quantize.sources import source_of

    chosen = [one.name for one in precisions(types)]
    if len(set(chosen)) < len(chosen):
        twice = next(name for name in chosen if chosen.count(name) > 1)
        raise InputError(f"the type {twice} is named twice", mend="name each type once")
    progress = progress or Progress(silent=True)
    born = birth_of(source)
    source_of(source)  # a folder that cannot be exported is said before anything is written
    identity, files = fingerprint(str(source)), []
    place = f"{source.name.removesuffix('.gguf')}-{identity[:8]}" if apart else ""
    folder = run.folder / "gguf" / place
    with progress.stage(f"quantize {source.name}" if apart else "quantize", total=len(chosen)) as bar:
        for position, type in enumerate(chosen):
            id = f"{place}/{type}" if apart else type
            file = _made_before(run, identity, type, id)
            if file is None:
                (file,) = quantize_types(source, [type], folder)
                made = orjson.dumps({"identity": identity, "file": file})
                run.store.replace(Row("gguf", id, position, made))
            files.append(file)
            bar.advance(type=type)
    if images and sees(source):
        _write_vision_part(source, identity, folder, run, f"{place}/vision" if apart else "vision")
    return {"files": files, "source": {"path": str(source), **born}, "title": title_of(source, born)}


def _write_vision_part(source: Path, identity: str, folder: Path, run: Run, id: str) -> None:
    """Unless it is there, of this very source."""
    from lamina.quantize.vision_part import export_vision_part

    if _made_before(run, identity, "vision", id) is None:
        made = orjson.dumps({"identity": identity, "file": export_vision_part(source, folder)})
        run.store.replace(Row("gguf", id, 0, made))


def _made_before(run: Run, identity: str, type: str, id: str | None = None) -> JSON | None:
    """The file of the type, where it is there, whole, and was made of this very source: files of all sources have the
    same names. ``id``: of its row, where that is not the type. Runs of before that was kept have a row a source."""
    row = run.store.get("gguf", id or type)
    if row is not None:
        known = orjson.loads(row.payload)
        file: JSON | None = known["file"] if known["identity"] == identity else None
    else:
        older = run.store.get("gguf", f"{identity}:{type}")
        file = orjson.loads(older.payload) if older else None
    return file if file is not None and _whole(file) else None


def birth_of(source: Path) -> JSON:
    """``{"kind", "bits_per_weight", "base"}``: the type of most weights and the bits of all. ``base`` is the type that
    the weights were rounded to before (``born_as``): of the GGUF file that a folder was trained from, or a file in 16
    bits was made from. Raises InputError."""
    from lamina.quantize.sources import source_of

    return birth_of_source(source_of(source))


def birth_of_source(opened: Source) -> JSON:
    """``birth_of``, of what is open already."""
    from lamina.quantize.ggml import byte_count
    from lamina.quantize.sources import born_as

    found: Counter[str] = Counter()
    bits = 0
    for tensor in opened.tensors.values():
        kind = str(getattr(tensor, "kind", "F32"))
        found[kind] += prod(tensor.shape)
        bits += 8 * byte_count(kind, tensor.shape)
    return {
        "kind": found.most_common(1)[0][0],
        "bits_per_weight": round(bits / found.total(), 2),
        "base": born_as(opened),
    }


def title_of(source: Path, born: JSON) -> str:
    """Says it where the source is no full-precision model: its ladder shows what another rounding costs."""
    title, kind, base = f"Quantization ladder of {source.name}", born["kind"], born["base"]
    if born["bits_per_weight"] < FEW_BITS:
        bits = f"{born['bits_per_weight']:.1f} bits a weight"
        return f"{title}, born at {bits} ({kind}): what rounding it again costs, not what {kind} costs"
    if base and base not in ("F32", "F16", "BF16"):
        made = "made" if source.suffix == ".gguf" else "trained"
        return f"{title}, {made} from a {base} file: what rounding costs after that, not what {base} costs"
    return title


def _whole(file: JSON) -> bool:
    path = Path(file["path"])
    return path.is_file() and path.stat().st_size == file["bytes"]
