"""``lamina envs``: the environments."""

from __future__ import annotations

from lamina.cli.options import AsJson, Config, verb
from lamina.cli.output import show, table


def envs(config: Config = None, as_json: AsJson = False) -> None:
    """List the environments an agent can learn in, your own entry points included.

    Your own functions are one as well: lamina learn --tools TOOLS --tasks FILE.
    """
    from lamina.agents.environments import list_environments

    found = list_environments()
    show(found, as_json=as_json, lines=table([(row["name"], row["about"]) for row in found]))


app = verb(envs, example="lamina envs")
