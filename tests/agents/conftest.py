"""A learner of the obedient family, and functions of somebody's own with tasks for them."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from lamina.agents.environments import Environment
from lamina.agents.learning import Learned, LearnSettings, Ledger, Limits, Roles, learn, split_tasks
from lamina.agents.principles import Principles
from lamina.models import open_model
from lamina.runs import RecordStore

OBEDIENT = f"scripted:{Path(__file__).parent / 'obedient_model.py'}"

SHELF = '''\
from pathlib import Path


def put(item: str, count: int) -> dict[str, int]:
    """Put items on the shelf.

    Args:
        item: What to put there.
        count: How many.
    """
    with Path("shelf.txt").open("a", encoding="utf-8") as shelf:
        shelf.write(f"{item} {count}\\n")
    return {item: count}


def look() -> list[str]:
    """What is on the shelf."""
    return Path("shelf.txt").read_text(encoding="utf-8").splitlines()
'''


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """A file of functions and one of tasks."""
    tools, tasks = tmp_path / "shelf.py", tmp_path / "tasks.jsonl"
    tools.write_text(SHELF, encoding="utf-8")
    rows = [
        {
            "request": f"Put {n} {item} on the shelf.",
            "calls": [{"name": "put", "arguments": {"item": item, "count": n}}],
        }
        for n in (2, 3)
        for item in ("cups", "plates", "bowls", "jars")
    ]
    tasks.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    monkeypatch.setenv("LAMINA_TASKS", str(tasks))
    return tools, tasks


@pytest.fixture
def teach(tmp_path: Path) -> Callable[..., tuple[Learned, Ledger]]:
    """``teach(environment, settings, limits)``: learns with the obedient family in a store of its own."""

    def run(
        environment: Environment, settings: LearnSettings, limits: Limits | None = None, start: Principles | None = None
    ) -> tuple[Learned, Ledger]:
        model = open_model(OBEDIENT)
        split = split_tasks(environment.tasks(), held=settings.held, test=settings.test, seed=settings.seed)
        with RecordStore(tmp_path / "records.sqlite") as store:
            ledger = Ledger(store, limits)
            return learn(environment, split, Roles(model, model, model), settings, ledger, store, start=start), ledger

    return run


@pytest.fixture
def rule() -> Callable[[str], str]:
    """The sentence that the obedient executor wants to see, of an action."""
    spec = importlib.util.spec_from_file_location("obedient", Path(__file__).parent / "obedient_model.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found: Callable[[str], str] = module.rule
    return found
