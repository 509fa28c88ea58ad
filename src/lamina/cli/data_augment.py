"""``lamina data augment``: the same records in other forms."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from lamina.cli.data_options import DataFiles, From, counted
from lamina.cli.options import AsJson, Config, Fresh, Out, Seed, verb
from lamina.cli.output import show

if TYPE_CHECKING:
    from lamina.data.rephrasing import Rephraser


def augment(
    files: DataFiles,
    out: Out,
    by: Annotated[
        str,
        typer.Option(
            "--by",
            metavar="WAY,…",
            help="shuffle-tools, shuffle-keys, shuffle-parameters, shuffle-calls, mask-names, distract, irrelevance, "
            "present, rephrase.",
        ),
    ] = "shuffle-tools,shuffle-parameters,mask-names,distract,irrelevance",
    writer: Annotated[
        str, typer.Option("--writer", metavar="REF", help="For rephrase: the model that says it in other words.")
    ] = "embedded",
    solver: Annotated[
        str | None,
        typer.Option("--solver", metavar="REF", help="For rephrase: who must still call right; else the writer."),
    ] = None,
    seed: Seed = 0,
    format: From = "auto",
    fresh: Fresh = False,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Write every record, and a copy of it for each way in which the same can be said in another form.

    Each copy is a function of the record and the seed and says in its meta how it was made; it keeps the group of its
    record, so that both fall on one side of a split. Only rephrase asks models.
    """
    from lamina.data import files_of
    from lamina.data.rephrasing import WAY
    from lamina.data.widening import check_ways, widen
    from lamina.runs import Progress, Run

    found = files_of(files)
    ways = [way.strip() for way in by.split(",") if way.strip()]
    check_ways(ways)
    models = {"writer": writer, "solver": solver or writer} if WAY in ways else {}
    key = {
        "verb": "data augment",
        "files": [str(f.resolve()) for f in found],
        "by": ways,
        "seed": seed,
        "format": format,
        **models,
    }
    with Run.open(out, key, fresh=fresh) as run:
        if not run.is_done("augment"):
            with _rephraser(seed, **models) as rephraser:
                run.finish("augment", widen(found, run, Progress(as_json), ways, seed, format, rephraser))
        run.write_report_json()
        result = run.result("augment") or {}
    lines = [
        f"{result['written']:,} records from {result['read']:,} in {out}",
        *counted("made by", result["by"]),
        *counted("did not apply", result["does_not_apply"]),
        *counted("rephrasings", result.get("rephrasings", {})),
        *counted("rejected", result["rejected"]),
    ]
    show(result, as_json=as_json, lines=lines)


@contextlib.contextmanager
def _rephraser(seed: int, writer: str = "", solver: str = "") -> Iterator[Rephraser | None]:
    """With the models open; None where none are named. One model in both parts is opened once."""
    from lamina.data.rephrasing import Rephraser
    from lamina.models import open_model, prompt_style_of

    opened = {ref: open_model(ref) for ref in dict.fromkeys(filter(None, (writer, solver)))}
    try:
        yield Rephraser(opened[writer], opened[solver], prompt_style_of(solver) or "full", seed) if opened else None
    finally:
        for model in opened.values():
            model.close()


app = verb(augment, example="lamina data augment runs/clean --by shuffle-tools,mask-names,irrelevance --out runs/wide")
