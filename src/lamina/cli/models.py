"""``lamina models``: what a model reference may be."""

from __future__ import annotations

from lamina.cli.options import AsJson, Config, verb
from lamina.cli.output import show, table


def models(config: Config = None, as_json: AsJson = False) -> None:
    """List the kinds of model reference. Which of them work on this machine says lamina doctor."""
    from lamina.models import list_references

    found = list_references()
    show(found, as_json=as_json, lines=table([(row["name"], row["about"]) for row in found]))


app = verb(models, example="lamina models")
