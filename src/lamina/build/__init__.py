"""``lamina build``: functions in; verified data set, tuned model, GGUF files, scores and report out.

``build`` below is the table of contents. Each stage is one function that calls one room, and is skipped
where the run has its result already; a killed stage continues inside its room.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lamina.build.inputs import BESIDE, file_beside, fingerprint_of, requests_of, say_what_is_left_out
from lamina.build.learning import check_learnt_before, learn_principles
from lamina.build.mixing import check_recipe, mix_rows, recipe_identity, training_rows
from lamina.runs import Progress, Run
from lamina.synth import SynthSettings
from lamina.tools import Toolbox, read_tools, where_of
from lamina.training import TrainSettings

if TYPE_CHECKING:
    from lamina.agents.learning import LearnSettings
    from lamina.bench import BenchModel, Task
    from lamina.models.model import Model, Reply, Request
    from lamina.synth import WarmUp
    from lamina.training.layerwise.language import Distillation
    from lamina.trajectories import Trajectory

__all__ = ["BuildSettings", "build", "warm_up"]

JSON = dict[str, Any]

WARM_UP_EPOCHS = 3.0

BASE_PROMPTS: dict[str, str | None] = {
    "tools only": None,
    "unrelated": "A request that has nothing to do with any of the functions gets no call.",
    "spelled out": (
        "You call functions. Copy argument values from the request word for word. "
        "Leave out what the request does not say. If none of the functions can do what is asked, answer []."
    ),
}
"""Instructions tried for the untuned base on the development requests, so that it is measured at its best."""


IDENTIFIED_APART = ("learn", "reflector", "distillation", "recipe")
CHOICE_TOKENS = 96
"""Longest answer while an instruction is chosen: a base model that writes more than three calls' worth is wrong
already, and its loops took most of the stage. What is reported is asked without this limit."""


@dataclass(frozen=True)
class BuildSettings:
    """What a build is made of. ``examples`` are requests with their right calls that the user wrote: the writers see
    them and the model is trained on them. ``queries`` are scored and never trained on; ``dev_queries`` only choose the
    base model's prompt. All are found beside the tools file where they are not given. ``generated_prompts``: rows of
    the test split that are asked besides, up to this; parity is measured on the very prompts that are scored.
    ``calibrate``: types under 8 bits are rounded with their errors made up for on the training rows. ``learn``: the
    agent learns action principles last; ``reflector`` reads what it did and writes them, else the writer does. Both are
    no part of the configuration: a run that is there can learn later. ``distillation``: the base learns from a teacher
    beside the rows. ``recipe``: of a mix that is trained on in place of the rows written here alone."""

    base: str = "embedded"
    types: tuple[str, ...] = ("F16", "Q8_0", "Q4_0")
    examples: Path | None = None
    queries: Path | None = None
    dev_queries: Path | None = None
    generated_prompts: int = 60
    calibrate: bool = True
    seed: int = 0
    synth: SynthSettings = field(default_factory=SynthSettings)
    train: TrainSettings = field(default_factory=TrainSettings)
    distillation: Distillation | None = None
    recipe: Path | None = None
    learn: LearnSettings | None = None
    reflector: str | None = None


def build(
    tools_file: Path,
    out: Path,
    settings: BuildSettings | None = None,
    *,
    fresh: bool = False,
    progress: Progress | None = None,
    command: str = "",
) -> JSON:
    """Runs every stage that ``out`` does not have yet; returns ``{"out", "seconds", "metrics": {stage:
    result}}``.

    Raises UserError where the input is at fault, ConfigMismatchError where ``out`` belongs to other settings,
    WorkFailedError where a stage could not do its work. What was done stays done."""
    progress = progress or Progress(silent=True)
    settings = _with_files_beside(tools_file, settings or BuildSettings(), progress)
    toolbox = read_tools(tools_file)
    say_what_is_left_out(toolbox, tools_file, progress)
    for file in (settings.examples, settings.queries, settings.dev_queries):
        requests_of(file, toolbox)  # a mistake in them is said now, not after minutes of work
    _check_means(settings)
    check_recipe(settings.recipe, toolbox, settings.train.prompt_style, progress)
    config = {
        "tools": where_of(tools_file),
        "tools_fingerprint": toolbox.fingerprint(),
        "examples_fingerprint": fingerprint_of(settings.examples),
        **_identity(settings),
    }
    with Run.open(out, config, fresh=fresh) as run:
        stages: dict[str, Callable[[], Mapping[str, Any]]] = {
            "environment": lambda: surroundings(command),
            "tools": lambda: {"tools": toolbox.as_openai()},
            "synth": lambda: write_rows(run, toolbox, settings, progress),
            "split": lambda: split_rows(run, toolbox, settings),
            **({"mix": lambda: mix_sources(run, toolbox, settings, progress)} if settings.recipe else {}),
            "train": lambda: tune(run, toolbox, settings, progress),
            "export": lambda: export(run, settings, progress),
            "quantize": lambda: compare(run, toolbox, settings, progress),
            "variant": lambda: choose_prompt(run, toolbox, settings, progress),
            "bench": lambda: score(run, toolbox, settings, progress),
        }
        if settings.learn is not None:
            check_learnt_before(run, settings.learn, _reflector(settings))
            stages["learn"] = lambda: learn_from_use(run, toolbox, tools_file, settings, progress)
        for stage, work in stages.items():
            if run.is_done(stage):
                progress.say(f"{stage}: done before")
            else:
                run.finish(stage, work())
        report = describe(run)
        progress.say(f"report: {report}")
        return {"out": str(out), "seconds": progress.seconds, "metrics": run.results()}


def _identity(settings: BuildSettings) -> JSON:
    """What makes two builds the same one. A build without a teacher says nothing of it."""
    told = {key: value for key, value in asdict(settings).items() if key not in IDENTIFIED_APART}
    told |= recipe_identity(settings.recipe)
    return told | (settings.distillation.identity() if settings.distillation is not None else {})


def surroundings(command: str) -> JSON:
    from lamina.reports import describe_machine

    return {"commands": [command] if command else [], **describe_machine()}


def write_rows(run: Run, toolbox: Toolbox, settings: BuildSettings, progress: Progress) -> JSON:
    from lamina.synth import synthesize
    from lamina.tools.execution import open_executor

    tune_briefly = warm_up(run, toolbox, settings.base, settings.train, progress)
    seeds = requests_of(settings.examples, toolbox)
    with open_executor(toolbox, allow_changes=settings.synth.allow_changes) as executor:
        return synthesize(toolbox, run, settings.synth, progress, executor, tune_briefly, seeds)


def warm_up(run: Run, toolbox: Toolbox, base: str, train: TrainSettings, progress: Progress) -> WarmUp:
    """For the round trip of synthesis: tunes the base for a moment on the rows that no model wrote, which are
    the same rows whenever synthesis is continued."""

    def tune_briefly(rows: list[Trajectory]) -> Model:
        from lamina.models import open_model
        from lamina.quantize import quantize_types
        from lamina.synth.verifying import HAND_MADE
        from lamina.training import fine_tune

        folder = run.folder / "work" / "warm-up"
        known = [row for row in rows if row.meta.writer in HAND_MADE]
        settings = replace(train, epochs=min(train.epochs, WARM_UP_EPOCHS), prompt_style="baked")
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


def _held_out(toolbox: Toolbox, settings: BuildSettings) -> list[str]:
    files = (settings.queries, settings.dev_queries)
    return [q.query for file in files for q in requests_of(file, toolbox)]


def tune(run: Run, toolbox: Toolbox, settings: BuildSettings, progress: Progress) -> JSON:
    from lamina.training import fine_tune

    train, validation = training_rows(run, "train"), training_rows(run, "validation")
    folder = run.folder / "model"
    return fine_tune(settings.base, train, validation, folder, settings.train, toolbox, progress, settings.distillation)


def export(run: Run, settings: BuildSettings, progress: Progress) -> JSON:
    """One GGUF file a type; the 4-bit ones are rounded for what the training rows make the model compute."""
    from lamina.quantize import quantize_types
    from lamina.quantize.calibration import calibrated_on

    with progress.stage("export", total=len(settings.types)) as bar:
        folder, out = run.folder / "model", run.folder / "gguf"
        read = calibrated_on(training_rows(run, "train"), folder) if settings.calibrate else None
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


def compare(run: Run, toolbox: Toolbox, settings: BuildSettings, progress: Progress) -> JSON:
    """Do the GGUF files give the calls that the merged float32 model gives? Each is asked in a process of its own
    (llama.cpp is 2.6 times slower in one that has used torch), and the bench scores the same answers."""
    from lamina.bench import BenchModel, first_answers
    from lamina.quantize.parity_check import parity

    tasks, style = _tasks(run, settings), settings.train.prompt_style

    def answers(ref: str, precision: str) -> tuple[list[Request], list[Reply]]:
        model = BenchModel(ref, "tuned", precision, style)
        found = first_answers(model, tasks, run=run, toolbox=toolbox, progress=progress)
        return [request for request, _ in found], [reply for _, reply in found]

    requests, wanted = answers(str(run.folder / "model"), "float32")
    files = []
    for file in _files(run):
        _, given = answers(file["path"], file["type"])
        files.append({**file, "parity": parity(wanted, given, requests, toolbox)})
    return {"files": files}


def choose_prompt(run: Run, toolbox: Toolbox, settings: BuildSettings, progress: Progress) -> JSON:
    """The instruction that serves the untuned base best on the development requests."""
    from lamina.bench import BenchSettings, OwnTask, best_variant

    if settings.dev_queries is None:
        return {"best": "tools only", "system": None, "variants": []}
    dev: list[Task] = [OwnTask(file=settings.dev_queries)]
    brief = BenchSettings(max_tokens=CHOICE_TOKENS)
    base = _base(settings)
    return best_variant(base, BASE_PROMPTS, dev, run=run, toolbox=toolbox, settings=brief, progress=progress)


def score(run: Run, toolbox: Toolbox, settings: BuildSettings, progress: Progress) -> JSON:
    """Base and tuned, every file, on hand-written and generated requests."""
    from lamina.bench import BenchModel, bench_models

    base = _base(settings, (run.result("variant") or {}).get("system"))
    tuned = [BenchModel(f["path"], "tuned", f["type"], settings.train.prompt_style) for f in _files(run)]
    return bench_models([base, *tuned], _tasks(run, settings), run=run, toolbox=toolbox, progress=progress)


def learn_from_use(run: Run, toolbox: Toolbox, tools_file: Path, settings: BuildSettings, progress: Progress) -> JSON:
    """Action principles, from requests that training has not seen and that are not scored; measured on those that
    are."""
    from lamina.agents.built import gguf_of
    from lamina.bench import query_of

    assert settings.learn is not None
    known = [*requests_of(settings.dev_queries, toolbox), *map(query_of, _rows(run, "validation"))]
    generated = map(query_of, _generated(run, settings.generated_prompts, settings.seed))
    scored = [*requests_of(settings.queries, toolbox), *generated]
    model = str(gguf_of(run))
    return learn_principles(run, tools_file, model, _reflector(settings), known, scored, settings.learn, progress)


def describe(run: Run) -> Path:
    from lamina.reports import write_report

    run.write_report_json()
    return write_report(run.folder, run.results())


def _with_files_beside(tools_file: Path, settings: BuildSettings, progress: Progress) -> BuildSettings:
    found = {key: file_beside(tools_file, key, getattr(settings, key), progress) for key in BESIDE}
    return replace(settings, **found)  # type: ignore[arg-type]


def _reflector(settings: BuildSettings) -> str:
    return settings.reflector or settings.synth.writer


def _base(settings: BuildSettings, system: str | None = None) -> BenchModel:
    """The untuned model with all tools in its prompt."""
    from lamina.bench import BenchModel

    return BenchModel(settings.base, "base", "as it comes", "full", system)


def _check_means(settings: BuildSettings) -> None:
    """What is missing is said before the run folder is made, not after ten minutes of work."""
    from lamina.models import prompt_style_of
    from lamina.training.base import require_training_libraries

    require_training_libraries()
    refs = {settings.base, settings.synth.writer, settings.synth.judge, settings.synth.round_trip, _reflector(settings)}
    if settings.distillation is not None:
        refs.add(settings.distillation.teacher)
    for ref in sorted(refs - {"none", "warm-up"}):
        prompt_style_of(ref)


def _tasks(run: Run, settings: BuildSettings) -> list[Task]:
    """What is scored: the hand-written requests, and rows that no training saw."""
    from lamina.bench import OwnTask, query_of

    tasks: list[Task] = [OwnTask(file=settings.queries)] if settings.queries else []
    generated = [query_of(row) for row in _generated(run, settings.generated_prompts, settings.seed)]
    return [*tasks, OwnTask(queries=generated, name="generated")]


def _generated(run: Run, count: int, seed: int) -> list[Trajectory]:
    """At most ``count`` rows of the test split, drawn at random."""
    rows = _rows(run, "test")
    return rows if len(rows) <= count else random.Random(seed).sample(rows, count)


def _rows(run: Run, split: str) -> list[Trajectory]:
    from lamina.trajectories import TrajectoryStore

    return list(TrajectoryStore(run.store).trajectories(split))


def _files(run: Run) -> list[JSON]:
    result = run.result("export")
    assert result is not None, "parity and bench come after export"
    return list(result["files"])
