"""Could a tool on offer serve a request that is meant to be served by none? Asked on the side of caution: a row that
teaches a model to refuse what it can do harms more than one that is lost (our choice)."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from lamina.checks.asking import stems_of
from lamina.synth.meanings import ANYTHING, Acts, acts_of, acts_that_serve, meanings_of, words_of_name
from lamina.tools import Tool, Toolbox

SHARED = 2
"""Words of what a tool and its arguments say of themselves, from which on a request that says them is served."""
TELLING_ACTS = frozenset({"telephone", "message", "mail", "translate", "print", "draw"})
"""Acts that say what is wanted whatever they are done to. (Much may be sent, bought, played or booked.)"""
_ANYTHING = (
    "add apply book build calculate call change check clear close compute convert copy count create cut delete display "
    "do drop edit estimate fetch find generate give handle list load look lookup make move open order pick play "
    "process put query read remove rename reset retrieve return run save search send set show sort start stop store "
    "submit switch tell turn update use view write new all item data info information name value number"
)
"""Words of a tool's name that say nothing about what it is done to."""
_DETAILS = re.compile(r"[,:;()]|\b(?:on|in|into|of|for|with|from|at|by|between|to|so that)\b")
"""Where the head of a description ends: "Look up a person" of "Look up a person in the contacts: phone, birthday"."""

_ANSWERS = re.compile(r"^returns?\b", re.IGNORECASE)
"""How many a docstring begins that says what comes back, and gives nothing back to a shop."""
_POLITE = re.compile(
    r"^(?:(?:hey|hi|ok|so|please|pls|(?:can|could|would|will) you|i want to|i need to|i'd like to|let's)\b[ ,!]*)+"
)


@dataclass(frozen=True)
class Ability:
    """What a tool's own words say that it can do. ``acts``: by its name, its first sentence, its arguments' names and
    choices, and how its examples begin; empty where none of them is a verb that we know. ``things``: what its name and
    the head of its first sentence name."""

    tool: Tool
    acts: Acts
    things: frozenset[str]
    telling: frozenset[str]
    """Of these, without words that go with anything."""
    named: frozenset[str]
    """Of the name alone."""
    told: frozenset[str]
    """Of all that it and its arguments say of themselves."""


class Abilities:
    """Those of all tools of a set, and whether one of them does something to a thing."""

    def __init__(self, toolbox: Toolbox):
        self.all = [ability_of(tool) for tool in toolbox]
        self.acts = frozenset[str]().union(*(one.acts.plainly for one in self.all))
        self.telling = frozenset[str]().union(*(one.telling for one in self.all))
        self._loosely: dict[str, set[str]] = defaultdict(set)
        for one in self.all:
            for thing in one.things:
                self._loosely[thing] |= one.acts.loosely if one.acts else {ANYTHING}

    def does(self, verb: str, noun: str) -> bool:
        """Whether some tool may do what the verb says to what the noun names. A verb that means one act is served by
        every tool with that act: "the invite" may well be what ``remove_event`` removes. Of a tool with no verb that we
        know, and of one that "manages", anything is expected."""
        wanted = acts_that_serve(verb)
        if wanted & self.acts:
            return True
        loosely = frozenset[str]().union(*(self._loosely.get(thing, ()) for thing in meanings_of(noun)))
        return bool(loosely & {ANYTHING, *wanted})


_known: WeakKeyDictionary[Toolbox, Abilities] = WeakKeyDictionary()


def abilities_of(toolbox: Toolbox) -> Abilities:
    """Read once for each toolbox: they are asked for with every row."""
    if toolbox not in _known:
        _known[toolbox] = Abilities(toolbox)
    return _known[toolbox]


def ability_of(tool: Tool) -> Ability:
    name, sentence = words_of_name(tool.name), first_sentence(tool.description)
    acts = acts_of(" ".join(name)) | acts_of(_ANSWERS.sub("It", sentence))
    for argument, schema in tool.properties.items():
        choices = schema.get("enum", ()) if isinstance(schema, dict) else ()
        for text in (" ".join(words_of_name(argument)), *(choice for choice in choices if isinstance(choice, str))):
            # "archived: bool", 'action: Literal["create", "delete"]'; "its", as "phone: str" is a thing, no act
            acts |= Acts(acts_of(f"its {text}").plainly)
    acts |= _acts_of_examples(tool)
    return Ability(
        tool,
        acts,
        meanings_of(f"{' '.join(name)} {head_of(sentence)}"),
        _telling(f"{' '.join(name)} {head_of(sentence)}"),
        _telling(" ".join(name)),
        _telling(f"{' '.join(name)} {_told(tool)}"),
    )


def _acts_of_examples(tool: Tool) -> Acts:
    """What at least half of a tool's examples begin with: how people ask for it says more than a thin description
    ("ring Anna", of ``contact(person)``), and one of a thousand may begin with any word."""
    begun = [acts_of(" ".join(_POLITE.sub("", e.request.casefold()).split()[:1])) for e in tool.examples]
    times = Counter(act for one in begun for act in one.plainly)
    return Acts(plainly=frozenset(act for act, often in times.items() if often * 2 >= len(begun)))


def serving_tool(request: str, toolbox: Toolbox) -> tuple[Tool, str] | None:
    """The first tool that may serve the request, with the words that say so: one of its name, verbs that go with
    anything aside, or two of its description and its arguments, or an act such as to ring somebody. Other words for the
    same count as far as ``material/meanings.toml`` knows them."""
    said, acts = _telling(request), acts_of(request, also_nouns=True).plainly & TELLING_ACTS
    for one in abilities_of(toolbox).all:
        shared = said & one.named or acts & one.acts.plainly
        if not shared and len(said & one.told) >= SHARED:
            shared = said & one.told
        if shared:
            return one.tool, ", ".join(sorted(shared))
    return None


def first_sentence(text: str) -> str:
    return re.split(r"(?<=[.!?])\s|\n\s*\n", text.strip(), maxsplit=1)[0]


def head_of(sentence: str) -> str:
    """The sentence up to its first detail: what is done to what."""
    return _DETAILS.split(sentence, maxsplit=1)[0]


def _telling(text: str) -> frozenset[str]:
    """The meanings of a text's words, without those of words that say nothing and mean nothing else."""
    nothing = stems_of(_ANYTHING)
    return frozenset(meaning for meaning in meanings_of(text) if meaning not in nothing)


def _told(tool: Tool) -> str:
    arguments = (
        f"{' '.join(words_of_name(name))} {schema.get('description', '') if isinstance(schema, dict) else ''}"
        for name, schema in tool.properties.items()
    )
    return f"{tool.description} {' '.join(arguments)}"
