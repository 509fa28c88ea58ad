"""GEPA with principles as its components, through the same ledger as RPO."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path
from statistics import fmean

import pytest

from lamina.agents.environments import open_environment
from lamina.agents.learning import LearnSettings, Ledger, Limits, Roles, learn, split_tasks
from lamina.errors import InputError
from lamina.models import open_model
from lamina.runs import RecordStore

needs_gepa = pytest.mark.skipif(not find_spec("gepa"), reason="needs pip install 'lamina[gepa]'")
SETTINGS = LearnSettings(by="gepa", test=6, held=6)
FAMILY = Path(__file__).parent / "obedient_model.py"


@pytest.fixture
def writer(tmp_path: Path) -> str:
    """The obedient executor, with a reflector that answers GEPA's question by rules on what it is shown."""
    script = tmp_path / "family.py"
    script.write_text(
        "import importlib.util, re\n"
        f"spec = importlib.util.spec_from_file_location('family', {str(FAMILY)!r})\n"
        "family = importlib.util.module_from_spec(spec); spec.loader.exec_module(family)\n"
        "def reply(messages, tools, seed):\n"
        "    text = messages[0]['content']\n"
        "    if text.startswith('You serve'):\n"
        "        return family.reply(messages, tools, seed)\n"
        "    name = re.search(r'the principle of ([a-z_]+)', text)[1]\n"
        "    return '```\\n' + family.rule(name) + '\\n```'\n"
    )
    return f"scripted:{script}"


def evolve(tmp_path: Path, writer: str, settings: LearnSettings, limits: Limits | None, name: str = "tool-query:movie"):
    model, world = open_model(writer), open_environment(name)
    split = split_tasks(world.tasks(), held=settings.held, test=settings.test)
    with RecordStore(tmp_path / "records.sqlite") as store:
        ledger = Ledger(store, limits)
        return learn(world, split, Roles(model, model, model), settings, ledger, store), ledger


@needs_gepa
@pytest.mark.parametrize("name", ["tool-query:movie", "shop"])
@pytest.mark.parametrize("reward", ["env", "self"])
def test_it_finds_the_principles_that_the_executor_obeys(tmp_path: Path, writer: str, reward: str, name: str):
    settings = LearnSettings(by="gepa", reward=reward, test=6, held=6)
    learned, ledger = evolve(tmp_path, writer, settings, Limits(calls=2000), name)
    assert fmean(learned.first) < 0.5
    assert learned.last == [1.0] * 6
    assert learned.ending == "the held-out tasks are solved"
    assert {"execute", "reflect", "judge", "test"} == set(ledger.cost)


@needs_gepa
def test_the_budget_of_calls_ends_it_with_the_best_so_far(tmp_path: Path, writer: str):
    learned, ledger = evolve(tmp_path, writer, SETTINGS, Limits(calls=60))
    assert "60 calls" in learned.ending
    assert sum(cost.calls for part, cost in ledger.cost.items() if part != "test") <= 60
    assert len(learned.last) == 6


@needs_gepa
def test_started_again_it_comes_to_the_same_place_and_asks_for_nothing(tmp_path: Path, writer: str):
    once, _ = evolve(tmp_path, writer, SETTINGS, Limits(calls=300))
    again, ledger = evolve(tmp_path, writer, SETTINGS, Limits(calls=300))
    assert again.principles.version == once.principles.version
    assert ledger.asked == 0


@needs_gepa
def test_what_would_never_end_or_has_nothing_to_judge_by_is_refused(tmp_path: Path, writer: str):
    with pytest.raises(InputError, match="max-calls"):
        evolve(tmp_path, writer, SETTINGS, None)
    with pytest.raises(InputError, match="held-out"):
        evolve(tmp_path, writer, LearnSettings(by="gepa", test=2, held=0), Limits(calls=50))
    with pytest.raises(InputError, match="whole texts"):
        evolve(tmp_path, writer, LearnSettings(by="gepa", form="items"), Limits(calls=50))


def test_without_gepa_it_says_what_to_install(tmp_path: Path, writer: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "gepa", None)
    with pytest.raises(InputError, match=r"pip install 'lamina\[gepa\]'"):
        evolve(tmp_path, writer, SETTINGS, Limits(calls=500))
