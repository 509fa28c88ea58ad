"""The files of a quantization ladder, made from one model; what is there already is not made again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import prod
from pathlib import Path

import orjson

from lamina.bench.identity import fingerprint
from lamina.errors import InputError
from lamina.runs import Progress, Row, Run
from lamina.tools.tool import JSON

FEW_BITS = 15.0
"""A source with fewer bits a weight than this was quantized before (16-bit files have a few tensors in 32)."""


def make_rungs(source: Path, types: Sequence[str], run: Run, progress: Progress | None = None) -> JSON:
    """``{"files", "source", "title"}``: ``files`` as of ``quantize_types``, in the run's folder ``gguf``. Raises
    InputError for a type not on offer or a source that is none."""
    from lamina.quantize import quantize_types
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
    with progress.stage("quantize", total=len(chosen)) as bar:
        for position, name in enumerate(chosen):
            file = _made_before(run, identity, name)
            if file is None:
                (file,) = quantize_types(source, [name], run.folder / "gguf")
                row = {"identity": identity, "file": file}
                run.store.replace(Row("gguf", name, position, orjson.dumps(row)))
            files.append(file)
            bar.advance(type=name)
    return {"files": files, "source": {"path": str(source), **born}, "title": title_of(source, born)}


def _made_before(run: Run, identity: str, type: str) -> JSON | None:
    """The file of the type, where it is there, whole, and was made of this very source: files of all sources have the
    same names. Runs of before that was kept have a row a source."""
    row = run.store.get("gguf", type)
    if row is not None:
        known = orjson.loads(row.payload)
        file: JSON | None = known["file"] if known["identity"] == identity else None
    else:
        older = run.store.get("gguf", f"{identity}:{type}")
        file = orjson.loads(older.payload) if older else None
    return file if file is not None and _whole(file) else None


def birth_of(source: Path) -> JSON:
    """``{"kind", "bits_per_weight", "base"}``: the type of most weights and the bits of all. A folder that was trained
    from a GGUF file has that file's type under ``base``: its weights started on that grid. Raises InputError."""
    from lamina.quantize.ggml import byte_count
    from lamina.quantize.grids import base_type
    from lamina.quantize.sources import source_of

    found: Counter[str] = Counter()
    bits = 0
    for tensor in source_of(source).tensors.values():
        kind = str(getattr(tensor, "kind", "F32"))
        found[kind] += prod(tensor.shape)
        bits += 8 * byte_count(kind, tensor.shape)
    return {
        "kind": found.most_common(1)[0][0],
        "bits_per_weight": round(bits / found.total(), 2),
        "base": base_type(source) if source.is_dir() else None,
    }


def title_of(source: Path, born: JSON) -> str:
    """Says it where the source is no full-precision model: its ladder shows what another rounding costs."""
    title, kind, base = f"Quantization ladder of {source.name}", born["kind"], born["base"]
    if born["bits_per_weight"] < FEW_BITS:
        bits = f"{born['bits_per_weight']:.1f} bits a weight"
        return f"{title}, born at {bits} ({kind}): what rounding it again costs, not what {kind} costs"
    if base and base not in ("F32", "F16", "BF16"):
        return f"{title}, trained from a {base} file: what rounding costs after that, not what {base} costs"
    return title


def _whole(file: JSON) -> bool:
    path = Path(file["path"])
    return path.is_file() and path.stat().st_size == file["bytes"]
