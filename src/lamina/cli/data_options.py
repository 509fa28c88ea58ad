"""Options that the sub-verbs of ``lamina data`` share."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lamina.cli.output import listed, table

if TYPE_CHECKING:
    from lamina.data import Checker
    from lamina.data.model_checks import Judge, ModelCheck, Rater


def _path(text: str | Path) -> Path:
    from lamina.data.sources import path_of

    return path_of(text)


DataFiles = Annotated[
    list[Path],
    typer.Argument(
        metavar="FILE|RUN…",
        help="Files of any known format, runs, or folders.",
        show_default=False,
        parser=_path,
    ),
]
From = Annotated[str, typer.Option("--from", metavar="FORMAT", help="The format, where looking is not enough.")]
ToolsForAll = Annotated[
    Path | None,
    typer.Option(
        "--tools", metavar="TOOLS", help="Tools for records that bring none (Python, or a JSON list).", parser=_path
    ),
]
Execute = Annotated[
    Path | None,
    typer.Option(
        "--execute",
        metavar="TOOLS",
        help="Tools that run (functions, an API, MCP servers): every call is run with them.",
        parser=_path,
    ),
]
Skip = Annotated[
    str,
    typer.Option(
        "--skip",
        metavar="CHECK,…",
        help="Checks to leave out: order, format, steps, reasoning, results, grounding, novelty.",
    ),
]


JudgeRef = Annotated[
    str | None,
    typer.Option("--judge", metavar="REF", help="A model that judges what passes everything else."),
]
JudgeAnyway = Annotated[
    bool,
    typer.Option(
        "--judge-anyway", help="Ask a judge that is near chance, too: what it says is a remark, never a reject."
    ),
]
RateRef = Annotated[
    str | None,
    typer.Option(
        "--rate", metavar="REF", help="A model that rates the thoughts before calls, 1 to 5; below 3 rejects."
    ),
]


NearShare = Annotated[
    float | None,
    typer.Option(
        "--near",
        metavar="SHARE",
        min=0.1,
        max=1,
        help="Reject near copies, too: share of words in common from which on a record is one (synth: 0.7).",
    ),
]


@dataclass(frozen=True)
class Apart:
    """What sets records of a data set apart from each other and from evaluation sets, as it was asked for."""

    near: float | None = None
    per_call: int | None = None
    held_out: str | None = None


@contextlib.contextmanager
def checker_of(
    execute: Path | None,
    tools: Path | None,
    skip: str,
    models: Sequence[ModelCheck] = (),
    apart: Apart = Apart(),
    *,
    allow_changes: bool = False,
    timeout: float | None = None,
) -> Iterator[Checker]:
    """A checker, with the functions of ``execute`` ready to run; those that are not called are named once. Raises
    InputError for a check that is not there."""
    from lamina.checks.novelty import STAGE as NOVELTY
    from lamina.checks.recorded_novelty import RecordedNovelty
    from lamina.data import Checker
    from lamina.data.checking import SKIPPABLE
    from lamina.data.not_running import NotRun, withheld_from
    from lamina.errors import InputError
    from lamina.tools import read_tools
    from lamina.tools.execution import Limits, open_executor

    left_out = [name.strip() for name in skip.split(",") if name.strip()]
    if unknown := [name for name in left_out if name not in SKIPPABLE]:
        raise InputError(f"there is no check {unknown[0]!r}", mend=f"--skip takes {', '.join(SKIPPABLE)}")
    novelty = None if NOVELTY in left_out else RecordedNovelty(apart.near, apart.per_call)
    held_out = held_out_requests(apart.held_out)
    toolbox = read_tools(tools) if tools else None
    with contextlib.ExitStack() as stack:
        limits = Limits.of(timeout)
        executor = stack.enter_context(open_executor(read_tools(execute), limits=limits)) if execute else None
        withheld = withheld_from(executor, allow_changes=allow_changes) if executor else {}
        for reason in NotRun:
            if named := [name for name, why in withheld.items() if why.reason is reason]:
                details = dict.fromkeys(withheld[name].detail for name in named)
                print(f"not called: {', '.join(named)}: {'; '.join(details)}", file=sys.stderr)
        yield Checker(
            executor, withheld=withheld, skip=left_out, toolbox=None if execute else toolbox, novelty=novelty,
            held_out=held_out, models=models,
        )  # fmt: skip


def held_out_requests(files: str | None) -> dict[str, str]:
    """Of what ``--held-out`` names, each request with the name of where it stands. Raises InputError."""
    from lamina.data.sources import requests_of

    return {} if files is None else requests_of(listed(files) or [""])


def check_judge_options(
    judge: str | None, votes: int, needed: int | None, anyway: bool = False, sample: int | None = None
) -> None:
    """Raises UserError for votes that cannot be had, and for what is said of a judge that nobody named."""
    from lamina.checks.judge import passes_needed
    from lamina.errors import InputError

    passes_needed(votes, needed)
    said = {"--votes": votes != 1, "--votes-needed": needed is not None, "--judge-anyway": anyway}
    said["--sample"] = sample is not None
    if judge is None and (options := [name for name, given in said.items() if given]):
        raise InputError("no judge is named", mend=f"{options[0]} wants --judge REF")


@contextlib.contextmanager
def judge_of(
    ref: str | None, rate: str | None, votes: int, needed: int | None, anyway: bool, tell: Callable[[int], None]
) -> Iterator[tuple[Rater | None, Judge | None]]:
    """The models that are asked, open. One that does both is opened once. ``tell`` hears how many answers there are:
    a judge of some size takes seconds for each."""
    from lamina.data.model_checks import Judge, Rater
    from lamina.models import open_model
    from lamina.models.answered import Answered

    opened = {one: Answered(open_model(one), tell) for one in dict.fromkeys(filter(None, (ref, rate)))}
    try:
        yield (Rater(opened[rate]) if rate else None, Judge(opened[ref], votes, needed, anyway) if ref else None)
    finally:
        for model in opened.values():
            model.close()


def counted(title: str, counts: Mapping[str, int]) -> list[str]:
    """A title and a line for each count, or nothing where there is none."""
    return [f"{title}:", *table([(name, f"{n:,}") for name, n in counts.items()], "  ")] if counts else []
