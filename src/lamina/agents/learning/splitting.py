"""Which tasks are learnt from, which judge a change, and which are kept for the end: never the same."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from lamina.agents.environments.environment import Task
from lamina.errors import InputError


@dataclass(frozen=True)
class Split:
    train: list[Task]
    held: list[Task]
    test: list[Task]


def split_tasks(
    tasks: Sequence[Task], *, held: int, test: int, seed: int = 0, test_tasks: Sequence[Task] | None = None
) -> Split:
    """Drawn at random from ``seed``, stratified by group; tasks that ask the same stay together. ``test_tasks`` are
    somebody's own and refused where they are among ``tasks``. Raises InputError where none is left to learn from."""
    if test_tasks is not None:
        check_disjoint(tasks, test_tasks)
        test = 0
    order = _by_turns(tasks, random.Random(f"{seed} split"))
    parts: dict[str, list[Task]] = {"test": [], "held": [], "train": []}
    wanted = {"test": test, "held": held}
    for alike in order:
        name = next((n for n, size in wanted.items() if len(parts[n]) < size), "train")
        parts[name] += alike
    if not parts["train"]:
        mend = f"give more tasks, or smaller --test and --held than {test} and {held}"
        raise InputError(f"of {len(tasks)} tasks none is left to learn from", mend=mend)
    found = Split(parts["train"], parts["held"], list(test_tasks) if test_tasks is not None else parts["test"])
    check_disjoint([*found.train, *found.held], found.test)
    return found


def check_disjoint(train: Sequence[Task], test: Sequence[Task]) -> None:
    """Raises InputError where a test task is one that is learnt from, whatever its id, case and spacing."""
    known = {t.fingerprint: t.id for t in train}
    leaks = [(known[t.fingerprint], t.id) for t in test if t.fingerprint in known]
    if leaks:
        what = f"{len(leaks)} test tasks are among those to learn from, {leaks[0][1]!r} is {leaks[0][0]!r}"
        raise InputError(what, mend="remove them from one of the two")


def _by_turns(tasks: Sequence[Task], chance: random.Random) -> list[list[Task]]:
    """Tasks that ask the same, together; one of each group in turn."""
    alike: dict[str, list[Task]] = defaultdict(list)
    for task in tasks:
        alike[task.fingerprint].append(task)
    groups: dict[str, list[list[Task]]] = defaultdict(list)
    for same in alike.values():
        groups[same[0].group].append(same)
    for listed in groups.values():
        chance.shuffle(listed)
    order: list[list[Task]] = []
    while any(groups.values()):
        order += [listed.pop() for listed in groups.values() if listed]
    return order
