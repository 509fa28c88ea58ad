"""Whether RPO reaches the optimum with models whose behaviour provably depends on their principles, and gains nothing
where one link of the chain is broken.

usage: rpo_optimum.py        (some minutes, one core; docs/results/rpo.md)

No change is judged and the last version counts, so that every step of the loop has to do its part. Where an action is met
in test tasks alone nobody can learn it: such tasks are counted under "unmet".
"""

from __future__ import annotations

import itertools
import os
import sys
import tempfile
from pathlib import Path
from statistics import fmean

from lamina.agents.environments import open_environment
from lamina.agents.learning import LearnSettings, Ledger, Roles, learn, split_tasks
from lamina.errors import InputError
from lamina.models import open_model
from lamina.runs import RecordStore

FAMILY = Path(__file__).parents[1] / "tests" / "agents" / "obedient_model.py"
NAMES = ("tool-query", "tool-operation", "shop", "service-desk", "bfcl-multi-turn", "text-game:textworld")
UNJUDGED = {"accept": False, "keep_best": False, "held": 0}
SIZES = {name: {"iterations": 4, "batch": 16, "test": 30} for name in NAMES} | {
    "bfcl-multi-turn": {"iterations": 11, "batch": 16, "test": 30, "turns": 60},
    "text-game:textworld": {"iterations": 1, "batch": 3, "test": 1, "turns": 20},
}
"""All tasks to learn from are played at least once where many actions are met in few of them."""


def main() -> None:
    print("environment          reward  RPO    form     family       tests  unmet  before  after  calls")
    for name, reward, rpo in itertools.product(sys.argv[1:] or NAMES, ("env", "self"), ("batch", "traj")):
        row(name, "obedient", LearnSettings(rpo=rpo, reward=reward, **UNJUDGED, **SIZES[name]))
    if sys.argv[1:]:
        return
    for form in ("whole", "items"):
        row("shop", "obedient", LearnSettings(form=form, **UNJUDGED, **SIZES["shop"]))
    for broken in ("mute", "other-words"):
        row("shop", broken, LearnSettings(**UNJUDGED, **SIZES["shop"]))


def row(name: str, kind: str, settings: LearnSettings) -> None:
    os.environ["LAMINA_FAMILY"], os.environ["LAMINA_WORLD"] = kind, name
    try:
        environment = open_environment(name)
    except InputError as error:
        print(f"{name:19}  left out: {error}")
        return
    model = open_model(f"scripted:{FAMILY}")
    split = split_tasks(environment.tasks(), held=settings.held, test=settings.test)
    with tempfile.TemporaryDirectory() as folder, RecordStore(Path(folder) / "records.sqlite") as store:
        ledger = Ledger(store)
        learned = learn(environment, split, Roles(model, model, model), settings, ledger, store)
    met = {c.name for t in split.train for c in environment.solution(t)}
    unmet = sum(any(c.name not in met for c in environment.solution(t)) for t in split.test)
    print(
        f"{name:19}  {settings.reward:6}  {settings.rpo:5}  {settings.form:7}  {kind:12} {len(split.test):5}  {unmet:5}  "
        f"{fmean(learned.first):6.3f}  {fmean(learned.last):5.3f}  {ledger.total.calls:5}",
        flush=True,
    )
    environment.close()


if __name__ == "__main__":
    main()
