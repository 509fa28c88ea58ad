"""Answers of a model that was taught to speak beside calling (``lamina train --learn words``): words, then the calls on
a line of their own, or either alone. Any other model that Lamina tuned writes calls and nothing else.

What opens the calls is a bracket, so the words hold none (our choice): training refuses a row whose words do, and the
grammar lets no word have one."""

from __future__ import annotations

from dataclasses import dataclass

OPENS, CLOSES = "[", "]"
NO_CALLS = "[]"


@dataclass(frozen=True)
class Spoken:
    """An answer taken apart: its words, and its calls as they are written alone, ``[]`` where there are none. Words
    that were cut off are no answer without calls: they stand in ``calls``, which then cannot be read, and ``problem``
    says why."""

    words: str
    calls: str
    problem: str | None = None


def speaking_grammar(calls: str, end: int | None = None) -> str:
    """The llguidance grammar of words before or instead of calls; ``calls``: that of the calls alone. ``end``: the
    token that ends a turn. llama.cpp lets a grammar end with one token only, of those that can end a turn whichever it
    finds first; a model that was taught another one then goes on speaking, unless the grammar names its own."""
    parts = ["start: said end?", f"end: <[{end}]>"] if end is not None else ["start: said"]
    parts += ["said: WORDS calls? | calls", "WORDS: /[^\\[]+/", calls.replace("start:", "calls:", 1)]
    return "\n".join(parts)


def taken_apart(text: str, *, truncated: bool) -> Spoken:
    """``truncated``: the answer ends because it reached the most tokens that it may have."""
    words, opened, calls = text.partition(OPENS)
    words = words.strip()
    if not opened and truncated:
        return Spoken("", words, "the answer ends amid its words: it reached max_tokens")
    if not opened:
        return Spoken(words, NO_CALLS if words else "")
    if not truncated and not calls.endswith(CLOSES):
        # llama.cpp decodes freely, and says so to nobody, when llguidance does not take a grammar
        return Spoken(words, opened + calls, "the engine did not follow the grammar")
    return Spoken(words, opened + calls)
