"""``lamina formats``: the record formats."""

from __future__ import annotations

from lamina.cli.options import AsJson, Config, verb
from lamina.cli.output import show, table


def formats(config: Config = None, as_json: AsJson = False) -> None:
    """List the record formats Lamina reads and writes."""
    from lamina.trajectories.formats import formats as all_formats

    found = [{"name": f.name, "about": f.description, "writes": f.write is not None} for f in all_formats().values()]
    rows = [(row["name"], "reads and writes" if row["writes"] else "reads", row["about"]) for row in found]
    show(found, as_json=as_json, lines=table(rows))


app = verb(formats, example="lamina formats --json")
