"""``lamina data mix``: many sources, one data set."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from lamina.cli.options import AsJson, Config, Fresh, Out, verb
from lamina.cli.output import show, table


def mix(
    recipe: Annotated[Path, typer.Argument(metavar="RECIPE.toml", help="Sources and shares.", show_default=False)],
    out: Out,
    tokenizer: Annotated[
        str | None,
        typer.Option("--tokenizer", metavar="REF", help="Count tokens as this model's trainer would."),
    ] = None,
    pack: Annotated[
        str,
        typer.Option("--pack", metavar="jsonl,parquet", help="Write each side of the split as a file of these, too."),
    ] = "",
    fresh: Fresh = False,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Put several data sets together by a recipe: so much of each, checked, no copies, split by group.

    Requests that a model will be scored on are kept out where the recipe names their files. What is left out is in
    rejects.jsonl with the reason. The same recipe gives the same rows.
    """
    from lamina.data import files_of
    from lamina.data.exporting import pack_sides
    from lamina.data.mixing import mix as run_mix
    from lamina.data.recipe import read_recipe
    from lamina.errors import InputError
    from lamina.runs import Progress, Run
    from lamina.training.counting import token_counter

    kinds = [kind.strip() for kind in pack.split(",") if kind.strip()]
    if unknown := sorted(set(kinds) - {"jsonl", "parquet"}):
        raise InputError(f"cannot pack to {unknown[0]!r}", mend="--pack takes jsonl, parquet")
    wanted = read_recipe(recipe)
    wanted.tokenizer = tokenizer or wanted.tokenizer
    for path in [*(source.path for source in wanted.source), *wanted.held_out]:
        files_of([path])  # a source that is not there is said before any is read
    count = token_counter(wanted.tokenizer) if wanted.tokenizer else None
    progress = Progress(as_json)
    with Run.open(out, {"verb": "data mix", "recipe": wanted.model_dump(exclude_none=True)}, fresh=fresh) as run:
        if not run.is_done("mix"):
            run.finish("mix", run_mix(wanted, run, progress, count))
        run.write_report_json()
        result = dict(run.result("mix") or {})
        if kinds:
            result["packed"] = pack_sides(run, result["split"], kinds, progress)
    rows = [
        (one["name"], f"{one['read']:,} read", f"{one['taken']:,} taken", _told(one["left_out"]), *_tokens(one))
        for one in result["sources"]
    ]
    sides = ", ".join(f"{side} {count:,}" for side, count in result["split"].items())
    packed = [f"packed: {out / file}" for file in result.get("packed", [])]
    lines = [f"{result['rows']:,} records in {out}: {sides}", *table(rows, "  "), *packed]
    show(result, as_json=as_json, lines=lines)


def _tokens(source: dict[str, Any]) -> list[str]:
    tokens = source.get("tokens")
    if tokens is None:
        return []
    refused = f", {tokens['refused']:,} the trainer would refuse" if tokens["refused"] else ""
    told = f"{tokens['read']:,} tokens, {tokens['learnt']:,} learnt, longest {tokens['longest']:,}"
    return [told + refused]


def _told(left_out: dict[str, int]) -> str:
    return ", ".join(f"{reason} {count:,}" for reason, count in left_out.items()) or "nothing left out"


app = verb(mix, example="lamina data mix recipe.toml --out runs/mix")
