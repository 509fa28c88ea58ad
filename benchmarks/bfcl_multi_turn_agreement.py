"""Lamina's verdicts on BFCL's multi-turn conversations against the official checker's.

    python -m venv official && official/bin/pip install --no-deps bfcl-eval==2026.3.23 mpmath
    python benchmarks/bfcl_multi_turn_agreement.py --official official/bin/python

Of each row of each category the right calls are played, and ``--mutations`` changed conversations: calls left out,
doubled, exchanged, made a turn later, with other arguments, of other functions, spread over several answers. Lamina
plays them as a bench does; the official checker judges the same calls in its own Python. Exit status 1 where they
disagree.
"""

from __future__ import annotations

import argparse
import copy
import json
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from lamina.bench.tasks import Outcome, Sample
from lamina.bench.tasks.bfcl import MULTI_TURN
from lamina.bench.tasks.bfcl.multi_turn import MultiTurnTask, replayed

Call = dict[str, Any]
Turns = list[list[list[Call]]]
"""By turn and answer, the calls."""
STRAYS: list[Any] = [None, "", "x", 0, 1, -1, 2.5, True, [], ["x"], {"a": 1}, "."]


def main() -> int:
    options = _options()
    code = "import importlib.util as u; print(next(iter(u.find_spec('bfcl_eval').submodule_search_locations)))"
    told = subprocess.run([options.official, "-c", code], check=True, capture_output=True, text=True)
    package = Path(told.stdout.strip())
    tasks = {name: MultiTurnTask(name, folder=package) for name in MULTI_TURN}
    samples = {(name, s.id): s for name, task in tasks.items() for s in task.samples()}
    cases = [case for name, task in tasks.items() for case in _cases(name, task, options)]
    with tempfile.TemporaryDirectory() as folder:
        asked, said = Path(folder) / "cases.jsonl", Path(folder) / "verdicts.jsonl"
        asked.write_text("".join(json.dumps(case) + "\n" for case in cases))
        script = Path(__file__).with_name("bfcl_multi_turn_official.py")
        subprocess.run([options.official, str(script), str(package.parent), str(asked), str(said)], check=True)
        *official, timing = [json.loads(line) for line in said.read_text().splitlines()]
    began = time.process_time()
    ours = [_played(tasks[case["category"]], samples[case["category"], case["id"]], case["turns"]) for case in cases]
    return _report(cases, official, ours, timing["seconds"], time.process_time() - began)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--official", required=True, help="a Python in whose environment bfcl-eval is installed")
    parser.add_argument("--mutations", type=int, default=5, help="a row")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def _cases(name: str, task: MultiTurnTask, options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    chance = random.Random(f"{options.seed} {name}")
    samples = task.samples()
    known = [call for sample in samples for turn in sample.row["calls"] for call in turn]
    for sample in samples:
        for number in range(options.mutations + 1):
            turns: Turns = [[copy.deepcopy(turn)] if turn else [] for turn in sample.row["calls"]]
            kind = "right calls"
            for _ in range(chance.randint(1, 3) if number else 0):
                change = chance.choice(CHANGES)
                change(turns, known, chance)
                kind = change.__name__.strip("_").replace("_", " ")
            yield {"category": name, "id": sample.id, "turns": turns, "kind": kind}


def _place(turns: Turns, chance: random.Random) -> list[Call] | None:
    """Some answer with calls."""
    answers = [answer for turn in turns for answer in turn if answer]
    return chance.choice(answers) if answers else None


def _left_out(turns: Turns, known: list[Call], chance: random.Random) -> None:
    if answer := _place(turns, chance):
        answer.pop(chance.randrange(len(answer)))


def _doubled(turns: Turns, known: list[Call], chance: random.Random) -> None:
    if answer := _place(turns, chance):
        answer.append(copy.deepcopy(chance.choice(answer)))


def _exchanged(turns: Turns, known: list[Call], chance: random.Random) -> None:
    if answer := _place(turns, chance):
        chance.shuffle(answer)


def _made_later(turns: Turns, known: list[Call], chance: random.Random) -> None:
    turn = chance.randrange(len(turns))
    if turns[turn] and turn + 1 < len(turns):
        turns[turn + 1].insert(0, turns[turn].pop())


def _other_argument(turns: Turns, known: list[Call], chance: random.Random) -> None:
    if answer := _place(turns, chance):
        arguments = chance.choice(answer)["arguments"]
        if arguments:
            name = chance.choice(list(arguments))
            others = [call["arguments"][name] for call in known if name in call["arguments"]]
            arguments[name] = copy.deepcopy(chance.choice(others if others and chance.random() < 0.6 else STRAYS))


def _argument_more_or_less(turns: Turns, known: list[Call], chance: random.Random) -> None:
    if answer := _place(turns, chance):
        arguments = chance.choice(answer)["arguments"]
        if arguments and chance.random() < 0.5:
            arguments.pop(chance.choice(list(arguments)))
        else:
            arguments[chance.choice(["name", "value", "folder", "extra"])] = chance.choice(STRAYS)


def _other_call(turns: Turns, known: list[Call], chance: random.Random) -> None:
    """Of any class, so that it may be one that is not there."""
    turn = chance.choice(turns)
    turn.insert(chance.randint(0, len(turn)), [copy.deepcopy(chance.choice(known))])


def _reading_call(turns: Turns, known: list[Call], chance: random.Random) -> None:
    reads = [call for call in known if call["name"].startswith(("get_", "ls", "pwd", "cat", "find", "display", "view"))]
    turn = chance.choice(turns)
    turn.insert(chance.randint(0, len(turn)), [copy.deepcopy(chance.choice(reads))])


def _spread(turns: Turns, known: list[Call], chance: random.Random) -> None:
    """One call an answer."""
    place = chance.randrange(len(turns))
    turns[place] = [[call] for answer in turns[place] for call in answer]


def _nothing(turns: Turns, known: list[Call], chance: random.Random) -> None:
    turns[chance.randrange(len(turns))] = []


Change = Callable[[Turns, list[Call], random.Random], None]
CHANGES: list[Change] = [
    _left_out, _doubled, _exchanged, _made_later, _other_argument, _argument_more_or_less, _other_call, _reading_call,
    _spread, _spread, _nothing,
]  # fmt: skip


def _played(task: MultiTurnTask, sample: Sample, turns: Turns) -> Outcome:
    """As a bench plays a model that answers so. An empty answer would end the turn: there is none among them."""
    return replayed(task, sample, [[answer for answer in turn if answer] for turn in turns])


def _report(
    cases: list[dict[str, Any]], official: list[dict[str, Any]], ours: list[Outcome], theirs: float, mine: float
) -> int:
    count: Counter[tuple[str, str]] = Counter()
    wrong = 0
    for case, verdict, outcome in zip(cases, official, ours, strict=True):
        for group in (case["category"], case["kind"]):
            count[group, "all"] += 1
            count[group, "right"] += verdict["valid"]
            count[group, "disagree"] += verdict["valid"] != outcome.right
        if verdict["valid"] != outcome.right:
            wrong += 1
            if wrong <= 20:
                told = {**case, "official": verdict, "ours": [outcome.right, outcome.scores, outcome.reasons]}
                print(json.dumps(told)[:3000], file=sys.stderr)
    for group in dict.fromkeys(group for group, _ in count):
        print(f"{group:28}", *(f"{name} {count[group, name]:6}" for name in ("all", "right", "disagree")))
    print(f"{len(cases)} conversations, {wrong} disagreements; official {theirs:.1f} s, Lamina {mine:.1f} s")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
