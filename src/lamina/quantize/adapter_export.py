"""A LoRA adapter of PEFT as a small GGUF file that llama.cpp loads beside its base.

Metadata and names of tensors are those that llama.cpp reads: ``general.type`` adapter, ``adapter.type`` lora,
``adapter.lora.alpha``, and for a matrix NAME of the base ``NAME.lora_a`` and ``NAME.lora_b``. Where llama.cpp wants the
rows of a matrix in another order than Transformers saves them, those of ``lora_b`` are put in that order: they are the
rows of the product, whose columns are ``lora_a``'s."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from lamina.errors import InputError
from lamina.models import embedded_path
from lamina.models.adapters import DOWN, UP
from lamina.quantize.architectures import ARCHITECTURES, Architecture, paired_heads, tensor_names
from lamina.quantize.folder_source import own_metadata, sees
from lamina.quantize.ggml import Array, quantized
from lamina.quantize.gguf_export import add_metadata, write_small_file
from lamina.quantize.model_source import Source
from lamina.quantize.peft_folder import PeftAdapter, read_peft_folder
from lamina.quantize.precisions import PLAIN, Precision, precisions
from lamina.quantize.sources import source_of
from lamina.runs.files import storage_error
from lamina.tools.tool import JSON

FILE = "adapter-{type}.gguf"


def export_adapter(folder: Path, types: Sequence[str], out_folder: Path, base: str | Path | None = None) -> list[JSON]:
    """One ``adapter-TYPE.gguf`` (F16, F32) in ``out_folder`` for each type. ``base``: the model that the adapter was
    trained on (a Transformers folder, a GGUF file, ``embedded``), whose names and shapes it has to fit; None for the
    one that the adapter names.

    Returns ``{"path", "type", "bytes", "ranks", "alpha", "modules", "base"}`` a file; alpha / rank is the scale. Raises
    InputError for a folder that is no LoRA adapter, an adapter of another base or of a kind that a GGUF file cannot
    carry, a base that is not here or cannot be exported, a type not on offer; StorageError."""
    folder, out_folder = Path(folder), Path(out_folder)
    chosen = precisions(types)
    for one in chosen:
        if one.name not in PLAIN:
            raise InputError(f"an adapter is not written as {one.name}", mend=f"choose from {', '.join(PLAIN)}")
    adapter = read_peft_folder(folder)
    source = _base_source(_base_of(adapter, base))
    tensors = _tensors(adapter, source)
    metadata = _metadata(adapter, source)
    try:
        out_folder.mkdir(parents=True, exist_ok=True)
        return [_write(adapter, source, one, out_folder, metadata, tensors) for one in chosen]
    except OSError as error:
        raise storage_error(out_folder, error) from error


def _base_of(adapter: PeftAdapter, given: str | Path | None) -> Path:
    """Raises InputError where it is no folder and no file of this machine."""
    told = str(given) if given is not None else _told_base(adapter)
    path = embedded_path() if told == "embedded" else Path(told)
    if told and (path.is_dir() or (path.is_file() and path.suffix == ".gguf")):
        return path
    what = f"its base {told} is not here" if told else "it does not say what its base is"
    mend = "name the base's folder or GGUF file with --base"
    raise InputError(what, file=adapter.folder, mend=mend)


def _told_base(adapter: PeftAdapter) -> str:
    ours = adapter.folder / "lamina.json"
    try:
        facts: JSON = json.loads(ours.read_text("utf-8")) if ours.is_file() else {}
    except ValueError:
        raise InputError("not JSON", file=ours, mend="restore it, or train again") from None
    return str(facts.get("base") or adapter.config.get("base_model_name_or_path") or "")


def _base_source(path: Path) -> Source:
    """The base, with the heads whose rows llama.cpp wants in pairs: a GGUF file has them so already, and what is added
    to them has not."""
    if path.is_dir() and sees(path):
        raise InputError("the adapter of a model that sees cannot be exported", file=path, mend="merge it first")
    source = source_of(path)
    if path.is_dir():
        return source
    facts = source.metadata.get(f"{source.architecture}.attention.head_count")
    heads = int(facts.value) if facts else 1
    pairs = paired_heads(_architecture(source), source.tensors, heads, heads // source.queries_per_value)
    return replace(source, heads=pairs)


def _architecture(source: Source) -> Architecture:
    found = next((one for one in ARCHITECTURES.values() if one.gguf == source.architecture), None)
    if found is None:
        known = ", ".join(sorted({one.gguf for one in ARCHITECTURES.values()}))
        what = f"adapters for the architecture {source.architecture} cannot be exported"
        raise InputError(what, file=source.path, mend=f"{known} can")
    return found


def _tensors(adapter: PeftAdapter, source: Source) -> dict[str, Array]:
    """``NAME.lora_a`` and ``NAME.lora_b`` of every module, float32."""
    named = tensor_names(_architecture(source), source.layers)
    found: dict[str, Array] = {}
    for module, (down, up) in adapter.modules.items():
        name = named(module)
        if name is None:
            raise InputError(
                f"{module} has no place in a GGUF file of {source.architecture}", file=adapter.folder,
                mend="merge the adapter into its base and export that",
            )  # fmt: skip
        _check_fits(adapter, source, module, name, (up.shape[0], down.shape[1]))
        found[name + DOWN] = down.read()
        found[name + UP] = source.ordered(up.read(), name)
    return found


def _check_fits(adapter: PeftAdapter, source: Source, module: str, name: str, shape: tuple[int, int]) -> None:
    mend = "name the base that it was trained on with --base"
    if name == "output.weight" and name not in source.tensors:
        what = f"{module} is adapted, and in the base {source.path} it is the embedding too"
        raise InputError(what, file=adapter.folder, mend="merge the adapter into its base and export that")
    if name not in source.tensors:
        raise InputError(f"{module} is adapted, and the base {source.path} has none", file=adapter.folder, mend=mend)
    theirs = source.tensors[name].shape
    if theirs != shape:
        sizes = f"{shape[0]} × {shape[1]}, and in the base {source.path} {' × '.join(map(str, theirs))}"
        raise InputError(f"made for another base: {module} is {sizes}", file=adapter.folder, mend=mend)


def _metadata(adapter: PeftAdapter, source: Source) -> JSON:
    """``adapter.*``, and how it is asked where the folder says that: its template, and what Lamina wrote beside it."""
    found = own_metadata(adapter.folder) | {
        "general.name": adapter.folder.resolve().name,
        "general.base_model.count": 1,
        "general.base_model.0.name": source.path.resolve().name,
        "adapter.type": "lora",
        "adapter.lora.alpha": adapter.alpha,
    }
    if "lamina.prompt_style" in found:
        found["tokenizer.ggml.add_bos_token"] = False  # no row was trained on with one
    return found


def _write(
    adapter: PeftAdapter,
    source: Source,
    chosen: Precision,
    out_folder: Path,
    metadata: JSON,
    tensors: dict[str, Array],
) -> JSON:
    from gguf import GGUFWriter

    file = out_folder / FILE.format(type=chosen.name)
    temporary = file.with_name(file.name + ".tmp")
    try:
        writer = GGUFWriter(temporary, source.architecture)
        writer.add_type("adapter")
        writer.add_file_type(chosen.file_type)
        writer.add_quantization_version(2)
        for key, value in metadata.items():
            add_metadata(writer, key, value)
        for name, values in tensors.items():
            writer.add_tensor(name, quantized(values, chosen.kind))
        write_small_file(writer)
        temporary.replace(file)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    return {
        "path": str(file),
        "type": chosen.name,
        "bytes": file.stat().st_size,
        "ranks": adapter.ranks,
        "alpha": adapter.alpha,
        "modules": len(adapter.modules),
        "base": str(source.path),
    }
