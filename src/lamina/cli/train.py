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
    from lamina.runs import Progress, Run
    from lamina.training import TrainSettings, fine_tune, read_training_data

    found = read_training_data(data)
    settings = TrainSettings(**given(epochs=epochs), update=update.value, prompt_style=style.value, seed=seed)
    key = {"verb": "train", "base": base, "data": data.resolve(), "rows": found.identity}
    with Run.open(out, {**key, **asdict(settings)}, fresh=fresh) as run:
        progress = Progress(as_json)
        if not run.is_done("train"):
            model = run.folder / "model"
            run.finish("train", fine_tune(base, found.train, found.held, model, settings, found.toolbox, progress))
        run.write_report_json()
        metrics = run.result("train") or {}
    result = {"out": str(out), "seconds": progress.seconds, "metrics": metrics}
    plain = [(k, v) for k, v in metrics.items() if isinstance(v, str | int | float)]
    show(result, as_json=as_json, lines=[*table(plain), f"model: {out / 'model'}"])


app = verb(train, example="lamina train runs/data --out runs/tuned")
