"""Near misses: something that no tool does, done to a thing that a tool makes or keeps ("print my reminder")."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from weakref import WeakKeyDictionary

from lamina.synth.chatter import lowered
from lamina.synth.meanings import acts_of, is_act, words_of_name
from lamina.synth.serving import abilities_of, first_sentence, head_of
from lamina.synth.unserved import foreign_material
from lamina.tools import Tool, Toolbox

SHORTEST = 4
"""Letters of a thing: shorter words of names are mostly prepositions and units."""
_ASKS_A_QUESTION = frozenset({"is", "has", "can", "are", "does", "should"})
"""First words of names that are no thing, nor is what follows: "is_prime"."""
_PREPOSITIONS = frozenset(
    {"of", "in", "to", "from", "for", "by", "with", "until", "between", "per", "into", "on", "at", "and", "or", "after"}
)
_NO_THING = frozenset(
    {"user", "someone", "somebody", "something", "anything", "everything", "person", "people", "thing", "things",
     "ways", "value", "values", "number", "numbers", "data", "information", "item", "items", "result", "results"}
)  # fmt: skip
"""Words that a description has for what is given or unknown."""
_VOWEL = re.compile(r"(?!u[st][aeiu]|uni[^mn]|ur[il]|eu|one|once)[aeiou]|hour|hono|hones|heir")
"""How words begin that begin with the sound of one."""
_open: WeakKeyDictionary[Toolbox, dict[str, list[tuple[str, str]]]] = WeakKeyDictionary()


def near_miss(tool: Tool, toolbox: Toolbox, values: Sequence[str], rng: random.Random) -> tuple[str, str] | None:
    """A request about what the tool is for, with a verb that no tool of the set does to it, and the pattern it is made
    from; None where there is none. ``values``: forms of the tool's own, for patterns that have a place for one."""
    noun = noun_of(tool)
    found = [(p, v) for p, v in _openings(noun, toolbox) if values or "{value}" not in p] if noun else []
    if noun is None or not found:
        return None
    pattern = rng.choice(sorted({p for p, _ in found}))
    verb = rng.choice([v for p, v in found if p == pattern])
    text = pattern.replace("{verb}", verb).replace("{noun}s", _plural(noun))
    text = re.sub(r"\ba \{noun\}", f"{_article(noun)} {{noun}}", text).replace("{noun}", noun)
    return lowered(text.replace("{value}", rng.choice(values) if values else "")), f"near miss: {pattern}"


def _openings(noun: str, toolbox: Toolbox) -> list[tuple[str, str]]:
    """Patterns and the verbs to put into them that ask for what no tool does to the noun."""
    known = _open.setdefault(toolbox, {})
    if noun not in known:
        material, abilities = foreign_material()["near_miss"], abilities_of(toolbox)
        verbs = [verb for verb in material["verbs"] if not abilities.does(verb, noun)]
        patterns = [*material["patterns"]]
        patterns += [
            one["pattern"] for one in material["asking"] if not any(abilities.does(v, noun) for v in one["verbs"])
        ]
        known[noun] = [(p, v) for p in patterns for v in (verbs if "{verb}" in p else [""])]
    return known[noun]


def noun_of(tool: Tool) -> str | None:
    """What the tool acts on, as its name says it in whatever form: ``remove_task``, ``taskRemove``, ``task``. Where the
    name is a verb alone, what its description says that it is done to. None where neither tells."""
    parts = _parts_of(tool.name)
    if not parts or parts[0][0] in _ASKS_A_QUESTION:
        return None
    for place, part in enumerate(parts):
        things = [word for word in part if not is_act(word)]
        if not things or len(things[-1]) < SHORTEST:
            continue
        if place == 0 and len(part) == 1 and not _is_thing_in(things[0], tool.description):
            continue
        return singular(things[-1])
    said = words_of_name(head_of(first_sentence(tool.description)))
    if len(said) < 2 or not acts_of(parts[0][0]) or is_act(said[-1]):
        return None
    return None if said[-1] in _NO_THING or len(said[-1]) < SHORTEST else singular(said[-1])


def _parts_of(name: str) -> list[list[str]]:
    """The words of a name, parted at prepositions: what a tool acts on stands at the end of the first part that names a
    thing."""
    parts: list[list[str]] = [[]]
    for word in words_of_name(name):
        if word in _PREPOSITIONS:
            parts.append([])
        else:
            parts[-1].append(word)
    return [part for part in parts if part]


def _is_thing_in(word: str, description: str) -> bool:
    """Whether a word that stands alone may be a thing: nothing is said of it, or it is spoken of, and not as what one
    does ("Count the ways to choose")."""
    text = description.lower()
    if not text.strip():
        return True
    before = [text[: found.start()].split() for found in re.finditer(rf"\b{re.escape(singular(word))}s?\b", text)]
    return bool(before) and all(words and words[-1] not in ("to", "can", "must", "will") for words in before)


def singular(noun: str) -> str:
    if noun.endswith("ies") and len(noun) > 4:
        return f"{noun[:-3]}y"
    if re.search(r"(?:[sx]|[cs]h)es$", noun):
        return noun[:-2]
    return noun[:-1] if noun.endswith("s") and not noun.endswith(("ss", "us", "is")) else noun


def _article(noun: str) -> str:
    """As the noun sounds: "an event", "a user", "an hour"."""
    return "an" if _VOWEL.match(noun) else "a"


def _plural(noun: str) -> str:
    if re.search(r"[^aeiou]y$", noun):
        return f"{noun[:-1]}ies"
    return f"{noun}es" if re.search(r"(?:[sx]|[cs]h)$", noun) else f"{noun}s"
