"""``lamina formats``: the record formats."""

from __future__ import annotations

from lamina.cli.options import AsJson, Config, verb
from lamina.cli.output import show, table


def formats(config: Config = None, as_json: AsJson = False) -> None:
    """List the record formats Lamina reads and writes."""
    from lamina.trajectories.formats import formats as all_formats

    found = [{"name": f.name, "about": f.description} for f in all_formats().values()]
    show(found, as_json=as_json, lines=table([(row["name"], row["about"]) for row in found]))


app = verb(formats, example="lamina formats --json")
