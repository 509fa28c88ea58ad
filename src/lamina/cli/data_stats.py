"""``lamina data stats``: what a data set is made of."""

from __future__ import annotations

from typing import Any

from lamina.cli.data_options import DataFiles, From, counted
from lamina.cli.options import AsJson, Config, verb
from lamina.cli.output import show, table


def stats(files: DataFiles, format: From = "auto", config: Config = None, as_json: AsJson = False) -> None:
    """Count what is in a data set: sources, styles, tools, calls, turns, lengths."""
    from lamina.data import files_of, shape_of
    from lamina.data.sources import records_of
    from lamina.runs import Progress

    with Progress(as_json).stage("stats") as bar:

        def seen() -> Any:
            for one in records_of(files_of(files), format):
                bar.advance()
                yield one

        found = shape_of(seen())
    kinds = ("parallel", "multi_turn", "with_results", "with_thoughts", "without_calls")
    sizes = ("tools", "calls", "messages", "characters")
    lines = [
        f"{found['records']:,} records that call {found['functions_called']:,} different functions",
        *table([("  a record has", "least", "median", "most")]
               + [(f"  {k}", found[k]["least"], found[k]["median"], found[k]["most"]) for k in sizes]),
        *counted("of them", {k.replace("_", " "): found[k] for k in kinds}),
        *counted("sources", found["sources"]),
        *counted("styles", found["styles"]),
        *counted("rejected", found["rejected"]),
    ]  # fmt: skip
    show(found, as_json=as_json, lines=lines)


app = verb(stats, example="lamina data stats runs/clean")
