"""``lamina data augment``: the same records in other forms."""

from __future__ import annotations

from typing import Annotated

import typer

from lamina.cli.data_options import DataFiles, From, counted
from lamina.cli.options import AsJson, Config, Fresh, Out, Seed, verb
from lamina.cli.output import show


def augment(
    files: DataFiles,
    out: Out,
    by: Annotated[
        str,
        typer.Option(
            "--by",
            metavar="WAY,…",
            help="shuffle-tools, shuffle-keys, shuffle-parameters, shuffle-calls, mask-names, distract, irrelevance, "
            "present.",
        ),
    ] = "shuffle-tools,shuffle-parameters,mask-names,distract,irrelevance",
    seed: Seed = 0,
    format: From = "auto",
    fresh: Fresh = False,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Write every record, and a copy of it for each way in which the same can be said in another form.

    Each copy is a function of the record and the seed and says in its meta how it was made; it keeps the group of its
    record, so that both fall on one side of a split. No model is asked.
    """
    from lamina.data import files_of
    from lamina.data.widening import widen
    from lamina.runs import Progress, Run

    found = files_of(files)
    ways = [way.strip() for way in by.split(",") if way.strip()]
    key = {
        "verb": "data augment",
        "files": [str(f.resolve()) for f in found],
        "by": ways,
        "seed": seed,
        "format": format,
    }
    with Run.open(out, key, fresh=fresh) as run:
        if not run.is_done("augment"):
            run.finish("augment", widen(found, run, Progress(as_json), ways, seed, format))
        run.write_report_json()
        result = run.result("augment") or {}
    lines = [
        f"{result['written']:,} records from {result['read']:,} in {out}",
        *counted("made by", result["by"]),
        *counted("did not apply", result["does_not_apply"]),
        *counted("rejected", result["rejected"]),
    ]
    show(result, as_json=as_json, lines=lines)


app = verb(augment, example="lamina data augment runs/clean --by shuffle-tools,mask-names,irrelevance --out runs/wide")
