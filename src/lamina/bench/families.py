"""Which files are roundings of the same model and of which precision each is, from what GGUF files say of themselves.
Names of files decide neither."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lamina.errors import ModelError

_SIZES = ("block_count", "embedding_length", "feed_forward_length", "attention.head_count", "expert_count")


@dataclass(frozen=True)
class Told:
    """How a model is told in the rows of a bench: ``label`` and ``precision`` (``""`` where nothing says it) are unique
    together. ``family``: equal for files of the same model; ``""`` for what is no GGUF file, or does not say."""

    label: str
    precision: str
    family: str


def told_apart(labels: Mapping[str, str]) -> dict[str, Told]:
    """``labels``: a label by reference, each another one. A label that ends with the file's precision loses that end
    (``m-Q8_0`` is ``m`` at ``Q8_0``), unless two models would be called the same."""
    said = {ref: _metadata(ref) for ref in labels}
    precisions = {ref: "" if ref == "embedded" else _precision(values) for ref, values in said.items()}
    short = {ref: _without_end(label, precisions[ref]) for ref, label in labels.items()}
    count = Counter((short[ref], precisions[ref]) for ref in labels)
    families = _families(said, precisions)
    return {
        ref: Told(label if count[short[ref], precisions[ref]] > 1 else short[ref], precisions[ref], families[ref])
        for ref, label in labels.items()
    }


def _metadata(ref: str) -> dict[str, Any]:
    """Empty for what is no GGUF file, or a broken one: that is said when it is loaded."""
    from lamina.models.gguf_files import named_files
    from lamina.models.gguf_header import gguf_metadata

    try:
        named = named_files(ref)
        said = gguf_metadata(named.model) if named.model.suffix == ".gguf" else {}
    except ModelError:
        return {}
    if named.adapter and "general.name" in said:  # another model than its base
        said |= {"general.name": f"{said['general.name']} with {named.adapter.resolve()}"}
    return said


def _precision(values: Mapping[str, Any]) -> str:
    """The file's type as llama.cpp calls it, without its \"mostly\"."""
    from gguf.constants import LlamaFileType

    kind = values.get("general.file_type", -1)
    known = {member.value: member.name for member in LlamaFileType if member.name != "GUESSED"}
    return re.sub("^(MOSTLY|ALL)_", "", known.get(kind, ""))


def _without_end(label: str, precision: str) -> str:
    if not precision or not label.casefold().endswith(precision.casefold()):
        return label
    return label[: -len(precision)].rstrip("-._ ") or label


def _families(said: Mapping[str, Mapping[str, Any]], precisions: Mapping[str, str]) -> dict[str, str]:
    """By name and measures. Where two files of one name have the same precision they are two models (two trainings of
    one base keep its name), and their paths tell them apart."""
    names = {ref: _family(values) for ref, values in said.items()}
    count = Counter((names[ref], precisions[ref]) for ref in said)
    several = {name for (name, _), n in count.items() if name and n > 1}
    return {
        ref: f"{name} at {_place(ref, precisions[ref])}" if name in several else name for ref, name in names.items()
    }


def _family(values: Mapping[str, Any]) -> str:
    name, architecture = values.get("general.name"), values.get("general.architecture", "")
    if not name:
        return ""
    measures = [values.get(f"{architecture}.{key}", "") for key in _SIZES]
    return " ".join(map(str, [name, values.get("general.size_label", ""), architecture, *measures]))


def _place(ref: str, precision: str) -> Path:
    file = Path(ref).resolve()
    return file.parent / _without_end(file.stem, precision)


def most_precise(sizes: Sequence[int | None]) -> int:
    """The place of the largest file; the first where several are, or sizes are not known."""
    known = [size or 0 for size in sizes]
    return known.index(max(known))
