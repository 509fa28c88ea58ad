"""RPO with a family of scripted models that follow an instruction if and only if the principles state it."""

from __future__ import annotations

from statistics import fmean

import pytest

from lamina.agents.environments import open_environment
from lamina.agents.environments.user_tools import UserTools
from lamina.agents.learning import LearnSettings, Limits
from lamina.agents.principles import Principles
from lamina.errors import InputError

SMALL = {"iterations": 4, "batch": 6, "test": 8, "held": 4}
"""Of one world, all of whose actions are met in so many tasks."""


@pytest.mark.parametrize("rpo", ["batch", "traj"])
@pytest.mark.parametrize("reward", ["env", "self"])
@pytest.mark.parametrize("name", ["tool-query:movie", "tool-operation:sheet", "shop"])
def test_the_optimum_is_reached(teach, name, reward, rpo):
    settings = LearnSettings(rpo=rpo, reward=reward, accept=False, **SMALL)
    learned, _ = teach(open_environment(name), settings)
    assert fmean(learned.first) < 0.5
    assert learned.last == [1.0] * SMALL["test"]


@pytest.mark.parametrize("form", ["whole", "items"])
def test_the_optimum_is_reached_with_other_forms_of_principle(teach, form, rule):
    learned, _ = teach(open_environment("shop"), LearnSettings(form=form, accept=False, **SMALL))
    assert learned.last == [1.0] * SMALL["test"]
    text = learned.principles.whole if form == "whole" else learned.principles.of("click")
    assert rule("click") in text


@pytest.mark.parametrize("family", ["mute", "other-words"])
def test_nothing_is_gained_where_one_link_of_the_chain_is_broken(teach, family, monkeypatch):
    monkeypatch.setenv("LAMINA_FAMILY", family)
    learned, _ = teach(open_environment("shop"), LearnSettings(accept=False, **SMALL))
    assert learned.last == learned.first
    assert fmean(learned.last) < 0.5


def test_the_paper_preset_judges_nothing_and_takes_every_answer(teach):
    settings = LearnSettings(accept=False, keep_best=False, fallback=False, held=0, iterations=2, batch=4, test=4)
    learned, ledger = teach(open_environment("shop"), settings)
    assert learned.last == [1.0] * 4
    assert "judge" not in ledger.cost
    assert learned.principles.version == learned.versions[-1].principles.version


def test_a_change_that_is_not_better_is_not_accepted(teach, monkeypatch):
    monkeypatch.setenv("LAMINA_FAMILY", "other-words")
    learned, _ = teach(open_environment("shop"), LearnSettings(**SMALL))
    assert not any(v.accepted for v in learned.versions[1:])
    assert "not better on held-out tasks" in learned.versions[1].why
    assert not learned.principles


def test_somebodys_own_tools_are_an_environment_too(teach, shelf, rule):
    environment = UserTools(*shelf)
    try:
        learned, _ = teach(environment, LearnSettings(iterations=1, batch=2, test=2, held=1, turns=4))
    finally:
        environment.close()
    assert learned.last == [1.0, 1.0]
    assert rule("put") in learned.principles.of("put")


def test_the_reward_is_shown_to_the_reflector_in_reward_rpo_alone(teach, tmp_path):
    import json

    from lamina.runs import RecordStore

    for reward, shown in (("env", True), ("self", False)):
        teach(
            open_environment("shop"), LearnSettings(reward=reward, iterations=1, batch=2, test=0, held=0, accept=False)
        )
        with RecordStore(tmp_path / "records.sqlite") as store:
            rows = [json.loads(row.payload) for row in store.iterate("asked")]
            store.delete("asked")
            store.delete("rollout")
        reflected = [r["request"]["messages"][1]["content"] for r in rows if r["part"] == "reflect"]
        assert reflected
        assert all(("Reward:" in text) == shown for text in reflected)


def test_the_limit_of_calls_ends_it_with_what_is_known_by_then(teach):
    learned, ledger = teach(open_environment("shop"), LearnSettings(**SMALL), Limits(calls=60))
    assert "60 calls" in learned.ending
    assert sum(cost.calls for part, cost in ledger.cost.items() if part != "test") <= 60
    assert len(learned.last) == SMALL["test"]


def test_the_first_principles_may_be_somebodys_own(teach, rule):
    start = Principles({"search": rule("search"), "click": rule("click")})
    learned, _ = teach(open_environment("shop"), LearnSettings(**SMALL), start=start)
    assert learned.first == [1.0] * SMALL["test"]
    assert learned.principles.version == start.version


def test_settings_that_contradict_each_other_are_refused(teach):
    with pytest.raises(InputError, match="temperature"):
        teach(open_environment("shop"), LearnSettings(repeats=2))
