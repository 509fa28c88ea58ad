"""``lamina tasks``: the benchmark tasks."""

from __future__ import annotations

from lamina.cli.options import AsJson, Config, verb
from lamina.cli.output import show, table


def tasks(config: Config = None, as_json: AsJson = False) -> None:
    """List the benchmark tasks, your own entry points included."""
    from lamina.bench import list_tasks

    found = list_tasks()
    show(found, as_json=as_json, lines=table([(row["name"], row["about"]) for row in found]))


app = verb(tasks, example="lamina tasks")
