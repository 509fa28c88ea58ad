"""Whether RPO reaches the optimum with models whose behaviour provably depends on their principles, and gains nothing
where one link of the chain is broken.

usage: rpo_optimum.py        (a minute, one core; docs/results/agents.md)
"""

from __future__ import annotations

import itertools
import os
import tempfile
from pathlib import Path
from statistics import fmean

from lamina.agents.environments import open_environment
from lamina.agents.learning import LearnSettings, Ledger, Roles, learn, split_tasks
from lamina.models import open_model
from lamina.runs import RecordStore

FAMILY = Path(__file__).parents[1] / "tests" / "agents" / "obedient_model.py"
NAMES = ("tool-query", "tool-operation", "shop")
SIZES = {"iterations": 4, "batch": 16, "test": 30, "held": 10}


def main() -> None:
    print("environment     reward  RPO    form     family        before  after  calls")
    for name, reward, rpo in itertools.product(NAMES, ("env", "self"), ("batch", "traj")):
        row(name, "obedient", LearnSettings(rpo=rpo, reward=reward, **SIZES))
    for form in ("whole", "items"):
        row("shop", "obedient", LearnSettings(form=form, **SIZES))
    for broken in ("mute", "other-words"):
        row("shop", broken, LearnSettings(accept=False, **SIZES))


def row(name: str, kind: str, settings: LearnSettings) -> None:
    os.environ["LAMINA_FAMILY"] = kind
    environment = open_environment(name)
    model = open_model(f"scripted:{FAMILY}")
    split = split_tasks(environment.tasks(), held=settings.held, test=settings.test)
    with tempfile.TemporaryDirectory() as folder, RecordStore(Path(folder) / "records.sqlite") as store:
        ledger = Ledger(store)
        learned = learn(environment, split, Roles(model, model, model), settings, ledger, store)
    print(
        f"{name:14}  {settings.reward:6}  {settings.rpo:5}  {settings.form:7}  {kind:12}  {fmean(learned.first):6.3f}  "
        f"{fmean(learned.last):5.3f}  {ledger.total.calls:5}",
        flush=True,
    )


if __name__ == "__main__":
    main()
