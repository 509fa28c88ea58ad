"""The stages that measure what was made, and what is learnt from it afterwards."""

from __future__ import annotations

import random
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lamina.build.inputs import requests_of
from lamina.build.learning import learn_principles
from lamina.build.settings import BuildSettings
from lamina.errors import WorkFailedError
from lamina.runs import Progress, Run
from lamina.runs.config import read_config
from lamina.runs.run import is_run
from lamina.synth.grammar import WRITER as GRAMMAR
from lamina.tools import Toolbox

if TYPE_CHECKING:
    from lamina.bench import BenchModel, Task
    from lamina.models.model import Reply, Request
    from lamina.trajectories import Trajectory

JSON = dict[str, Any]
BASE_PROMPTS: dict[str, str | None] = {
    "tools only": None,
    "unrelated": "A request that has nothing to do with any of the functions gets no call.",
    "spelled out": (
        "You call functions. Copy argument values from the request word for word. "
        "Leave out what the request does not say. If none of the functions can do what is asked, answer []."
    ),
}
"""Instructions tried for the untuned base on the development requests, so that it is measured at its best."""


BASE = "base"
"""What the untuned model is called."""

CHOICE_TOKENS = 96
"""Longest answer while an instruction is chosen: a base model that writes more than three calls' worth is wrong
already, and its loops took most of the stage. What is reported is asked without this limit."""


def compare(run: Run, toolbox: Toolbox, settings: BuildSettings, progress: Progress) -> JSON:
    """Do the GGUF files give the calls that the merged float32 model gives? Each is asked in a process of its own
    (llama.cpp is 2.6 times slower in one that has used torch), and the bench scores the same answers."""
    from lamina.bench import BenchModel, BenchSettings, first_answers
    from lamina.quantize.parity_check import parity

    tasks, style = _tasks(run, toolbox, settings), settings.train.prompt_style
    asked = BenchSettings(timeout=settings.synth.timeout)

    def answers(ref: str, precision: str) -> tuple[list[Request], list[Reply]]:
        model = BenchModel(ref, "tuned", precision, style)
        found = first_answers(model, tasks, run=run, toolbox=toolbox, settings=asked, progress=progress)
        return [request for request, _ in found], [reply for _, reply in found]

    requests, wanted = answers(str(run.folder / "model"), "float32")
    files = []
    for file in _files(run):
        _, given = answers(file["path"], file["type"])
        files.append({**file, "parity": parity(wanted, given, requests, toolbox)})
    return {"files": files}


def choose_prompt(run: Run, toolbox: Toolbox, settings: BuildSettings, progress: Progress) -> JSON:
    """The instruction that serves the untuned base best on the development requests."""
    from lamina.bench import BenchSettings, best_variant

    if settings.dev_queries is None:
        return {"best": "tools only", "system": None, "variants": []}
    dev: list[Task] = own_tasks(settings.dev_queries, toolbox)
    if not dev:
        return {"best": "tools only", "system": None, "variants": []}
    brief = BenchSettings(max_tokens=CHOICE_TOKENS, timeout=settings.synth.timeout)
    base = _base(run, settings)
    return best_variant(base, BASE_PROMPTS, dev, run=run, toolbox=toolbox, settings=brief, progress=progress)


def score(run: Run, toolbox: Toolbox, settings: BuildSettings, progress: Progress) -> JSON:
    """Every file, and the base unless it is left out, on hand-written and generated requests. ``by_writer``: of each
    file the rows of the generated ones, with and without those that the grammar wrote."""
    from lamina.bench import BenchModel, BenchSettings, bench_models, part_rows

    models = [BenchModel(f["path"], "tuned", f["type"], settings.train.prompt_style) for f in _files(run)]
    if settings.compare_base:
        models.insert(0, _base(run, settings, (run.result("variant") or {}).get("system")))
    asked = BenchSettings(timeout=settings.synth.timeout, allow_changes=settings.synth.allow_changes)
    tasks = _tasks(run, toolbox, settings)
    result = bench_models(models, tasks, run=run, toolbox=toolbox, settings=asked, progress=progress)
    parts = _with_and_without_grammar(_generated(run, settings.generated_prompts, settings.seed))
    return {**result, "by_writer": part_rows(models, tasks[-1], parts, run=run, toolbox=toolbox, settings=asked)}


