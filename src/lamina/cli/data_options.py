"""Options that the sub-verbs of ``lamina data`` share."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lamina.cli.output import listed, table

if TYPE_CHECKING:
    from lamina.data import Checker
    from lamina.data.model_checks import ModelCheck


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
        "--execute", metavar="TOOLS", help="A Python file of functions; run every call with them.", parser=_path
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
Votes = Annotated[int, typer.Option("--votes", min=1, help="Of the judge, a record: more than half of them must pass.")]
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
    judge: str | None = None,
    votes: int = 1,
    rate: str | None = None,
    apart: Apart = Apart(),
) -> Iterator[Checker]:
    """A checker, with the functions of ``execute`` ready to run and the models open. Raises InputError for a check that
    is not there."""
    from lamina.checks.novelty import STAGE as NOVELTY
    from lamina.checks.recorded_novelty import RecordedNovelty
    from lamina.data import Checker
    from lamina.data.checking import SKIPPABLE
    from lamina.errors import InputError
    from lamina.tools import read_tools
    from lamina.tools.execution import open_executor

    left_out = [name.strip() for name in skip.split(",") if name.strip()]
    if unknown := [name for name in left_out if name not in SKIPPABLE]:
        raise InputError(f"there is no check {unknown[0]!r}", mend=f"--skip takes {', '.join(SKIPPABLE)}")
    novelty = None if NOVELTY in left_out else RecordedNovelty(apart.near, apart.per_call)
    held_out = held_out_requests(apart.held_out)
    toolbox = read_tools(tools) if tools else None
    with contextlib.ExitStack() as stack:
        executor = stack.enter_context(open_executor(read_tools(execute), allow_changes=False)) if execute else None
        models = stack.enter_context(_models(judge, votes, rate))
        yield Checker(
            executor, skip=left_out, toolbox=None if execute else toolbox, novelty=novelty, held_out=held_out,
            models=models,
        )  # fmt: skip


def held_out_requests(files: str | None) -> dict[str, str]:
    """Of what ``--held-out`` names, each request with the name of where it stands. Raises InputError."""
    from lamina.data.sources import requests_of

    return {} if files is None else requests_of(listed(files) or [""])


@contextlib.contextmanager
def _models(judge: str | None, votes: int, rate: str | None) -> Iterator[list[ModelCheck]]:
    """One model is opened once, whatever it is asked to do."""
    from lamina.data.model_checks import Judge, Rater
    from lamina.models import open_model

    opened = {ref: open_model(ref) for ref in dict.fromkeys(filter(None, (judge, rate)))}
    found: list[ModelCheck] = [Rater(opened[rate])] if rate else []
    try:
        yield [*found, *([Judge(opened[judge], votes)] if judge else [])]
    finally:
        for model in opened.values():
            model.close()


def counted(title: str, counts: Mapping[str, int]) -> list[str]:
    """A title and a line for each count, or nothing where there is none."""
    return [f"{title}:", *table([(name, f"{n:,}") for name, n in counts.items()], "  ")] if counts else []
