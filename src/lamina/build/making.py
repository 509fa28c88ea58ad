"""The stages that make something: rows, splits, the model and its files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lamina.build.inputs import requests_of
from lamina.build.mixing import mix_rows, training_rows
from lamina.build.settings import BuildSettings
from lamina.runs import Progress, Run
from lamina.tools import Toolbox
from lamina.training import TrainSettings

if TYPE_CHECKING:
    from lamina.models.model import Model
    from lamina.synth import WarmUp
    from lamina.trajectories import Trajectory

JSON = dict[str, Any]
WARM_UP_EPOCHS = 3.0


def surroundings(command: str) -> JSON:
    from lamina.reports import describe_machine

    return {"commands": [command] if command else [], **describe_machine()}


def record_command(run: Run, command: str) -> None:
    """A run is made by several commands: one with --learn later, say. Each is on the report, once."""
    known = run.result("environment")
    if known is not None and command and command not in known.get("commands", []):
        run.finish("environment", {**known, "commands": [*known.get("commands", []), command]})


def write_rows(run: Run, toolbox: Toolbox, settings: BuildSettings, progress: Progress) -> JSON:
    from lamina.synth import synthesize
    from lamina.tools.execution import Limits, open_executor

    tune_briefly = warm_up(run, toolbox, settings.base, settings.train, progress)
    seeds = requests_of(settings.examples, toolbox)
    limits = Limits.of(settings.synth.timeout)
    with open_executor(toolbox, limits=limits, allow_changes=settings.synth.allow_changes) as executor:
        made = synthesize(toolbox, run, settings.synth, progress, executor, tune_briefly, seeds)
    return {**made, "compared_with": [file.name for file in _scored_files(settings)]}


def warm_up(run: Run, toolbox: Toolbox, base: str, train: TrainSettings, progress: Progress) -> WarmUp:
    """For the round trip of synthesis: tunes the base for a moment on the rows that no model wrote, which are
    the same rows whenever synthesis is continued."""

    def tune_briefly(rows: list[Trajectory]) -> Model:
        from lamina.models import open_model
        from lamina.quantize import quantize_types
        from lamina.synth.rules import HAND_MADE
        from lamina.training import fine_tune

        folder = run.folder / "work" / "warm-up"
        known = [row for row in rows if row.meta.writer in HAND_MADE]
        settings = replace(train, epochs=min(train.epochs, WARM_UP_EPOCHS), prompt_style="baked", qat="none")
        fine_tune(base, known, [], folder, settings, toolbox, progress)
        (file,) = quantize_types(folder, ["Q8_0"], folder / "gguf")
        return open_model(file["path"], style="baked")

    return tune_briefly


def split_rows(run: Run, toolbox: Toolbox, settings: BuildSettings) -> JSON:
    """By group, and with what copies a request of the evaluation sets set aside."""
    from lamina.synth import split

    return split(run, settings.seed, _held_out(toolbox, settings))


def mix_sources(run: Run, toolbox: Toolbox, settings: BuildSettings, progress: Progress) -> JSON:
    assert settings.recipe is not None
    style = settings.train.prompt_style
    return mix_rows(run, settings.recipe, toolbox, style, _held_out(toolbox, settings), progress)


def _held_out(toolbox: Toolbox, settings: BuildSettings) -> dict[str, str]:
    """Requests that are scored, each with the name of where it stands."""
    files = _scored_files(settings)
    return {q.query: f"{file.name} {q.id}" for file in files for q in requests_of(file, toolbox)}


def _scored_files(settings: BuildSettings) -> list[Path]:
    return [file for file in (settings.queries, settings.dev_queries) if file]


def tune(run: Run, toolbox: Toolbox, settings: BuildSettings, progress: Progress) -> JSON:
    from lamina.training import fine_tune

    train, validation = training_rows(run, "train"), training_rows(run, "validation")
    folder = run.folder / "model"
    return fine_tune(settings.base, train, validation, folder, settings.train, toolbox, progress, settings.distillation)


def export(run: Run, settings: BuildSettings, progress: Progress) -> JSON:
    """One GGUF file a type; those under 8 bits that training did not round for are rounded for what the training rows
    make the model compute."""
    from lamina.quantize import quantize_types
    from lamina.quantize.calibration import calibrated_on
    from lamina.quantize.gguf_export import UNCALIBRATED

    with progress.stage("export", total=len(settings.types)) as bar:
        folder, out = run.folder / "model", run.folder / "gguf"
        unsettled = {type.upper() for type in settings.types} - {*UNCALIBRATED, settings.train.qat}
        read = calibrated_on(training_rows(run, "train"), folder) if settings.calibrate and unsettled else None
        files = quantize_types(
            folder,
            settings.types,
            out,
            on_file=lambda file: bar.advance(file=file["type"]),
            calibration=read,
            on_layer=lambda layer: bar.advance(0, layer=layer),
        )
    for file in files:
        if file["warning"]:
            progress.say(f"warning: {file['warning']}")
    return {"files": files}
