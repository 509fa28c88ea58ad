"""``lamina train``: a model fine-tuned on trajectories."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from lamina.cli.options import (
    AsJson,
    Base,
    Config,
    Epochs,
    Fresh,
    Out,
    PromptStyleOption,
    Seed,
    Style,
    Update,
    UpdateOption,
    verb,
)
from lamina.cli.output import given, show, table


def train(
    data: Annotated[
        Path,
        typer.Argument(metavar="DIR", help="A run folder or a file of trajectories.", show_default=False),
    ],
    out: Out,
    base: Base = "embedded",
    style: PromptStyleOption = Style.baked,
    update: UpdateOption = Update.full,
    epochs: Epochs = None,
    seed: Seed = 0,
    fresh: Fresh = False,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Fine-tune a model on trajectories (loss on assistant tokens only).

    Rows marked train and validation are used as such, test rows never; where no row is marked, all are
    trained on. The model lands in DIR/model.
    """
    from lamina.errors import InputError
    from lamina.runs import Progress, Run
    from lamina.tools import Toolbox
    from lamina.training import TrainSettings, fine_tune
    from lamina.trajectories import content_id, read_trajectories

    rows = list(read_trajectories(data))
    marked = any(row.meta.split for row in rows)
    chosen = [row for row in rows if row.meta.split == "train" or not marked]
    held = [row for row in rows if row.meta.split == "validation"]
    if not chosen:
        raise InputError("holds no rows to train on", file=data, mend="give a run that synth has finished")
    toolbox = Toolbox.from_openai({t["function"]["name"]: t for row in chosen for t in row.tools}.values())
    settings = TrainSettings(**given(epochs=epochs), update=update.value, prompt_style=style.value, seed=seed)
    key = {"verb": "train", "base": base, "data": data.resolve(), "rows": content_id([r.id for r in rows])}
    with Run.open(out, {**key, **asdict(settings)}, fresh=fresh) as run:
        progress = Progress(as_json)
        if not run.is_done("train"):
            model = run.folder / "model"
            run.finish("train", fine_tune(base, chosen, held, model, settings, toolbox, progress))
        run.write_report_json()
        metrics = run.result("train") or {}
    result = {"out": str(out), "seconds": progress.seconds, "metrics": metrics}
    plain = [(k, v) for k, v in metrics.items() if isinstance(v, str | int | float)]
    show(result, as_json=as_json, lines=[*table(plain), f"model: {out / 'model'}"])


app = verb(train, example="lamina train runs/data --out runs/tuned")
