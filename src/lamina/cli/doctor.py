"""``lamina doctor``: what works on this machine."""

from __future__ import annotations

import typer

from lamina.cli.options import AsJson, Config, verb
from lamina.cli.output import show


def doctor(config: Config = None, as_json: AsJson = False) -> None:
    """Try what Lamina needs on this machine, and say the mend for what doesn't work.

    Exit status 1 if something is missing that 'lamina build' cannot do without.
    """
    from lamina.doctor import examine

    found = list(examine())
    lines = [
        f"{'works' if f.works else 'MISSING' if f.needed else 'absent':<8} {f.name:<15} {f.detail}"
        + (f"; {f.mend}" if f.mend else "")
        for f in found
    ]
    show([f.as_json() for f in found], as_json=as_json, lines=lines)
    if any(f.needed and not f.works for f in found):
        raise typer.Exit(1)


app = verb(doctor, example="lamina doctor")
