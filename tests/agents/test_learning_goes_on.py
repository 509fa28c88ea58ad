"""A learning that was killed goes on: at whichever call it died, no model is asked the same twice."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from lamina.agents import Budget, Manner, Principles
from lamina.agents.environments import open_environment
from lamina.agents.learning import Learned, LearnSettings, Ledger, Roles, learn, split_tasks
from lamina.models import Model, open_model
from lamina.models.model import Reply, Request
from lamina.runs import Progress, RecordStore
from lamina.tools import Toolbox
from lamina.trajectories import Message

OBEDIENT = Path(__file__).parent / "obedient_model.py"
SETTINGS = LearnSettings(iterations=2, batch=2, test=2, held=1, turns=4)


class Killed(BaseException):
    pass


class DiesAfter:
    """The obedient model, of which every process gets so many answers; remembers what was answered."""

    ref = "dies"

    def __init__(self, model: Model, answers: float, answered: list[str]):
        self._model, self._left, self._answered = model, answers, answered

    def generate(
        self, requests: Sequence[Request], on_reply: Callable[[int, Reply], None] | None = None
    ) -> list[Reply]:
        replies = []
        for index, request in enumerate(requests):
            if self._left == 0:
                raise Killed
            self._left -= 1
            replies += self._model.generate([request])
            self._answered.append(str([m.model_dump() for m in request.messages]))
            assert on_reply is not None
            on_reply(index, replies[-1])
        return replies

    def close(self) -> None:
        pass


def learn_once(store: RecordStore, answers: float, answered: list[str]) -> tuple[Learned, Ledger]:
    environment = open_environment("tool-operation:todo")
    model = DiesAfter(open_model(f"scripted:{OBEDIENT}"), answers, answered)
    ledger = Ledger(store)
    split = split_tasks(environment.tasks(), held=SETTINGS.held, test=SETTINGS.test)
    return learn(environment, split, Roles(model, model, model), SETTINGS, ledger, store), ledger


def test_killed_after_every_single_answer_it_learns_the_same_and_asks_nothing_twice(tmp_path: Path):
    whole: list[str] = []
    with RecordStore(tmp_path / "whole.sqlite") as store:
        wanted, cost = learn_once(store, float("inf"), whole)
    assert wanted.last != wanted.first
    pieces: list[str] = []
    deaths = 0
    with RecordStore(tmp_path / "pieces.sqlite") as store:
        while True:
            try:
                learned, booked = learn_once(store, 1, pieces)
                break
            except Killed:
                deaths += 1
                assert deaths <= len(whole), "it makes no way"
    assert deaths >= len(whole) - 1
    assert Counter(pieces) == Counter(whole)
    assert [v.as_row() for v in learned.versions] == [v.as_row() for v in wanted.versions]
    assert (learned.first, learned.last, learned.principles.version) == (
        wanted.first,
        wanted.last,
        wanted.principles.version,
    )
    assert booked.total.calls == cost.total.calls
    assert booked.total.prompt_tokens == cost.total.prompt_tokens


def test_each_answer_is_seen_while_episodes_that_end_together_are_played(tmp_path: Path):
    from io import StringIO

    from lamina.agents.learning.playing import Player

    environment, said = open_environment("tool-operation:todo"), StringIO()
    with RecordStore(tmp_path / "store.sqlite") as store, Progress(stream=said).stage("test", 3) as bar:
        model, ledger = open_model(f"scripted:{OBEDIENT}"), Ledger(store)
        player = Player(environment, model, Manner("pract", "text"), Budget(turns=4), ledger, store)
        player.play("test", "t", environment.tasks()[:3], Principles(), 1, 0, bar)
    assert ledger.total.calls > 3
    assert f"3/3 (answers {ledger.total.calls}, reward" in said.getvalue()


@pytest.mark.parametrize("at", [3, 25])
def test_a_process_that_is_gone_in_the_middle_of_a_question(tmp_path: Path, at: int):
    def command(out: str) -> list[str]:
        words = f"learn --env tool-operation:todo --model scripted:{OBEDIENT} --out {tmp_path / out}"
        return [
            sys.executable,
            "-m",
            "lamina",
            *words.split(),
            "--iterations",
            "1",
            "--batch",
            "2",
            "--test",
            "2",
            "--held",
            "1",
        ]

    def run(out: str, **more: str) -> int:
        environment = {**os.environ, "LAMINA_ASKED": str(tmp_path / f"{out}.txt"), **more}
        return subprocess.run(command(out), env=environment, capture_output=True, timeout=300, check=False).returncode

    assert run("whole") == 0
    assert run("killed", LAMINA_DIE_AT=str(at)) == 9
    died_at = asked(tmp_path / "killed.txt")[-1]
    assert run("killed") == 0
    # The question it died at had no answer yet, so that one is asked again, and no other.
    assert Counter(asked(tmp_path / "killed.txt")) == Counter([*asked(tmp_path / "whole.txt"), died_at])
    principles = [(tmp_path / out / "principles.toml").read_text().replace(out, "") for out in ("whole", "killed")]
    assert principles[0] == principles[1]
    before = asked(tmp_path / "killed.txt")
    assert run("killed") == 0
    assert asked(tmp_path / "killed.txt") == before, "a finished learning asks nothing"


def asked(file: Path) -> list[str]:
    return file.read_text().splitlines()


def test_what_an_environment_asks_is_booked_once_and_found_again_after_a_kill(tmp_path: Path):
    def ask(ledger: Ledger, texts: list[str]) -> list[str]:
        model = ledger.booked(DiesAfter(open_model(f"scripted:{script}"), len(texts), answered), "customer")
        return [model.generate([Request([Message(role="user", content=text)])])[0].text for text in texts]

    script = tmp_path / "customer.py"
    script.write_text(
        "def reply(messages, tools, seed):\n    return messages[-1]['content'].upper()\n", encoding="utf-8"
    )
    answered: list[str] = []
    with RecordStore(tmp_path / "records.sqlite") as store:
        first = Ledger(store)
        assert ask(first, ["yes", "no", "yes"]) == ["YES", "NO", "YES"]
        again = Ledger(store)
        assert ask(again, ["no", "why"]) == ["NO", "WHY"]
    assert len(answered) == 3
    assert (first.cost["customer"].calls, again.cost["customer"].calls) == (2, 3)


def test_what_was_repaired_to_read_an_answer_is_found_with_it(tmp_path: Path):
    script = tmp_path / "model.py"
    script.write_text("def reply(messages, tools, seed):\n    return 'Sure: []'\n")
    model = open_model(f"scripted:{script}")
    request = Request([Message(role="user", content="Play")], tools=Toolbox([]))
    replies = []
    for _ in range(2):
        with RecordStore(tmp_path / "records.sqlite") as store:
            replies += Ledger(store).asking(model, "execute")([("", request)])
    asked, found = replies
    assert asked.repairs
    assert (asked.repairs, asked.confidence) == (found.repairs, found.confidence)
