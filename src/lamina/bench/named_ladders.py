"""The ladders among files that somebody named by hand: which are roundings of the same weights, by what is in them.

A name and its measures (``families``) are not enough for advice about precision: two trainings of one base keep its
name. So what a file says of its training and its prompts has to be the same too, and the tensors that no rounding
touches, the norms, to the last bit, and the smallest matrix as near as roundings are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lamina.bench.asked import BenchModel
from lamina.bench.rungs import FEW_BITS, birth_of_source
from lamina.errors import InputError, ModelError
from lamina.tools.tool import JSON

if TYPE_CHECKING:
    from lamina.quantize.model_source import Source

BORN = "lamina.born"
FAR = 0.5
"""Of its own length may a matrix lie from another rounding of it (our choice: at two bits it is about a third, between
two models 1.4)."""
_TRAINED = ("lamina.", "tokenizer.chat_template", "general.finetune", "general.basename")
"""Beginnings of the keys that two roundings of one model have alike, but for ``BORN``."""


@dataclass(frozen=True)
class _File:
    """``said``: the values of ``_TRAINED``; ``norms``: the vectors that are stored in 32 bits, by name; ``matrix``: the
    smallest one, None where it is of a type that cannot be read here."""

    path: Path
    name: str
    said: dict[str, Any]
    norms: dict[str, Any]
    matrix: Any
    born: JSON


def ladders_of_files(models: Sequence[BenchModel]) -> list[JSON]:
    """What each ladder is made of, as ``rungs.make_rungs`` has it, and ``members``: label and precision of its models.
    Empty where no two of ``models`` are roundings of the same weights in different precisions."""
    found = []
    for family in dict.fromkeys(model.family for model in models if model.family):
        mine = [model for model in models if model.family == family and model.precision]
        if len(mine) > 1 and max(Counter(model.precision for model in mine).values()) == 1:
            files = [(model, file) for model in mine if (file := _read(model)) is not None]
            found += [_ladder(rungs) for rungs in _alike(files) if len(rungs) > 1]
    return found


def _read(model: BenchModel) -> _File | None:
    """None for a file that is broken, which is said when it is loaded, and for a base with its adapter."""
    from lamina.models.gguf_files import named_files
    from lamina.quantize.sources import source_of

    try:
        named = named_files(model.ref)
        if named.adapter is not None:
            return None
        opened = source_of(named.model)
    except (InputError, ModelError):
        return None
    values = {key: getattr(typed, "value", typed) for key, typed in opened.metadata.items()}
    said = {key: value for key, value in values.items() if key.startswith(_TRAINED) and key != BORN}
    name = str(values.get("general.name", ""))
    return _File(named.model, name, said, _norms(opened), _matrix(opened), birth_of_source(opened))


def _norms(opened: Source) -> dict[str, Any]:
    return {
        name: tensor.read()
        for name, tensor in opened.tensors.items()
        if tensor.kind == "F32" and len(tensor.shape) == 1 and name.endswith("norm.weight")
    }


def _matrix(opened: Source) -> Any:
    matrices = [(prod(tensor.shape), name) for name, tensor in opened.tensors.items() if len(tensor.shape) == 2]
    try:
        return opened.tensors[min(matrices)[1]].read() if matrices else None
    except NotImplementedError:
        return None


def _alike(files: Sequence[tuple[BenchModel, _File]]) -> list[list[tuple[BenchModel, _File]]]:
    """In groups of the same weights, each as long as it can be."""
    groups: list[list[tuple[BenchModel, _File]]] = []
    for model, file in files:
        group = next((group for group in groups if _same_weights(group[0][1], file)), None)
        if group is None:
            groups.append([(model, file)])
        else:
            group.append((model, file))
    return groups


def _same_weights(one: _File, other: _File) -> bool:
    import numpy as np

    shared = one.norms.keys() & other.norms.keys()
    if one.said != other.said or not shared:
        return False
    if one.matrix is not None and other.matrix is not None:
        if one.matrix.shape != other.matrix.shape:
            return False
        apart = float(np.linalg.norm(one.matrix - other.matrix))
        if apart > FAR * float(np.linalg.norm(one.matrix)):
            return False
    return all(np.array_equal(one.norms[name], other.norms[name]) for name in shared)


def _ladder(rungs: Sequence[tuple[BenchModel, _File]]) -> JSON:
    model, first = max(rungs, key=lambda rung: float(rung[1].born["bits_per_weight"]))
    files = [
        {
            "path": str(file.path),
            "type": model.precision,
            "bytes": file.path.stat().st_size,
            "bits_per_weight": file.born["bits_per_weight"],
            "fallbacks": {},
        }
        for model, file in rungs
    ]
    return {
        "files": files,
        "source": {"path": str(first.path), **first.born},
        "title": _title(first.name or model.label, model.precision, first.born),
        "members": [[model.label, model.precision] for model, _ in rungs],
    }


def _title(name: str, precision: str, born: JSON) -> str:
    """Says it where none of the files is in full precision: what its own rounding cost is not seen."""
    title, base = f"Quantization ladder of {name}", born["base"]
    if born["bits_per_weight"] < FEW_BITS:
        bits = f"{born['bits_per_weight']:.1f} bits a weight"
        return f"{title} from {precision} down ({bits}): what is lost against {precision}, not what {precision} costs"
    if base:
        return f"{title}, made from a {base} file: what rounding costs after that, not what {base} costs"
    return title
