"""``lamina bench compare``: two benches, sample by sample."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lamina.cli.options import AsJson, Config, verb
from lamina.cli.output import show, table


def compare(
    before: Annotated[Path, typer.Argument(metavar="RUN", help="A bench's folder.", show_default=False)],
    after: Annotated[Path, typer.Argument(metavar="RUN", help="The one to compare with it.", show_default=False)],
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Say what changed between two benches of the same samples, with 95 % intervals of the difference.

    Models of one name are compared; where each run has a single model, those two.
    """
    from lamina.bench import compare_runs

    found = compare_runs(before, after)
    rows = [
        (r["task"], r["b"], f"{r['difference']:+.3f}", f"[{r['low']:+.3f}, {r['high']:+.3f}]",
         f"gained {r['only_b']}", f"lost {r['only_a']}", f"n={r['n']}")
        for r in found["rows"]
    ]  # fmt: skip
    lines = table(rows) or ["the runs have no sample in common"]
    if found["unpaired"]:
        lines.append(f"{found['unpaired']} samples have no partner in the other run and are left out")
    show(found, as_json=as_json, lines=lines)


app = verb(compare, example="lamina bench compare runs/before runs/after")
