"""``lamina quantize``: GGUF files, and whether they still give the same calls."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lamina.cli.options import AsJson, Config, Types, verb
from lamina.cli.output import show, table


def quantize(
    model: Annotated[
        Path,
        typer.Argument(
            metavar="MODEL", help="A model folder (safetensors), or a run that has one.", show_default=False
        ),
    ],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="The folder for the GGUF files.")],
    types: Types = "F16,Q8_0,Q4_0",
    queries: Annotated[
        Path | None, typer.Option("--queries", metavar="FILE", help="Requests for the parity check.")
    ] = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Export a trained model to GGUF, quantize it, and check parity.

    Parity is the share of the requests in --queries to which a file gives the very calls that the model
    folder gives; without --queries it is not measured.
    """
    from lamina.quantize import quantize_types

    folder = model / "model" if (model / "model").is_dir() else model
    files = quantize_types(folder, [t.strip() for t in types.split(",") if t.strip()], out)
    for file in files:
        file["parity"] = None
    if queries is not None:
        _measure(folder, files, queries)
    rows = [
        (
            file["path"],
            file["type"],
            f"{file['bytes'] / 1e6:.0f} MB",
            "not measured" if file["parity"] is None else f"parity {file['parity']['rate']:.1%}",
        )
        for file in files
    ]
    warnings = [f"warning: {file['warning']}" for file in files if file["warning"]]
    show({"files": files}, as_json=as_json, lines=[*table(rows), *warnings])


def _measure(folder: Path, files: list[dict[str, object]], queries: Path) -> None:
    from lamina.errors import InputError
    from lamina.models import Request, open_model
    from lamina.models.metadata import facts_of
    from lamina.quantize.parity_check import parity
    from lamina.trajectories import Message, read_queries

    reference = open_model(str(folder))
    try:
        facts = facts_of(str(folder))
        if facts.toolbox is None:
            raise InputError("does not say which tools it knows", file=folder, mend="leave out --queries")
        toolbox, style = facts.toolbox, facts.prompt_style or "full"
        asked = [
            Request([Message(role="user", content=q.query)], tools=toolbox, style=style)
            for q in read_queries(queries, toolbox)
        ]
        for file in files:
            candidate = open_model(str(file["path"]))
            try:
                file["parity"] = parity(reference, candidate, asked, toolbox)
            finally:
                candidate.close()
    finally:
        reference.close()


app = verb(
    quantize,
    example="lamina quantize runs/desk --types Q8_0,Q4_0 --out gguf",
)