def _with_and_without_grammar(generated: list[Trajectory]) -> dict[str, list[str]]:
    """Ids of the generated requests that are scored: the grammar may write a third of all rows, and what a program
    composed may be easier than what a model wrote."""
    composed = [row.id for row in generated if row.meta.writer == GRAMMAR]
    others = [row.id for row in generated if row.meta.writer != GRAMMAR]
    return {"all": [row.id for row in generated], "without_grammar": others, "grammar": composed}


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
    return learn_principles(
        run, tools_file, model, reflector_of(settings), known, scored, settings.learn, progress,
        left_out=[tool.name for tool in toolbox.left_out], timeout=settings.synth.timeout,
    )  # fmt: skip


def check_crashes(run: Run, stage: str, result: Mapping[str, Any], progress: Progress) -> None:
    """Raises WorkFailedError where a model crashed: the stage is not done, and the same command asks again what has no
    answer yet. The report shows the figures of the others. A sample on which a model always crashes is unscored, said
    in the report, and does not keep the build from its end."""
    crashes = [crash for crash in result.get("crashes") or [] if "sample" not in crash]
    if not crashes:
        return
    progress.say(f"report: {describe(run, {stage: result})}")
    first, more = crashes[0], len(crashes) - 1
    what = f"{stage}: {first['model']} {first['precision']} crashed at {first['stage']}: {first['detail']}"
    others = f" ({more} more crashed)" if more else ""
    mend = "the answers there are stay, the same command tries the others again"
    if any(crash["model"] == BASE for crash in crashes):
        mend += "; --no-compare-base goes on without the base"
    raise WorkFailedError(f"{what}{others}; {mend}")


def compared_so_far(folder: Path) -> bool:
    """Whether the run that is there, if any, was begun with the untuned base to be scored."""
    return is_run(folder) and read_config(folder / "config.toml").get("compare_base") is True


def describe(run: Run, unfinished: Mapping[str, Mapping[str, Any]] | None = None) -> Path:
    """``report.json`` of the stages that are done; ``report.html`` of these and of ``unfinished`` ones."""
    from lamina.reports import write_report

    run.write_report_json()
    return write_report(run.folder, {**run.results(), **(unfinished or {})})


def reflector_of(settings: BuildSettings) -> str:
    return settings.reflector or settings.synth.writer


def _base(run: Run, settings: BuildSettings, system: str | None = None) -> BenchModel:
    """The untuned model with all tools in its prompt, held to the same constraints as the tuned one."""
    from lamina.bench import BenchModel
    from lamina.models.metadata import facts_of

    copied = facts_of(str(run.folder / "model")).copied
    return BenchModel(settings.base, BASE, "as it comes", "full", system, copied)


def own_tasks(file: Path | None, toolbox: Toolbox) -> list[Task]:
    """The requests of a file as one task, without those for tools that are left out: no model was taught them."""
    from lamina.bench import OwnTask

    queries = requests_of(file, toolbox)
    return [OwnTask(queries=queries, name=f"own:{file.name}")] if file and queries else []


def _tasks(run: Run, toolbox: Toolbox, settings: BuildSettings) -> list[Task]:
    """What is scored: the hand-written requests, and rows that no training saw."""
    from lamina.bench import OwnTask, query_of

    generated = [query_of(row) for row in _generated(run, settings.generated_prompts, settings.seed)]
    return [*own_tasks(settings.queries, toolbox), OwnTask(queries=generated, name="generated")]


def _generated(run: Run, count: int, seed: int) -> list[Trajectory]:
    """At most ``count`` rows of the test split, drawn at random."""
    rows = _rows(run, "test")
    return rows if len(rows) <= count else random.Random(seed).sample(rows, count)


def _files(run: Run) -> list[JSON]:
    """Where they are now: a run that was moved, or is named from another folder, has them in it still."""
    result = run.result("export")
    assert result is not None, "parity and bench come after export"
    return [{**file, "path": str(run.folder / "gguf" / Path(file["path"]).name)} for file in result["files"]]


def _rows(run: Run, split: str) -> list[Trajectory]:
    from lamina.trajectories import TrajectoryStore

    return list(TrajectoryStore(run.store).trajectories(split))
