"""``lamina data push``: a run's rows as a public data set, with a card."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lamina.cli.options import AsJson, Config, verb
from lamina.cli.output import show


def push(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run with rows.", show_default=False)],
    repo: Annotated[str, typer.Option("--repo", metavar="ORG/NAME", help="The data set's name on the hub.")],
    license: Annotated[str, typer.Option("--license", metavar="ID", help="What others may do with it.")] = "unknown",
    private: Annotated[bool, typer.Option("--private", help="Let nobody else see it.")] = False,
    endpoint: Annotated[
        str | None, typer.Option("--endpoint", metavar="URL", help="Another hub; else the hub library's own.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Make RUN/hub to be looked at, and send nothing.")] = False,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Publish the rows of a run as a data set: Parquet for each part of the split, and a card with yields and command.

    Everything that is sent lies in RUN/hub first. Who you are is the hub library's matter: 'hf auth login'
    or HF_TOKEN.
    """
    from lamina.data.publishing import prepare
    from lamina.data.publishing import push as send
    from lamina.errors import InputError
    from lamina.runs import Run

    if repo.count("/") != 1 or not all(repo.split("/")):
        raise InputError(f"--repo {repo!r} is no ORG/NAME")
    with Run.at(run) as opened:
        folder = prepare(opened, repo, license)
    files = sorted(str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file())
    url = None if dry_run else send(folder, repo, private=private, endpoint=endpoint)
    lines = [f"{folder}: {', '.join(files)}", f"sent to {url}" if url else "nothing was sent"]
    show({"folder": str(folder), "files": files, "url": url}, as_json=as_json, lines=lines)


app = verb(push, example="lamina data push runs/data --repo me/desk-calls --license cc-by-4.0 --dry-run")
