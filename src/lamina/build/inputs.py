"""What a build or a synthesis is given: the files beside the functions, and their requests."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lamina.errors import InputError, UserError
from lamina.runs import Progress
from lamina.runs.config import FILES
from lamina.tools import Toolbox, read_tools, sources_of

if TYPE_CHECKING:
    from lamina.trajectories import Query

BESIDE = {
    "examples": ("examples.jsonl", "examples for the writers, and trained on"),
    "queries": ("queries.jsonl", "scored, never trained on"),
    "dev_queries": ("queries-dev.jsonl", "scored, never trained on"),
}

SHOWN_DATES = 3


def file_beside(tools_file: Path, key: str, given: Path | None, progress: Progress) -> Path | None:
    """The file given, or the one of its usual name beside the tools file, and then it is said. Raises InputError where
    there are several, beside tools files in different folders."""
    name, use = BESIDE[key]
    folders = dict.fromkeys(Path(source).parent for source in sources_of(tools_file))
    beside = [] if given is not None else [folder / name for folder in folders if (folder / name).is_file()]
    if len(beside) > 1:
        what = f"lies beside some of the functions, and {beside[1]} beside others"
        raise InputError(what, file=beside[0], mend=f"name one with --{key.replace('_', '-')}, or put them together")
    if beside:
        given = beside[0]
        progress.say(f"{given} lies beside the functions: its requests are {use}")
    return given.resolve() if given else None


def say_what_is_left_out(toolbox: Toolbox, source: Path, progress: Progress) -> None:
    if left_out := sum(remark.dropped for remark in toolbox.remarks):
        progress.say(f"{left_out} of what {source} describes cannot be tools; 'lamina tools {source}' says why")


def tools_that_run(source: Path, progress: Progress) -> tuple[Toolbox, dict[str, str]]:
    """As ``without_unmet``, of a source. What else is left out is said, too."""
    toolbox = read_tools(source)
    say_what_is_left_out(toolbox, source, progress)
    return without_unmet(toolbox, progress)


def without_unmet(toolbox: Toolbox, progress: Progress) -> tuple[Toolbox, dict[str, str]]:
    """The tools that can run, and of each other what the user has yet to set, which is said once. Raises UserError
    where none is left."""
    from lamina.tools.execution import unmet_tools

    unmet = unmet_tools(toolbox)
    if not unmet:
        return toolbox, {}
    reasons = dict.fromkeys(why.removeprefix(name).lstrip(": ") for name, why in unmet.items())
    said = f"{', '.join(unmet)}: {'; '.join(reasons)}"
    if len(unmet) == len(toolbox):
        raise UserError(f"no tool can run yet: {said}")
    progress.say(f"{len(unmet)} of {len(toolbox)} tools are left out, for they cannot run yet: {said}")
    return toolbox.without(unmet), unmet


def say_what_needs_the_clock(toolbox: Toolbox, progress: Progress) -> None:
    """One line, however many arguments are dates."""
    from lamina.tools.linting import DATES_MEND, date_arguments, told_of_dates

    names = [f"{tool.name}.{name}" for tool in toolbox for name in date_arguments(tool)]
    if names:
        shown = names[:SHOWN_DATES] + ([f"{len(names) - SHOWN_DATES} more"] if len(names) > SHOWN_DATES else [])
        progress.say(f"{told_of_dates(shown)}: rows that say such a date as 'tomorrow' are rejected; {DATES_MEND}")


def fingerprint_of(file: Path | None) -> str | None:
    """Of a file's bytes: other examples make another run."""
    return hashlib.sha256(file.read_bytes()).hexdigest()[:16] if file else None


def read_for(toolbox: Toolbox, *files: Path | None) -> dict[str, Any]:
    """For a run's configuration: the bytes of all that a build is made from, the functions' own source among them. A
    body or an example that changes changes the rows, though a model sees the same tools."""
    read = [*toolbox.files, *(file.resolve() for file in files if file)]
    return {FILES: {str(file): fingerprint_of(file) for file in read if file.is_file()}}


def requests_of(file: Path | None, toolbox: Toolbox) -> list[Query]:
    """Without those for tools that are left out."""
    from lamina.trajectories import read_queries

    found = read_queries(file, Toolbox([*toolbox, *toolbox.left_out])) if file else []
    return [q for q in found if all(call.name in toolbox for way in (q.calls, *q.accept) for call in way)]
