"""Whether RPO reaches the optimum with models whose behaviour provably depends on their principles, and gains nothing
where one link of the chain is broken.

usage: rpo_optimum.py [NAME…]        (some minutes, one core; docs/results/rpo.md)

No change is judged and the last version counts, so that every step of the loop has to do its part. Test tasks with an
action that no task to learn from has are left out and counted ("unmet"): nothing can be learnt of it. Exit status 1
where an optimum is missed, or something is gained with a broken link.
"""

from __future__ import annotations

import itertools
import os
import sys
import tempfile
from collections import Counter
from dataclasses import replace
from pathlib import Path
from statistics import fmean

from lamina.agents.environments import open_environment
from lamina.agents.learning import LearnSettings, Ledger, Roles, learn, split_tasks
from lamina.errors import InputError
from lamina.models import open_model
from lamina.runs import RecordStore

FAMILY = Path(__file__).parents[1] / "tests" / "agents" / "obedient_model.py"
NAMES = ("tool-query", "tool-operation", "shop", "service-desk", "bfcl-multi-turn", "text-game:textworld")
UNSOLVABLE = {"multi_turn_base_173"}
UNJUDGED = {"accept": False, "keep_best": False, "held": 0}
SIZES = {name: {"iterations": 4, "batch": 16, "test": 30} for name in NAMES} | {
    "bfcl-multi-turn": {"iterations": 11, "batch": 16, "test": 30, "turns": 60},
    "text-game:textworld": {"iterations": 1, "batch": 3, "test": 1, "turns": 20},
}
"""All tasks to learn from are played at least once where many actions are met in few of them."""


def main() -> int:
    right, names = True, sys.argv[1:] or NAMES
    print("environment          reward  RPO    form     family       tests  unmet  before  after  calls")
    for name, reward, rpo in itertools.product(names, ("env", "self"), ("batch", "traj")):
        right &= row(name, "obedient", LearnSettings(rpo=rpo, reward=reward, **UNJUDGED, **SIZES[name]))
    for form in ("whole", "items") if "shop" in names else ():
        right &= row("shop", "obedient", LearnSettings(form=form, **UNJUDGED, **SIZES["shop"]))
    for broken in ("mute", "other-words") if "shop" in names else ():
        right &= row("shop", broken, LearnSettings(**UNJUDGED, **SIZES["shop"]))
    return 0 if right else 1


def row(name: str, kind: str, settings: LearnSettings) -> bool:
    """Whether it came out as it should."""
    os.environ["LAMINA_FAMILY"], os.environ["LAMINA_WORLD"] = kind, name
    try:
        environment = open_environment(name)
    except InputError as error:
        print(f"{name:19}  left out: {error}")
        return True
    model = open_model(f"scripted:{FAMILY}")
    split = split_tasks(solvable(environment), held=settings.held, test=settings.test)
    met = {c.name for t in split.train for c in environment.solution(t)}
    learnable = [t for t in split.test if {c.name for c in environment.solution(t)} <= met]
    unmet, split = len(split.test) - len(learnable), replace(split, test=learnable)
    with tempfile.TemporaryDirectory() as folder, RecordStore(Path(folder) / "records.sqlite") as store:
        ledger = Ledger(store)
        learned = learn(environment, split, Roles(model, model, model), settings, ledger, store)
    print(
        f"{name:19}  {settings.reward:6}  {settings.rpo:5}  {settings.form:7}  {kind:12} {len(split.test):5}  {unmet:5}"
        f"  {fmean(learned.first):6.3f}  {fmean(learned.last):5.3f}  {ledger.total.calls:5}",
        flush=True,
    )
    environment.close()
    return fmean(learned.last) == 1.0 if kind == "obedient" else learned.last == learned.first


def solvable(environment):
    """Without one BFCL task that its own right calls do not solve (docs/results/rpo.md), and without those that begin
    with the words of another: the scripted executor knows a task by these."""
    tasks = [t for t in environment.tasks() if t.id not in UNSOLVABLE]
    asked = {(t.fingerprint, str([(c.name, c.arguments) for c in environment.solution(t)])) for t in tasks}
    alike = Counter(words for words, _ in asked)
    return [t for t in tasks if alike[t.fingerprint] == 1]


if __name__ == "__main__":
    sys.exit(main())
