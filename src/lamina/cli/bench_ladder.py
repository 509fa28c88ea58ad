"""``lamina bench --quantize``: the files of each model, made and named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lamina.cli.output import listed
from lamina.errors import DamagedFileError, InputError

if TYPE_CHECKING:
    from lamina.bench import BenchModel
    from lamina.bench.tasks import Task
    from lamina.runs import Progress, Run

Row = dict[str, Any]


def types_of(quantize: str | None, models: Sequence[str]) -> tuple[str, ...]:
    """The types of the ladders. Raises InputError for a type not on offer or a model that no file can be made of."""
    from lamina.bench.identity import model_path
    from lamina.models.gguf_files import named_files
    from lamina.quantize.precisions import precisions

    types = listed(quantize) if quantize is not None else ()
    if quantize is None:
        return ()
    precisions(types or ())
    for model in models:
        if named_files(model).adapter:
            mend = "merge the adapter into its base, or name the base alone"
            raise InputError(f"{model}: no file can be made of a base with its adapter", mend=mend)
        path = model_path(model)
        if model.startswith("scripted:") or path is None or not (path.suffix == ".gguf" or path.is_dir()):
            raise InputError(f"{model}: no file can be made of it", mend="name a GGUF file or a model's folder")
    return types or ()


def ladders_of(
    models: Sequence[BenchModel],
    labels: Mapping[str, str],
    types: Sequence[str],
    tasks: Sequence[Task],
    run: Run,
    progress: Progress,
) -> tuple[list[BenchModel], list[Row], list[Row]]:
    """The files of all models as models, what each ladder is made of, and a crash a source of which no file could be
    made, where another is left. ``labels``: by reference, each another one; they tell the ladders of several models
    apart. Raises as ``make_rungs``."""
    from lamina.bench import make_rungs
    from lamina.bench.identity import model_path
    from lamina.bench.possible import shows_images

    images = any(shows_images(task.samples()) for task in tasks)
    beside = {model.ref: _vision_part(model.ref) if images else "" for model in models}
    rungs: list[BenchModel] = []
    found: list[Row] = []
    lost: list[Row] = []
    apart = len(models) > 1
    for model in models:
        named = replace(model, label=labels[model.ref], family=labels[model.ref]) if apart else model
        source = model_path(model.ref)
        assert source is not None, "types_of has looked"
        try:
            made = make_rungs(source, types, run, progress, apart=apart, images=images) | {"label": named.label}
        except (InputError, DamagedFileError) as error:
            if len(lost) + 1 == len(models):
                raise
            progress.say(f"{named.label}: no file can be made of it ({error})")
            lost.append({"model": named.label, "precision": "", "stage": "quantize", "detail": str(error)})
            continue
        found.append(made)
        rungs += _rungs(named, made, beside[model.ref])
    several = {"files": [file for made in found for file in made["files"]], "models": found}
    run.finish("quantize", found[0] if len(found) == 1 else several)
    return rungs, found, lost


def with_lost(result: Row, lost: Sequence[Row]) -> Row:
    """The result of a bench with the rows and crashes of models that came to no file."""
    empty = {"task": "all", "metric": "crashed", "value": None, "low": None, "high": None, "n": 0}
    rows = [*result["rows"], *({**empty, **crash} for crash in lost)]
    return {**result, "rows": rows, "crashes": [*result["crashes"], *lost]}


def _vision_part(ref: str) -> str:
    """What a reference to a file made of this one ends with: the vision part is the source's, where it has one. That of
    a folder is written beside the files, which find it."""
    from lamina.bench.identity import model_path, vision_part

    part = vision_part(ref) if Path(model_path(ref) or "").is_file() else None
    return f"+{part}" if part else ""


def _rungs(model: BenchModel, made: Row, beside: str) -> list[BenchModel]:
    """The most precise first: the others are compared with it."""
    files = sorted(made["files"], key=lambda file: -float(file["bits_per_weight"]))
    return [replace(model, ref=f"{file['path']}{beside}", precision=str(file["type"])) for file in files]
