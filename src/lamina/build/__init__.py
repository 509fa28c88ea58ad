"""``lamina build``: functions in; verified data set, tuned model, GGUF files, scores and report out.

``build`` below is the table of contents. Each stage is one function that calls one room, and is skipped
where the run has its result already; a killed stage continues inside its room.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from lamina.build.inputs import BESIDE, file_beside, read_for, requests_of, say_what_needs_the_clock, tools_that_run
from lamina.build.learning import check_learnt_before
from lamina.build.making import export, mix_sources, record_command, split_rows, surroundings, tune, warm_up, write_rows
from lamina.build.means import check_means
from lamina.build.measuring import (
    check_crashes,
    choose_prompt,
    compare,
    compared_so_far,
    describe,
    learn_from_use,
    reflector_of,
    score,
)
from lamina.build.mixing import check_recipe
from lamina.build.settings import BuildSettings, identity_of
from lamina.build.yielding import check_enough
from lamina.errors import YieldError
from lamina.runs import Progress, Run, Took
from lamina.tools import Toolbox, where_of

__all__ = ["BuildSettings", "build", "warm_up"]


JSON = dict[str, Any]


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
    toolbox, unmet = tools_that_run(tools_file, progress)
    if not settings.synth.allow_changes:
        from lamina.tools.execution import check_changes_nothing

        check_changes_nothing(toolbox)  # before there is a run, which would hold the answer
    say_what_needs_the_clock(toolbox, progress)
    for file in (settings.examples, settings.queries, settings.dev_queries):
        requests_of(file, toolbox)  # a mistake in them is said now, not after minutes of work
    check_means(settings, toolbox)
    check_recipe(settings.recipe, toolbox, settings.train.prompt_style, progress)
    config = {
        "tools": where_of(tools_file),
        "tools_fingerprint": toolbox.fingerprint(),
        **read_for(toolbox, settings.examples, settings.queries, settings.dev_queries),
        **identity_of(settings),
        **({"unmet": sorted(unmet)} if unmet else {}),
    }
    if not fresh and not settings.compare_base and compared_so_far(out):
        config["compare_base"] = True  # the same run: a base that this machine cannot ask is left out later
    with Run.open(out, config, fresh=fresh) as run:
        record_command(run, command)
        stages: dict[str, Callable[[], Mapping[str, Any]]] = {
            "environment": lambda: surroundings(command),
            "tools": lambda: {"tools": toolbox.as_openai(), **({"left_out": unmet} if unmet else {})},
            "synth": lambda: write_rows(run, toolbox, settings, progress),
            "split": lambda: split_rows(run, toolbox, settings),
            **({"mix": lambda: mix_sources(run, toolbox, settings, progress)} if settings.recipe else {}),
            "train": lambda: tune(run, toolbox, settings, progress),
            "export": lambda: export(run, settings, progress),
            "quantize": lambda: compare(run, toolbox, settings, progress),
            **({"variant": lambda: choose_prompt(run, toolbox, settings, progress)} if settings.compare_base else {}),
            "bench": lambda: score(run, toolbox, settings, progress),
        }
        if settings.learn is not None:
            check_learnt_before(run, settings.learn, reflector_of(settings))
            stages["learn"] = lambda: learn_from_use(run, toolbox, tools_file, settings, progress)
        for stage, work in stages.items():
            if run.is_done(stage):
                progress.say(f"{stage}: done before")
                continue
            if stage == "train":
                _check_enough(run, toolbox, settings, progress)
            with Took() as took:
                result = work()
            check_crashes(run, stage, result, progress)
            run.finish(stage, {**result, "took": took.as_dict()})
        report = describe(run)
        progress.say(f"report: {report}")
        return {"out": str(out), "seconds": progress.seconds, "metrics": run.results()}


def _check_enough(run: Run, toolbox: Toolbox, settings: BuildSettings, progress: Progress) -> None:
    """A build that has too little to train on leaves a report that shows why."""
    try:
        check_enough(run, toolbox, settings, progress)
    except YieldError:
        progress.say(f"report: {describe(run)}")
        raise


def _with_files_beside(tools_file: Path, settings: BuildSettings, progress: Progress) -> BuildSettings:
    found = {key: file_beside(tools_file, key, getattr(settings, key), progress) for key in BESIDE}
    return replace(settings, **found)  # type: ignore[arg-type]
