"""Options that the sub-verbs of ``lamina data`` share."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lamina.cli.output import table

if TYPE_CHECKING:
    from lamina.data import Checker
    from lamina.data.model_checks import Judge, ModelCheck, Rater

DataFiles = Annotated[
    list[Path],
    typer.Argument(metavar="FILE|RUN…", help="Files of any known format, runs, or folders.", show_default=False),
]
From = Annotated[str, typer.Option("--from", metavar="FORMAT", help="The format, where looking is not enough.")]
ToolsForAll = Annotated[
    Path | None,
    typer.Option("--tools", metavar="TOOLS", help="Tools for records that bring none (Python, or a JSON list)."),
]
Skip = Annotated[
    str,
    typer.Option(
        "--skip", metavar="CHECK,…", help="Checks to leave out: order, format, steps, reasoning, results, grounding."
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


@contextlib.contextmanager
def checker_of(
    execute: Path | None, tools: Path | None, skip: str, models: Sequence[ModelCheck] = ()
) -> Iterator[Checker]:
    """A checker, with the functions of ``execute`` ready to run. Raises InputError for a check that is not there."""
    from lamina.data import Checker
    from lamina.data.checking import RULES
    from lamina.errors import InputError
    from lamina.tools import read_tools
    from lamina.tools.execution import open_executor

    left_out = [name.strip() for name in skip.split(",") if name.strip()]
    if unknown := [name for name in left_out if name not in RULES]:
        raise InputError(f"there is no check {unknown[0]!r}", mend=f"--skip takes {', '.join(RULES)}")
    toolbox = read_tools(tools) if tools else None
    with contextlib.ExitStack() as stack:
        executor = stack.enter_context(open_executor(read_tools(execute), allow_changes=False)) if execute else None
        yield Checker(executor, skip=left_out, toolbox=None if execute else toolbox, models=models)


def check_judge_options(
    judge: str | None, votes: int, needed: int | None, anyway: bool = False, sample: int | None = None
) -> None:
    """Raises UserError for votes that cannot be had, and for what is said of a judge that nobody named."""
    from lamina.checks.judge import passes_needed
    from lamina.errors import InputError

    passes_needed(votes, needed)
    said = {"--votes-needed": needed is not None, "--judge-anyway": anyway, "--sample": sample is not None}
    if judge is None and (options := [name for name, given in said.items() if given]):
        raise InputError("no judge is named", mend=f"{options[0]} wants --judge REF")


@contextlib.contextmanager
def judge_of(
    ref: str | None, rate: str | None, votes: int, needed: int | None, anyway: bool
) -> Iterator[tuple[Rater | None, Judge | None]]:
    """The models that are asked, open. One that does both is opened once."""
    from lamina.data.model_checks import Judge, Rater
    from lamina.models import open_model

    opened = {one: open_model(one) for one in dict.fromkeys(filter(None, (ref, rate)))}
    try:
        yield (Rater(opened[rate]) if rate else None, Judge(opened[ref], votes, needed, anyway) if ref else None)
    finally:
        for model in opened.values():
            model.close()


def counted(title: str, counts: Mapping[str, int]) -> list[str]:
    """A title and a line for each count, or nothing where there is none."""
    return [f"{title}:", *table([(name, f"{n:,}") for name, n in counts.items()], "  ")] if counts else []
