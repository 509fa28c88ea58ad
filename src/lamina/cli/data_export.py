"""``lamina data export``: records in another format."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from lamina.cli.data_options import DataFiles, From, counted
from lamina.cli.options import AsJson, Config, verb
from lamina.cli.output import show


def export(
    files: DataFiles,
    to: Annotated[str, typer.Option("--to", metavar="FORMAT", help="See 'lamina formats'.", show_default=False)],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="FILE", help="The file to write, NAME.parquet too; else FORMAT.jsonl in the run."
        ),
    ] = None,
    split: Annotated[
        str | None,
        typer.Option("--split", metavar="PART", help="Only rows of this part: train, validation or test."),
    ] = None,
    format: From = "auto",
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Write records in another format.

    What the format cannot hold is counted, field by field. A record whose calls, results or further turns it cannot
    hold is not written, and said; nor is one that synth set aside as a copy of a held-out request. A format without
    results by design is written without them.
    """
    from lamina.data import export, files_of
    from lamina.errors import InputError
    from lamina.runs import Progress

    if out is None:
        if len(files) != 1 or not files[0].is_dir():
            raise InputError("where to write is not said", mend="give --out FILE")
        out = files[0] / f"{to}.jsonl"
    done = export(files_of(files), to, out, Progress(as_json), format, split)
    reasons = Counter(reject.reason for reject in done.rejects)
    lost, rejected = dict(done.lost.most_common()), dict(reasons.most_common())
    result = {
        "path": str(out),
        "format": to,
        "written": done.written,
        "lost": lost,
        "rejected": rejected,
    }
    lines = [
        f"{done.written:,} records as {to} in {out}",
        *counted("fields that it cannot hold", lost),
        *counted("not written", rejected),
        *[f"  {reject.id}: {reject.detail}" for reject in done.rejects[:5]],
    ]
    show(result, as_json=as_json, lines=lines)


app = verb(export, example="lamina data export runs/clean --to sharegpt --out train.jsonl")
