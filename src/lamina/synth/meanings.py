"""What words mean, as far as it matters for whether a tool serves a request: acts (to delete is to remove, to erase,
to cancel) and things (rain is weather), of ``material/meanings.toml``."""

from __future__ import annotations

import re
import tomllib
from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

from lamina.checks.asking import stems_of

ANYTHING = "anything"
"""The act of "manage", "handle": whatever one may want done."""


@dataclass(frozen=True)
class Acts:
    """Names of acts. ``plainly``: said by words that mean the act whatever it is done to; ``loosely``: by words that
    mean it of some things only ("set")."""

    plainly: frozenset[str] = frozenset()
    loosely: frozenset[str] = frozenset()

    def __or__(self, other: Acts) -> Acts:
        return Acts(self.plainly | other.plainly, self.loosely | other.loosely)

    def __bool__(self) -> bool:
        return bool(self.plainly or self.loosely)


def acts_of(text: str, also_nouns: bool = False) -> Acts:
    """The acts that the words of a text mean, in whatever form ("removes", "dropping"). A word that is as often the
    name of a thing counts only where it comes first, unless ``also_nouns``: "look up a phone number" rings nobody."""
    words = re.findall(r"[a-z]+", text.casefold())
    plainly: set[str] = set()
    loosely: set[str] = set()
    for place, word in enumerate(words):
        if place and not also_nouns and _singular(word) in _material()["nouns"]["words"]:
            continue
        for rest, act, plain in _phrases().get(word, ()):
            if words[place + 1 : place + 1 + len(rest)] == list(rest):
                (plainly if plain else loosely).add(act)
    return Acts(frozenset(plainly), frozenset(loosely))


def is_act(word: str) -> bool:
    """Whether a word means an act and is not as often the name of a thing."""
    return bool(acts_of(word)) and _singular(word.casefold()) not in _material()["nouns"]["words"]


@lru_cache(maxsize=1024)
def acts_that_serve(verb: str) -> frozenset[str]:
    """The acts of which a tool may do what the verb asks for: those the verb means, and those that cover them (whoever
    edits tasks may move them, too)."""
    meant = acts_of(verb, also_nouns=True)
    asked = meant.plainly or meant.loosely
    covering = (act for one in asked for act in _material()["acts"][one].get("served_by", ()))
    return asked | frozenset(covering)


def meanings_of(text: str) -> frozenset[str]:
    """The things that the words of a text name, each by the name of its row of the table; words of none by their
    stems."""
    things = _things()
    return frozenset(meaning for stem in stems_of(text) for meaning in things.get(stem, (stem,)))


def words_of_name(name: str) -> list[str]:
    """The words of a name in snake_case, camelCase, kebab-case or with dots, in small letters."""
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name)
    return re.findall(r"[a-z]+", parted.lower())


def _singular(word: str) -> str:
    return word[:-1] if word.endswith("s") and not word.endswith(("ss", "is", "as")) else word


@lru_cache(maxsize=1)
def _material() -> dict[str, Any]:
    return tomllib.loads(files("lamina.synth").joinpath("material", "meanings.toml").read_text("utf-8"))


@lru_cache(maxsize=1)
def _phrases() -> dict[str, list[tuple[tuple[str, ...], str, bool]]]:
    """By the first word in each of its forms: the words that must follow it, the act, and whether it is meant
    plainly."""
    found: dict[str, list[tuple[tuple[str, ...], str, bool]]] = defaultdict(list)
    for act, entry in _material()["acts"].items():
        for kind in ("verbs", "loosely"):
            for phrase in entry.get(kind, ()):
                first, *rest = phrase.split()
                for form in _forms(first):
                    found[form].append((tuple(rest), act, kind == "verbs"))
    return dict(found)


def _forms(verb: str) -> set[str]:
    """The regular forms of a verb. Where two spellings may be right both are taken ("pined", "pinned"): nobody reads
    them."""
    if verb.endswith("e"):
        return {verb, f"{verb}s", f"{verb}d", f"{verb[:-1]}ing"}
    if re.search(r"[^aeiou]y$", verb):
        return {verb, f"{verb[:-1]}ies", f"{verb[:-1]}ied", f"{verb}ing"}
    doubled = verb + verb[-1]
    return {verb, f"{verb}s", f"{verb}es", *(f"{stem}{end}" for stem in (verb, doubled) for end in ("ed", "ing"))}


@lru_cache(maxsize=1)
def _things() -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for thing, words in _material()["things"].items():
        for stem in stems_of(" ".join(words)):
            found[stem].add(thing)
    return dict(found)
