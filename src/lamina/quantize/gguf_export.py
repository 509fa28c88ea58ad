"""A Transformers folder or a GGUF file to GGUF files that llama.cpp runs, one for each type asked for.

Format: the GGUF specification, version 3.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from lamina.errors import InputError
from lamina.quantize.calibrated import calibrated
from lamina.quantize.calibration import Calibration
from lamina.quantize.exact_blocks import with_exact_blocks
from lamina.quantize.folder_source import sees
from lamina.quantize.ggml import Array, byte_count, quantized
from lamina.quantize.grids import trained_for, training_lost
from lamina.quantize.model_source import Source, Typed
from lamina.quantize.precisions import Precision, kind_of, precision, precisions
from lamina.quantize.sources import BORN, born_as, source_of
from lamina.runs.files import storage_error
from lamina.tools.tool import JSON

UNCALIBRATED = ("F32", "F16", "Q8_0")
"""Types that a calibration does not make better."""
OnLayer = Callable[[int], None]


def export_gguf(model_folder: Path, out_file: Path, type: str = "F16", calibration: Calibration | None = None) -> JSON:
    """Writes one GGUF file and returns ``{"path", "type", "bytes", "bits_per_weight", "calibrated", "fallbacks"}``;
    ``bits_per_weight`` counts all tensors, ``fallbacks`` those whose rows do not fit, by ``"wanted -> taken"``.

    Raises InputError for a folder that is no supported model or a type not on offer, StorageError."""
    return _write(source_of(Path(model_folder)), Path(out_file), precision(type), calibration)


def quantize_types(
    model_folder: Path,
    types: Sequence[str],
    out_folder: Path,
    on_file: Callable[[JSON], None] | None = None,
    calibration: Calibration | None = None,
    on_layer: OnLayer | None = None,
) -> list[JSON]:
    """One ``NAME-TYPE.gguf`` in ``out_folder`` for each type; results as of ``export_gguf``, in order, and with them
    ``warning``, a sentence where the type undoes the training; each is also given to ``on_file`` as it is done. All
    types are checked before the first is written. With a ``calibration`` the types under 8 bits are rounded with it,
    layer by layer, but the one that training rounded for; ``on_layer`` is told the number of each that is done."""
    chosen = precisions(types)
    if calibration is not None and sees(Path(model_folder)):
        raise InputError("a model that sees is not calibrated", file=model_folder, mend="leave the calibration out")
    source = source_of(Path(model_folder))
    try:
        Path(out_folder).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise storage_error(out_folder, error) from error
    files = []
    for one in chosen:
        read = None if one.name == trained_for(Path(model_folder)) else calibration
        written = _write(source, Path(out_folder) / f"model-{one.name}.gguf", one, read, on_layer)
        files.append({**written, "warning": training_lost(Path(model_folder), one.name)})
        if on_file is not None:
            on_file(files[-1])
    return files


def _write(
    source: Source, out_file: Path, chosen: Precision, calibration: Calibration | None, on_layer: OnLayer | None = None
) -> JSON:
    if chosen.name in UNCALIBRATED:
        calibration = None
    layout = source.layout(weighted=calibration is not None)
    kinds: dict[str, str] = {}
    fallbacks: dict[str, int] = {}
    for name, tensor in source.tensors.items():
        kinds[name], wanted = kind_of(name, tensor.shape, chosen, layout)
        if wanted:
            told = f"{wanted} -> {kinds[name]}"
            fallbacks[told] = fallbacks.get(told, 0) + 1
    ready = _calibrated(source, kinds, calibration, on_layer) if calibration else {}
    weighed = bool(ready)
    temporary = out_file.with_name(out_file.name + ".tmp")
    try:
        _write_tensors(source, temporary, chosen, kinds, ready)
        temporary.replace(out_file)
        size = out_file.stat().st_size
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise storage_error(out_file, error) from error
    return {
        "path": str(out_file),
        "type": chosen.name,
        "bytes": size,
        "bits_per_weight": _bits_per_weight(source, kinds),
        "calibrated": weighed,
        "fallbacks": fallbacks,
    }


def _calibrated(
    source: Source, kinds: dict[str, str], calibration: Calibration, on_layer: OnLayer | None
) -> dict[str, Array]:
    by_folder = {source.stored_as[name]: kind for name, kind in kinds.items() if name in source.stored_as}
    made = calibrated(source.path, calibration, by_folder, on_layer)
    return {name: made[stored] for name, stored in source.stored_as.items() if stored in made}


def _bits_per_weight(source: Source, kinds: dict[str, str]) -> float:
    weights = sum(math.prod(tensor.shape) for tensor in source.tensors.values())
    size = sum(byte_count(kinds[name], tensor.shape) for name, tensor in source.tensors.items())
    return round(size * 8 / weights, 2)


def _write_tensors(
    source: Source, file: Path, chosen: Precision, kinds: dict[str, str], ready: dict[str, Array]
) -> None:
    from gguf import GGUFWriter
    from gguf.constants import GGMLQuantizationType

    writer = GGUFWriter(file, source.architecture)
    if "general.type" not in source.metadata:
        writer.add_type("model")
    writer.add_file_type(chosen.file_type)
    writer.add_quantization_version(2)
    for key, value in source.metadata.items():
        add_metadata(writer, key, value)
    if BORN not in source.metadata and (born := born_as(source)) is not None:
        writer.add_string(BORN, born)
    for name, tensor in source.tensors.items():
        size = byte_count(kinds[name], tensor.shape)
        plain = np.dtype(np.float32)  # shapes are given in values, not in bytes
        writer.add_tensor_info(name, tensor.shape, plain, size, GGMLQuantizationType[kinds[name]])

    def made(name: str) -> Array:
        if name in ready:
            return np.ascontiguousarray(source.ordered(ready.pop(name), name))
        values = source.ordered(source.tensors[name].read(), name)
        packed = quantized(values, kinds[name])
        return with_exact_blocks(values, packed) if kinds[name] == "Q8_0" else packed

    try:
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_ti_data_to_file()
        with ThreadPoolExecutor(2) as pool:
            for values in pool.map(made, source.tensors):
                writer.write_tensor_data(values)
    finally:
        writer.close()


def write_small_file(writer: Any) -> None:
    """All that ``writer`` holds in memory: a vision part, an adapter. It is closed also where that fails."""
    try:
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
    finally:
        writer.close()


def add_metadata(writer: Any, key: str, value: Any) -> None:
    if isinstance(value, Typed):
        writer.add_key_value(key, value.value, value.kind, value.member)
    elif isinstance(value, bool):
        writer.add_bool(key, value)
    elif isinstance(value, int):
        writer.add_uint32(key, value)
    elif isinstance(value, float):
        writer.add_float32(key, value)
    elif isinstance(value, str):
        writer.add_string(key, value)
    else:
        writer.add_array(key, value)
