"""An experiment: {transfers} x {rules} x {seeds} on one data set, cell by cell, each cell done once.

The cells are independent: they run side by side, one a core, and each is recorded when it is done. The same command
continues a killed grid; more seeds, transfers or rules may be asked for in the same folder later.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import product
from pathlib import Path
from typing import Any

from lamina.errors import InputError
from lamina.runs import Progress, Row, Run
from lamina.runs.engines import Engine, check_engine, map_ordered
from lamina.training.layerwise.cell import Cell, Schedule, train_cell, train_teacher, write_jacobians
from lamina.training.layerwise.comparing_seeds import summary
from lamina.training.layerwise.images import SOURCES
from lamina.training.layerwise.rates import RULES, RateRule
from lamina.training.layerwise.transfer import KINDS, TransferSettings
from lamina.training.layerwise.vision import check_networks

JSON = dict[str, Any]
CELL, TEACHER = "cell", "teacher"


@dataclass(frozen=True)
class Experiment:
    """``data`` is the folder of data sets. ``transfer`` and ``rule`` hold what is common to all cells (their kind and
    name are the grid's); a weight of 0 is each kind's usual one."""

    dataset: str
    data: Path | None = None
    fraction: float = 1.0
    teacher: str = "resnet18"
    student: str = "resnet10"
    width: int = 16
    schedule: Schedule = field(default_factory=Schedule)
    transfer: TransferSettings = field(default_factory=lambda: TransferSettings("none"))
    rule: RateRule = field(default_factory=lambda: RateRule("uniform"))

    def config(self) -> JSON:
        """What makes two grids the same: not which of its cells are asked for, nor where the data lies."""
        found = {k: v for k, v in asdict(self).items() if k != "data"}
        found["transfer"] = {k: v for k, v in found["transfer"].items() if k not in ("kind", "several")}
        if not found["transfer"]["weight"]:
            del found["transfer"]["weight"]
        found["rule"] = {k: v for k, v in self.rule.config().items() if k not in ("name", "seed")}
        return {"verb": "distill", "experiment": found}


def run_grid(
    experiment: Experiment,
    run: Run,
    *,
    transfers: Sequence[str] = KINDS,
    rules: Sequence[str] = RULES,
    seeds: int = 5,
    workers: int = 0,
    progress: Progress | None = None,
    seconds: float | None = None,
    engine: Engine = "local",
) -> JSON:
    """Runs the cells that are not there yet, and returns ``{"rows", "pairs", "teacher", "cells", "wanted"}`` of those
    that are (``summary`` says what rows and pairs hold). ``workers`` 0: one a core of the ``engine``. ``seconds``:
    begin no further cell after that long. Raises InputError for a name that is none, MissingExtraError for an engine
    that is not installed."""
    progress = progress or Progress(silent=True)
    check_engine(engine)
    _known(transfers, KINDS, "transfer")
    _known(rules, RULES, "rule for rates")
    _known([experiment.dataset], tuple(SOURCES), "data set")
    check_networks(experiment.teacher, experiment.student)
    first = _cell(experiment, run, "none", "uniform", 0)
    teacher = _teacher(first, run, progress)
    for pair in teacher["pairs"]:
        progress.say(f"matched: student {pair['student']} with teacher {pair['teacher']}")
    # seed by seed: what is done when it is stopped can already be compared
    wanted = [_cell(experiment, run, t, r, s) for s, t, r in product(range(seeds), transfers, rules)]
    if "jacobian" in transfers and not first.jacobians_file().is_file():
        with progress.stage("the teacher's Jacobians", total=1) as bar:
            write_jacobians(first)
            bar.advance(1)
    left = [cell for cell in wanted if run.store.get(CELL, cell.name) is None]
    with progress.stage("cells", total=len(wanted)) as bar:
        bar.advance(len(wanted) - len(left))
        chosen = _while_time(left, progress, None if seconds is None else progress.seconds + seconds)
        for result in map_ordered(train_cell, chosen, workers=workers, chunk=1, engine=engine):
            run.store.put([Row(CELL, result["cell"], run.store.count(CELL), json.dumps(result).encode())])
            bar.advance(1, latest=result["cell"], score=result["score"])
    return grid_result(run, wanted={cell.name for cell in wanted})


def grid_result(run: Run, wanted: set[str] | None = None) -> JSON:
    """Of the cells recorded in a run."""
    cells = [json.loads(row.payload) for row in run.store.iterate(CELL)]
    teacher = run.store.get(TEACHER, TEACHER)
    rows, pairs = summary(cells)
    order = {name: i for i, name in enumerate(KINDS)}
    rules = {name: i for i, name in enumerate(RULES)}
    rows.sort(key=lambda row: (order[row["transfer"]], rules[row["rates"]]))
    return {
        "rows": rows,
        "pairs": pairs,
        "teacher": json.loads(teacher.payload) if teacher else None,
        "cells": len(cells),
        "wanted": len(wanted | {c["cell"] for c in cells}) if wanted is not None else len(cells),
        "courses": _courses(cells),
    }


def _courses(cells: Sequence[JSON]) -> list[JSON]:
    """The rates of the first seed of each transfer under the layer-wise rule, for plots."""
    return [
        {"transfer": cell["transfer"], "rates": cell["rates"], "course": cell["course"]}
        for cell in cells
        if cell["seed"] == 0 and cell["rates"] != "uniform"
    ]


def _while_time(cells: Sequence[Cell], progress: Progress, until: float | None) -> Iterator[Cell]:
    for cell in cells:
        if until is not None and progress.seconds >= until:
            return
        yield cell


def _teacher(cell: Cell, run: Run, progress: Progress) -> JSON:
    known = run.store.get(TEACHER, TEACHER)
    if known is not None and cell.weights_file().is_file():
        stored: JSON = json.loads(known.payload)
        return stored
    cell.weights_file().parent.mkdir(parents=True, exist_ok=True)
    with progress.stage(f"teacher {cell.teacher} on {cell.dataset}", total=1) as bar:
        made = train_teacher(cell)
        bar.advance(1, score=made["score"])
    run.store.replace(Row(TEACHER, TEACHER, 0, json.dumps(made).encode()))
    return made


def _cell(experiment: Experiment, run: Run, transfer: str, rule: str, seed: int) -> Cell:
    common = experiment.transfer
    return Cell(
        dataset=experiment.dataset,
        data=str(experiment.data.resolve()) if experiment.data else "",
        work=str(run.folder.resolve() / "work"),
        fraction=experiment.fraction,
        teacher=experiment.teacher,
        student=experiment.student,
        width=experiment.width,
        seed=seed,
        schedule=experiment.schedule,
        transfer=replace(common, kind=transfer),
        rule=replace(experiment.rule, name=rule, seed=seed),
    )


def _known(names: Sequence[str], all_names: Sequence[str], what: str) -> None:
    for name in names:
        if name not in all_names:
            raise InputError(f"no {what} {name!r}", mend=f"it is one of {', '.join(all_names)}")
