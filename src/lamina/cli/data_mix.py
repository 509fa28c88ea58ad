"""``lamina data mix``: many sources, one data set."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lamina.cli.options import AsJson, Config, Fresh, Out, verb
from lamina.cli.output import show, table


def mix(
    recipe: Annotated[Path, typer.Argument(metavar="RECIPE.toml", help="Sources and shares.", show_default=False)],
    out: Out,
    fresh: Fresh = False,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Put several data sets together by a recipe: so much of each, checked, no copies, split by group.

    Requests that a model will be scored on are kept out where the recipe names their files. What is left out is in
    rejects.jsonl with the reason. The same recipe gives the same rows.
    """
    from lamina.data import files_of
    from lamina.data.mixing import mix as run_mix
    from lamina.data.recipe import read_recipe
    from lamina.runs import Progress, Run

    wanted = read_recipe(recipe)
    for path in [*(source.path for source in wanted.source), *wanted.held_out]:
        files_of([path])  # a source that is not there is said before any is read
    with Run.open(out, {"verb": "data mix", "recipe": wanted.model_dump(exclude_none=True)}, fresh=fresh) as run:
        if not run.is_done("mix"):
            run.finish("mix", run_mix(wanted, run, Progress(as_json)))
        run.write_report_json()
        result = run.result("mix") or {}
    rows = [
        (one["name"], f"{one['read']:,} read", f"{one['taken']:,} taken", _told(one["left_out"]))
        for one in result["sources"]
    ]
    sides = ", ".join(f"{side} {count:,}" for side, count in result["split"].items())
    show(result, as_json=as_json, lines=[f"{result['rows']:,} records in {out}: {sides}", *table(rows, "  ")])


def _told(left_out: dict[str, int]) -> str:
    return ", ".join(f"{reason} {count:,}" for reason, count in left_out.items()) or "nothing left out"


app = verb(mix, example="lamina data mix recipe.toml --out runs/mix")
