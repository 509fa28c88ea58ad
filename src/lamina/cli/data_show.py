"""``lamina data show``: records as a person would read them."""

from __future__ import annotations

import webbrowser
from pathlib import Path
from typing import Annotated, Any

import typer

from lamina.cli.data_options import DataFiles, From
from lamina.cli.options import AsJson, Config, verb
from lamina.cli.output import show as show_result


def show(
    files: DataFiles,
    id: Annotated[str, typer.Option("--id", metavar="ID", help="The record of this id alone.")] = "",
    n: Annotated[int, typer.Option("-n", min=1, help="How many records.")] = 3,
    start: Annotated[int, typer.Option("--start", min=1, help="Which record comes first.")] = 1,
    page: Annotated[
        Path | None,
        typer.Option("--page", metavar="FILE.html", help="Write them to a page to search and filter, instead."),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Which rows the page draws, where it cannot hold all.")] = 0,
    browse: Annotated[bool, typer.Option("--open", help="Open the page in your browser.")] = False,
    format: From = "auto",
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Print records as a person would read them: tools, who said what, calls, results."""
    from itertools import islice

    from lamina.data import files_of, shown
    from lamina.data.sources import records_of
    from lamina.errors import InputError
    from lamina.trajectories import Trajectory

    if browse and page is None:
        raise InputError("--open opens a page", mend="say where it is written, with --page FILE.html")
    if page is not None:
        told = _write_page(files_of(files), format, page, seed)
        show_result(told, as_json=as_json, lines=[f"{told['records']:,} records, {told['rejects']:,} rejects: {page}"])
        if browse:
            webbrowser.open(page.resolve().as_uri())
        return
    records = (r for r in records_of(files_of(files), format) if isinstance(r, Trajectory))
    if id:
        found = list(islice((r for r in records if r.id == id), 1))
        if not found:
            raise InputError(f"there is no record {id!r}", mend="leave --id out to see the first ones")
    else:
        found = list(islice(records, start - 1, start - 1 + n))
    rows: list[dict[str, Any]] = [r.model_dump(exclude_none=True) for r in found]
    lines = [line for record in found for line in [*shown(record), ""]]
    show_result(rows, as_json=as_json, lines=lines[:-1] or ["there is no record"])


def _write_page(files: list[Path], format: str, page: Path, seed: int) -> dict[str, Any]:
    """Reads everything once; of more rows than the page holds, those that it holds are drawn as a run's page draws
    them."""
    from lamina.data.sources import records_of
    from lamina.reports.browsing import MOST, write_page
    from lamina.runs.sampling import Reservoir
    from lamina.trajectories import Reject, Trajectory

    records, rejects = Reservoir[Trajectory](MOST, seed), Reservoir[Reject](MOST, seed)
    for one in records_of(files, format):
        if isinstance(one, Trajectory):
            records.offer(one)
        else:
            rejects.offer(one)
    passed = [record.model_dump(exclude_none=True) for record in records.in_order()]
    rejected = [reject.model_dump(exclude_none=True) for reject in rejects.in_order()]
    write_page(page, passed, rejected, {"passed": records.seen, "rejected": rejects.seen}, seed=seed)
    return {"page": str(page), "records": records.seen, "rejects": rejects.seen}


app = verb(show, example="lamina data show glaive.json -n 2")
