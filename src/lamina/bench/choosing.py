"""Which of a few texts an answer names. Engines that take a grammar write nothing else; an endpoint that does not may
write "The answer is D." What names none of them, or more than one, is not read: it is counted, never guessed."""

from __future__ import annotations

import re
from collections.abc import Sequence

MARKS = " \t\r\n*_`\"'“”‘’()[]{}.,:;!?"
# counts are bounded: a model may write one mark a thousand times
_OPEN = r"[\s*_`\"'“‘(\[{]{0,8}"
_CLOSE = r"[*_`\"'”’)\]}]{0,8}"
_SAYS = (
    r"(?i:\b(?:answer|option|choice|letter|rating|label)\b(?: (?:to|for|of) [^.:\n]{1,80}?)?"
    r"\W{0,3} ?(?:is|are|be|would be|should be|must be|[:=])"
    r"|\bi(?:'d| would)? (?:say|choose|pick|select)\b|\\boxed)"
)
_FILL = r"(?i: ?[:=]? ?\b(?:the|a|an|is|it is|option|choice|letter|definitely|clearly|therefore|thus)\b){0,4} ?[:=]?"
_IS = r"(?i:\b(?:is|are)\b)"


def read_choice(choices: Sequence[str], answer: str) -> str | None:
    """The one of ``choices`` that ``answer`` is, opens with ("D. Paris", "No, it isn't") or says ("The answer is D.",
    "it is **negative**."). Case does not count but in a letter in the midst of a sentence. None where it names none, or
    two of them."""
    by_text = {choice.strip(): choice for choice in choices}
    exact = by_text.get(answer.strip())
    if exact is not None:
        return exact
    folded = {text.casefold(): text for text in by_text}
    if len(folded) < len(by_text):
        return by_text.get(answer.strip(MARKS))
    whole = folded.get(answer.strip(MARKS).casefold())
    if whole is not None:
        return by_text[whole]
    answer = re.sub(r"\s*\n\s*", "\n", re.sub(r"[^\S\n]+", " ", answer))
    letters = all(len(text) == 1 and text.isalpha() for text in by_text)
    found = {folded[said.casefold()] for said in _named(list(by_text), answer, letters)}
    return by_text[found.pop()] if len(found) == 1 else None


def _named(texts: Sequence[str], answer: str, letters: bool) -> list[str]:
    """Every choice that the answer opens with or says, as it is written there."""
    one = "|".join(re.escape(text) for text in sorted(texts, key=len, reverse=True))
    said = rf"(?<![\w-])({one})(?![\w-]|\.\d)" if letters else rf"(?<![\w-])((?i:{one}))(?![\w-]|\.\d)"
    stop = rf"(?={_CLOSE}\s?(?:$|[.;:!?\n]|,(?!\s?(?:or|and|{one})\b)|(?:because|since|as)\b|[–—-]\s|\())"
    verdict = rf"(?:{_SAYS if letters else f'{_SAYS}|{_IS}'}){_FILL}{_OPEN}{said}"
    # a verdict that goes on ("B or C", "positive in parts") is none, and stands against one beside it
    found = re.findall(rf"{verdict}{stop}", answer)
    found += re.findall(verdict, answer) if found else []
    if not letters:
        return found + re.findall(rf"\A{_OPEN}{said}(?={_CLOSE}\s?(?:[.,;:!?\n]|[–—-]\s|\())", answer)
    # "A. … B. …" goes through the options; one label alone is the answer
    return found + re.findall(rf"(?:\A|\n|[.;]\s){_OPEN}{said}(?={_CLOSE}(?:[.:)]|\n|\s[–—-]\s))", answer)
