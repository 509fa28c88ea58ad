"""What a run of its own keeps of earlier commands. A sample is stored under what it means (``identity.sample_key``), so
a run can grow: more samples, a model or a task more. The rows of the kinds ``sample`` and ``timing`` are those of the
command at hand, which is what reports and comparisons read; what an earlier command had besides is laid aside, and
taken up again when a command asks for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import orjson

from lamina.runs import Row, Run
from lamina.tools.tool import JSON

ASIDE = "aside"
"""``sample-aside``: the kind of the samples that the command at hand does not ask for."""


@dataclass(frozen=True)
class Place:
    """Where a row stands in the command at hand, and what its model is called there: a model's label depends on the
    other models."""

    position: int | None
    """None: where it stood."""
    model: str
    precision: str


def lay_out(run: Run, kind: str, wanted: Mapping[str, Place]) -> list[JSON]:
    """Makes the rows of ``kind`` those of ``wanted`` that the run has, under their names and in their order; returns
    the records that were laid aside. Raises StorageError."""
    aside = f"{kind}-{ASIDE}"
    gone = [row for row in run.store.iterate(kind) if row.id not in wanted]
    run.store.move(gone, aside)
    run.store.move([row for row in run.store.iterate(aside) if row.id in wanted], kind)
    renamed = []
    for row in run.store.iterate(kind):
        place, record = wanted[row.id], orjson.loads(row.payload)
        name = {"model": place.model, "precision": place.precision}
        position = row.position if place.position is None else place.position
        if row.position != position or any(record[key] != value for key, value in name.items()):
            renamed.append(Row(kind, row.id, position, orjson.dumps(record | name)))
    if renamed:
        run.store.replace(*renamed)
    return [orjson.loads(row.payload) for row in gone]


def changed_since(gone: Iterable[JSON], asked: Iterable[tuple[str, str, str, str]]) -> list[str]:
    """A line a model and task of which samples were answered that are other samples now, because the model's file, the
    row or its scoring changed. ``asked``: model, precision, task and sample of those that are missing."""
    missing = set(asked)
    found = Counter(
        (f"{r['model']} {r['precision']}".strip(), r["task"])
        for r in gone
        if (r["model"], r["precision"], r["task"], r["sample"]) in missing
    )
    what = "changed since they were answered (the model, the row, or how it is asked or scored)"
    return [f"{model}: {n} of {task} {what}: asked again" for (model, task), n in found.items()]
