"""Unanswered: does the request ask for more than its calls do? (Our choice; APIGen's judge asks the same of a model,
arXiv 2406.18518 section 3.2, "wrong number of calls".)

Deterministic and strict: it speaks only of requests that are answered by several calls at once, and only where the
request itself counts.

1. *Steps*: "First …. Then …. Finally …" are three things; two calls are one too few.
2. *A step of its own*: no word of such a step has to do with the name or a value of any call.
3. *A value of its own*: a sentence gives an identifier, an address or a quotation, no call has it, and no call has
   anything else of that sentence.
4. *A list*: "Paris, Rome and Oslo", and calls for two of the three."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from lamina.checks.evidence import numbers_in
from lamina.tools import Toolbox
from lamina.trajectories import ToolCall
from lamina.trajectories.number_readings import to_float

FEWEST = 2
"""Calls: one may be all that there was to do about a request that tells a story."""
_SENTENCE = re.compile(r"(?<=[.!?;])[\"']?\s+(?=[A-Z\"'(])|\n+")
_ORDER = re.compile(
    r"\W*(?:(?:and|please) )*(first(?:ly)?|second(?:ly)?|third(?:ly)?|then|next|after(?:wards?| that| this| which)|"
    r"finally|lastly|moving on)(?!\w)",
    re.IGNORECASE,
)
"""How the next thing to do begins."""
_MORE = re.compile(
    r"\W*(?:(?:and|please|can you|could you) )*(also|additionally|in addition|furthermore|moreover|once [^,]*,)(?!\w)",
    re.IGNORECASE,
)
"""How the next thing begins, or more about the one before."""
_ASKS = re.compile(r"\b(?:please|can you|could you|need|want|would like|looking (?:for|to)|know|help)\b", re.IGNORECASE)
_QUOTED = re.compile(r"(?<!\w)(?:'([^'\n]{2,})'(?!\w)|\"([^\"\n]{2,})\"|“([^”\n]{2,})”|‘([^’\n]{2,})’(?!\w))")
_WHOLLY_QUOTED = re.compile(r"^([\"'])([^\"]*)\1$", re.DOTALL)
"""As some sets write every request: no quotation in it."""
_ADDRESS = re.compile(r"\b[\w.+-]+@[\w-]+\.[\w.]+\b|\b\w+://[^\s'\",]+|\bwww\.[^\s'\",]+")
_IDENTIFIER = re.compile(
    r"(?<![\w/.:@'-])(?=\w*\d)(?=\w*[A-Za-z])(?!\d+[a-z]{1,3}\b)\w{4,}\b"
    r"|(?<![\w.,:/-])\w+\.(?:pdf|csv|txt|jpe?g|png|docx?|xlsx?|json|xml|mp[34]|py|pcap|mov)\b"
)
_NUMBER = re.compile(r"(?<![\w.,:/-])\d[\d,]*\.\d+(?!\w)|(?<![\w.,:/-])\d[\d,]*\d(?![\w.]*\w)")
_DIGITS = re.compile(r"\d{1,12}")
_EMPTY_WORDS = re.compile(
    r"about|also|analyze|and|any|are|can|calculate|check|could|data|details|find|for|from|"
    r"get|given|help|information|into|its|last|lastly|like|name|need|please|provide|retrieve|"
    r"specific|such|than|that|the|their|then|this|using|use|want|was|what|which|will|with|"
    r"would|you|your"
)


def unanswered(request: str, calls: Sequence[ToolCall], toolbox: Toolbox) -> str | None:
    """What of ``request`` no call answers, as a sentence. ``calls``: all that answer it."""
    if len(calls) < FEWEST:
        return None
    made = _Made(calls, toolbox)
    request = _WHOLLY_QUOTED.sub(r"\2", request.strip())
    sentences = [s for s in _SENTENCE.split(request) if s]
    blocks = _blocks(sentences)
    return (
        _steps_left(sentences, len(calls))
        or _step_of_its_own(blocks, made)
        or _value_of_its_own(blocks, made)
        or _item_left(request, calls)
    )


class _Made:
    """The calls of a request, prepared for look-ups."""

    def __init__(self, calls: Sequence[ToolCall], toolbox: Toolbox):
        self.calls = [_One(call) for call in calls]
        names = [_folded(word) for tool in toolbox for word in (tool.name, *tool.properties)]
        self.text = "|".join([*(text for call in self.calls for text in call.texts), *names])
        """What calls say, and what functions are called: a request may name them."""

    def have_to_do_with(self, step: str) -> bool:
        words = _words(step)
        return any(call.said_in(step) or _share(words, call.words) for call in self.calls)

    def said_in(self, sentence: str) -> bool:
        return any(call.said_in(sentence) for call in self.calls)

    def have(self, mark: str) -> bool:
        folded, numbers = _folded(mark), {float(digits) for digits in _DIGITS.findall(mark)}
        return folded in self.text or any(
            numbers & call.numbers or any(len(text) > 2 and text in folded for text in call.texts)
            for call in self.calls
        )


class _One:
    def __init__(self, call: ToolCall):
        self.values = [v for v in _scalars(call.arguments) if v is not None and not isinstance(v, bool)]
        self.texts = [_folded(v) for v in self.values if isinstance(v, str)]
        self.words = _words(" ".join(map(str, [call.name, *self.values])))
        numbers = [n for v in self.values for n in (numbers_in(v.casefold()) if isinstance(v, str) else [to_float(v)])]
        self.numbers = {abs(n) for n in numbers} | {float(d) for v in self.values for d in _DIGITS.findall(str(v))}

    def said_in(self, sentence: str) -> bool:
        """Whether one of its values stands there, most of its words."""
        folded, words, numbers = _folded(sentence), _words(sentence), set(numbers_in(sentence.casefold()))
        for value in self.values:
            if not isinstance(value, str):
                if abs(to_float(value)) in numbers:
                    return True
                continue
            own = _words(value)
            if len(_folded(value)) > 1 and _folded(value) in folded:
                return True
            if own and 2 * sum(_share({word}, words) for word in own) >= len(own):
                return True
        return False


def _steps_left(sentences: Sequence[str], made: int) -> str | None:
    """What comes before the first "then" is a step, too."""
    found = [word[1].casefold() for sentence in sentences if (word := _ORDER.match(sentence))]
    if not found:
        return None
    steps = len(found) + (not found[0].startswith("first") and not _ORDER.match(sentences[0]))
    return f"the request has {steps} steps ({', '.join(found)}), the answer {made} calls" if steps > made else None


def _step_of_its_own(blocks: Sequence[str], made: _Made) -> str | None:
    step = next((b for b in blocks[1:] if _asks(b) and _words(b) and not made.have_to_do_with(b)), None)
    return f"no call has to do with {_short(step)}" if step else None


def _asks(block: str) -> bool:
    return bool(_ORDER.match(block) or (_ASKS.search(block) and any(_marks(block))))


def _blocks(sentences: Sequence[str]) -> list[str]:
    """Each step with the sentences that say more of it; before the first what comes before."""
    blocks: list[str] = []
    for sentence in sentences:
        if not blocks or _ORDER.match(sentence) or _MORE.match(sentence):
            blocks.append(sentence)
        else:
            blocks[-1] += f" {sentence}"
    return blocks


def _value_of_its_own(blocks: Sequence[str], made: _Made) -> str | None:
    """Calls without any value, as sets that only choose tools have, could not have had it."""
    if not any(call.values for call in made.calls):
        return None
    for block in blocks:
        marks = list(_marks(block))
        if (
            marks
            and (_ORDER.match(block) or _ASKS.search(block))
            and not any(map(made.have, marks))
            and not made.said_in(block)
        ):
            return f"no call has {marks[0]!r} of {_short(block)}"
    return None


def _marks(sentence: str) -> Iterator[str]:
    for pattern in (_QUOTED, _ADDRESS, _IDENTIFIER, _NUMBER):
        for found in pattern.finditer(sentence):
            yield next((group for group in found.groups() if group), found.group())
        sentence = pattern.sub(" ", sentence)


_FIGURE, _NAME, _WORD = r"-?\d[\d,.]*\d|-?\d", r"[A-Z][\w'-]+(?: [A-Z][\w'-]+)*", r"[a-z]{3,}"
_SENTENCE_END = r"\W*$|[;:?!]|\.\s"
_LIST_END = _SENTENCE_END + r"|,| [a-z]"
_JOINT = r"(?:\s*,\s*(?:and |or |then )?|\s+(?:and|or|&) )(?:for |of |to |in |on )?"


def _item_left(request: str, calls: Sequence[ToolCall]) -> str | None:
    """The one item of a list that no call has, where two calls of one function have theirs as the same argument."""
    claimed = {_folded(_figure(v)) for c in calls for v in _scalars(c.arguments)}
    for name, argument, values in _alike(calls):
        known = "|".join(re.escape(_figure(v)) for v in values)
        shape, end = _shape_of(values)
        item = f"(?:{known}|{shape})"
        for run in re.finditer(rf"(?<![\w.]){item}(?:{_JOINT}{item})+(?={end})", request):
            items = re.split(_JOINT, run.group())
            left = [
                i
                for i in items
                if not any(len(c) > 2 and c in _folded(i) for c in claimed) and _folded(i) not in claimed
            ]
            if len(left) == 1 and len(items) > FEWEST and (shape is not _WORD or left[0] != items[0]):
                return f"the request lists {left[0]!r}, no call of {name} has it as {argument}"
    return None


def _shape_of(values: Sequence[Any]) -> tuple[str, str]:
    """Patterns: what looks like the values (numbers, names in capitals, words), and what follows the last of a list."""
    if not isinstance(values[0], str):
        return _FIGURE, _LIST_END
    if all(re.fullmatch(_WORD, value) for value in values):
        return _WORD, _SENTENCE_END
    return _NAME, _LIST_END


def _alike(calls: Sequence[ToolCall]) -> Iterator[tuple[str, str, list[Any]]]:
    """Function, argument and values, where several calls differ in them."""
    for name in dict.fromkeys(c.name for c in calls):
        same = [c.arguments for c in calls if c.name == name]
        for argument in same[0]:
            values = [a[argument] for a in same if type(a.get(argument)) in (int, float, str)]
            kinds = {type(v) for v in values}
            if len(set(values)) >= FEWEST and (kinds <= {int, float} or kinds == {str}):
                yield name, argument, values


def _scalars(value: Any) -> Iterator[Any]:
    if isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _scalars(one)
    else:
        yield value


def _figure(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _folded(value: Any) -> str:
    return re.sub(r"[\W_]+", "", str(value).casefold())


def _words(text: str) -> set[str]:
    """The words that carry meaning, without their endings; those of ``aCamelName`` apart."""
    text = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", _ORDER.sub("", text, count=1) if _ORDER.match(text) else text)
    words = {w for w in re.findall(r"[^\W_]{3,}", text.casefold()) if not _EMPTY_WORDS.fullmatch(w)}
    return {w if len(w) < 5 else w[: max(4, len(w) - 3)] for w in words}


def _share(some: set[str], others: set[str]) -> bool:
    """Whether a word of the one begins a word of the other: "photo" and "photograph"."""
    return bool(some & others) or any(
        len(a) > 3 and len(b) > 3 and (a.startswith(b) or b.startswith(a)) for a in some for b in others
    )


def _short(text: str) -> str:
    return repr(text if len(text) <= 80 else f"{text[:79]}…")
