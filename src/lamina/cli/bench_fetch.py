"""``lamina bench fetch``: the data of a public benchmark."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from lamina.cli.options import AsJson, Config, verb
from lamina.cli.output import show


class Benchmark(StrEnum):
    """What can be fetched."""

    bfcl = "bfcl"


def fetch(
    name: Annotated[Benchmark, typer.Argument(metavar="NAME", help="bfcl", show_default=False)],
    wheel: Annotated[
        Path | None, typer.Option("--wheel", metavar="FILE.whl", help="A wheel at hand; nothing is downloaded.")
    ] = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Get the data of a public benchmark into Lamina's cache.

    bfcl: the Berkeley Function Calling Leaderboard, version 4 (Apache-2.0). pip downloads the package bfcl-eval
    without its dependencies; its data files are unpacked, nothing is installed. An installed bfcl-eval is found
    without this.
    """
    from lamina.bench.tasks.bfcl.fetching import fetch_bfcl

    found = fetch_bfcl(wheel)
    line = f"{found['files']} files, {found['bytes'] / 1e6:.1f} MB, {found['license']}: {found['out']}"
    show({"name": name.value, **found}, as_json=as_json, lines=[line])


app = verb(fetch, example="lamina bench fetch bfcl")
