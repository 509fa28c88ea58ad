"""Principles: a file that people edit; versions that follow from the content."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lamina.agents.environments import open_environment
from lamina.agents.principles import Principles, read_principles
from lamina.errors import InputError

NAMES = st.one_of(st.sampled_from(["class", "whole", "actions", "true", "a.b", 'x"y', "é"]), st.text(min_size=1))


def encodable(text: str) -> bool:
    return text.isprintable() and text.encode("utf-8", "replace").decode() == text


@given(st.dictionaries(NAMES.filter(encodable), st.text()), st.text())
def test_a_file_of_principles_reads_back_as_it_was(tmp_path_factory, actions: dict[str, str], whole: str):
    principles = Principles(actions, whole).from_where(run="runs/x", iteration=2, reflections=["r1"])
    file = tmp_path_factory.mktemp("p") / "principles.toml"
    file.write_text(principles.to_toml(), encoding="utf-8", newline="")
    again = read_principles(file)
    assert again == principles
    assert again.version == principles.version
    assert not again.edited


def test_the_version_follows_from_the_content_and_an_edit_shows(tmp_path: Path):
    principles = Principles({"search": "Before clicking, search."}).from_where(run="runs/x")
    file = tmp_path / "p.toml"
    file.write_text(principles.to_toml().replace("Before", "Always before"), encoding="utf-8")
    edited = read_principles(file)
    assert edited.edited
    assert edited.version != principles.version
    assert edited.version == Principles({"search": "Always before clicking, search.\r\n"}).version


@pytest.mark.parametrize(
    ("text", "said"),
    [("x = [", "no TOML"), ("principles = 1", "unknown key 'principles'"), ("actions = 3", "tables"),
     ("[actions]\nsearch = 3", "'search' is no text"), ("whole = []", "whole is a text")],
)  # fmt: skip
def test_a_file_that_holds_no_principles_is_refused(tmp_path: Path, text: str, said: str):
    file = tmp_path / "p.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=said):
        read_principles(file)


def test_what_was_learnt_of_ending_an_episode_is_no_mistake_where_there_is_none(tmp_path: Path):
    file = tmp_path / "p.toml"
    file.write_text('[actions]\nfinish = "When it is bought."\nclick = "Look first."\n', encoding="utf-8")
    shop = open_environment("shop").toolbox
    assert read_principles(file, shop).among(shop).in_words() == "click: Look first."


def test_a_principle_of_an_action_that_is_gone_is_refused_with_the_nearest(tmp_path: Path):
    file = tmp_path / "p.toml"
    file.write_text('[actions]\nserch = "Search first."\n', encoding="utf-8")
    with pytest.raises(InputError, match=r"no action 'serch'.*'search'"):
        read_principles(file, open_environment("shop").toolbox)
