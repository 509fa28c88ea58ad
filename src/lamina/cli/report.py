"""``lamina report``: a run as one page."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from lamina.cli.options import AsJson, Config, verb
from lamina.cli.output import show


def report(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="The run folder.", show_default=False)],
    no_open: Annotated[bool, typer.Option("--no-open", help="Only write it.")] = False,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Write the HTML report of a run, from whatever stages it has finished, and open it.

    It is opened when standard output is a terminal. The page holds everything it needs and opens offline.
    report.json beside it has the same results.
    """
    from lamina.reports import write_report
    from lamina.runs import Run

    with Run.at(run) as there:
        page = write_report(there.folder, there.results())
        there.write_report_json()
    if sys.stdout.isatty() and not (as_json or no_open):
        typer.launch(str(page))
    show({"out": str(page)}, as_json=as_json, lines=[str(page)])


app = verb(report, example="lamina report runs/desk")
